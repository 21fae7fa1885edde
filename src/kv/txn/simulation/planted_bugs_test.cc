// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded.
#include <gtest/gtest.h>

#include "kv/txn/planted_bug.h"
#include "kv/txn/simulation/cluster_simulation.h"
#include "sim/bug_search.h"

namespace orochi::kv::simulation {
namespace {

struct Planted {
  PlantedBug bug;
  const char* name;
};

class PlantedBugs : public testing::TestWithParam<Planted> {};

TEST_P(PlantedBugs, IsFound) {
  planted_bug = GetParam().bug;
  uint64_t const count =
      sim::SeedsToFind(GetParam().name, [](uint64_t seed) { SimulateTransactions(seed, {}); });
  planted_bug = PlantedBug::kNone;
  EXPECT_LE(count, sim::kSeedsToFindMax);
}

INSTANTIATE_TEST_SUITE_P(
    Transactions, PlantedBugs,
    testing::Values(Planted{PlantedBug::kReadCacheEmpty, "read_cache_empty"},
                    Planted{PlantedBug::kNextStamp, "next_stamp"},
                    Planted{PlantedBug::kReadUnconfirmed, "read_unconfirmed"},
                    Planted{PlantedBug::kAbortForgotten, "abort_forgotten"},
                    Planted{PlantedBug::kAnswerBeforeDurable, "answer_before_durable"},
                    Planted{PlantedBug::kFloorForgotten, "floor_forgotten"},
                    Planted{PlantedBug::kNoRefresh, "no_refresh"},
                    Planted{PlantedBug::kReadPassesWrites, "read_passes_writes"},
                    Planted{PlantedBug::kStrayCommitted, "stray_committed"},
                    Planted{PlantedBug::kOracleUnconfirmed, "oracle_unconfirmed"},
                    Planted{PlantedBug::kOracleForgetsLimit, "oracle_forgets_limit"},
                    Planted{PlantedBug::kRecordBeforeIntents, "record_before_intents"},
                    Planted{PlantedBug::kReadBelowSafepoint, "read_below_safepoint"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PlantedBugs, NoneIsFoundWithoutOne) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimulateTransactions(seed, {});
  }
}

}  // namespace
}  // namespace orochi::kv::simulation
