// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded.
#include <gtest/gtest.h>

#include <string>

#include "kv/log/planted_bug.h"
#include "kv/log/simulation/log_simulation.h"
#include "sim/bug_search.h"

namespace orochi::kv::log::simulation {
namespace {

struct Planted {
  PlantedBug bug;
  const char* name;
};

class PlantedBugs : public testing::TestWithParam<Planted> {};

TEST_P(PlantedBugs, IsFound) {
  planted_bug = GetParam().bug;
  uint64_t const count =
      sim::SeedsToFind(GetParam().name, [](uint64_t seed) { SimulateLog(seed, {}); });
  planted_bug = PlantedBug::kNone;
  EXPECT_LE(count, sim::kSeedsToFindMax);
}

INSTANTIATE_TEST_SUITE_P(
    Log, PlantedBugs,
    testing::Values(Planted{PlantedBug::kRecycledWithoutEpoch, "recycled_without_epoch"},
                    Planted{PlantedBug::kAcknowledgeBeforeDurable, "ack_before_durable"},
                    Planted{PlantedBug::kTornTailAnywhere, "torn_tail_anywhere"},
                    Planted{PlantedBug::kTailIgnoresLaterFrames, "tail_ignores_later"},
                    Planted{PlantedBug::kCollectIgnoresGroup, "collect_ignores_group"},
                    Planted{PlantedBug::kFreeBeforeMoved, "free_before_moved"},
                    Planted{PlantedBug::kTruncationNotLogged, "truncation_not_logged"},
                    Planted{PlantedBug::kTombstoneForgotten, "tombstone_forgotten"},
                    Planted{PlantedBug::kRecoverWithoutSync, "recover_without_sync"},
                    Planted{PlantedBug::kNameNotDurable, "name_not_durable"},
                    Planted{PlantedBug::kPayloadUnchecked, "payload_unchecked"},
                    Planted{PlantedBug::kPlaceUnchecked, "place_unchecked"},
                    Planted{PlantedBug::kGoesOnAfterFailure, "goes_on_after_failure"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(WithoutPlantedBug, NoneIsFoundWithoutOne) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimulateLog(seed, {});
  }
}

}  // namespace
}  // namespace orochi::kv::log::simulation
