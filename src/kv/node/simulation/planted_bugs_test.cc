// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded. Arguments name
// the bugs to plant, all without any.
#include "kv/meta/planted_bug.h"
#include "kv/node/simulation/cluster_simulation.h"
#include "sim/bug_search.h"

int main(int argc, char** argv) {
  using enum orochi::kv::cluster::PlantedBug;
  return orochi::sim::PlantBugs<orochi::kv::cluster::PlantedBug>(
      {{kAppliedApart, "applied_apart"},
       {kConfirmAtOnce, "confirm_at_once"},
       {kBornAtZero, "born_at_zero"},
       {kLogBeforeState, "log_before_state"},
       {kReplicaIdReused, "replica_id_reused"},
       {kMovedBeforeItBegan, "moved_before_it_began"}},
      [](uint64_t seed) { orochi::kv::simulation::SimulateNodes(seed, {}); }, argc, argv);
}
