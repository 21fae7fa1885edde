// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded. Arguments name
// the bugs to plant, all without any.
#include "sim/bug_search.h"
#include "swim/planted_bug.h"
#include "swim/simulation/cluster_simulation.h"

int main(int argc, char** argv) {
  using enum orochi::swim::PlantedBug;
  return orochi::sim::PlantBugs<orochi::swim::PlantedBug>(
      {{kGenerationIgnored, "generation_ignored"},
       {kRefuteSameIncarnation, "refute_same"},
       {kDeadImportedAsDead, "dead_imported_as_dead"},
       {kSuspicionNeverExpires, "never_expires"},
       {kConfirmationsIgnored, "confirmations_ignored"},
       {kGossipForever, "gossip_forever"},
       {kLeaveNotSticky, "leave_not_sticky"},
       {kAnswersForOthers, "answers_for_others"},
       {kAddressSticks, "address_sticks"},
       {kConflictUnnoticed, "conflict_unnoticed"},
       {kDeadNeverCalled, "dead_never_called"},
       {kPacketNotBounded, "packet_not_bounded"},
       {kAgeNotKept, "age_not_kept"},
       {kClusterUnchecked, "cluster_unchecked"},
       {kHintsWithoutRevision, "hints_without_revision"}},
      [](uint64_t seed) { orochi::swim::simulation::SimulateCluster(seed, {}); }, argc, argv);
}
