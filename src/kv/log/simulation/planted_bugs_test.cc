// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded. Arguments name
// the bugs to plant, all without any.
#include "kv/log/planted_bug.h"
#include "kv/log/simulation/log_simulation.h"
#include "sim/bug_search.h"

int main(int argc, char** argv) {
  using enum orochi::kv::log::PlantedBug;
  return orochi::sim::PlantBugs<orochi::kv::log::PlantedBug>(
      {{kRecycledWithoutEpoch, "recycled_without_epoch"},
       {kAcknowledgeBeforeDurable, "ack_before_durable"},
       {kTornTailAnywhere, "torn_tail_anywhere"},
       {kTailIgnoresLaterFrames, "tail_ignores_later"},
       {kCollectIgnoresGroup, "collect_ignores_group"},
       {kFreeBeforeMoved, "free_before_moved"},
       {kTruncationNotLogged, "truncation_not_logged"},
       {kTombstoneForgotten, "tombstone_forgotten"},
       {kRecoverWithoutSync, "recover_without_sync"},
       {kNameNotDurable, "name_not_durable"},
       {kPayloadUnchecked, "payload_unchecked"},
       {kPlaceUnchecked, "place_unchecked"},
       {kGoesOnAfterFailure, "goes_on_after_failure"}},
      [](uint64_t seed) { orochi::kv::log::simulation::SimulateLog(seed, {}); }, argc, argv);
}
