// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded.
#include <gtest/gtest.h>

#include "raft/planted_bug.h"
#include "raft/simulation/group_simulation.h"
#include "sim/bug_search.h"

namespace orochi::raft::simulation {
namespace {

struct Planted {
  PlantedBug bug;
  const char* name;
};

class PlantedBugs : public testing::TestWithParam<Planted> {};

TEST_P(PlantedBugs, IsFound) {
  planted_bug = GetParam().bug;
  uint64_t const count =
      sim::SeedsToFind(GetParam().name, [](uint64_t seed) { SimulateGroup(seed, {}); });
  planted_bug = PlantedBug::kNone;
  EXPECT_LE(count, sim::kSeedsToFindMax);
}

INSTANTIATE_TEST_SUITE_P(
    Raft, PlantedBugs,
    testing::Values(Planted{PlantedBug::kVoteBeforeDurable, "vote_before_durable"},
                    Planted{PlantedBug::kLeadBeforeOwnVote, "lead_before_own_vote"},
                    Planted{PlantedBug::kAppendAckBeforeDurable, "ack_before_durable"},
                    Planted{PlantedBug::kCommitAlone, "commit_alone"},
                    Planted{PlantedBug::kCommitOldTerm, "commit_old_term"},
                    Planted{PlantedBug::kReadBeforeLeaderStart, "read_before_start"},
                    Planted{PlantedBug::kReadWithoutAsking, "read_without_asking"},
                    Planted{PlantedBug::kReuseReadRound, "reuse_read_round"},
                    Planted{PlantedBug::kSnapshotKeepsLog, "snapshot_keeps_log"},
                    Planted{PlantedBug::kConfigurationUnchecked, "configuration_unchecked"},
                    Planted{PlantedBug::kVoteForShorterLog, "vote_for_shorter_log"},
                    Planted{PlantedBug::kForgetTruncatedMatch, "forget_truncated"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PlantedBugs, NoneIsFoundWithoutOne) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimulateGroup(seed, {});
  }
}

}  // namespace
}  // namespace orochi::raft::simulation
