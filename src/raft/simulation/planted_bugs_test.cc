// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded. Arguments name
// the bugs to plant, all without any.
#include "raft/planted_bug.h"
#include "raft/simulation/group_simulation.h"
#include "sim/bug_search.h"

int main(int argc, char** argv) {
  using enum orochi::raft::PlantedBug;
  return orochi::sim::PlantBugs<orochi::raft::PlantedBug>(
      {{kVoteBeforeDurable, "vote_before_durable"},
       {kLeadBeforeOwnVote, "lead_before_own_vote"},
       {kAppendAckBeforeDurable, "ack_before_durable"},
       {kCommitAlone, "commit_alone"},
       {kCommitOldTerm, "commit_old_term"},
       {kReadBeforeLeaderStart, "read_before_start"},
       {kReadWithoutAsking, "read_without_asking"},
       {kReuseReadRound, "reuse_read_round"},
       {kSnapshotKeepsLog, "snapshot_keeps_log"},
       {kConfigurationUnchecked, "configuration_unchecked"},
       {kVoteForShorterLog, "vote_for_shorter_log"},
       {kForgetTruncatedMatch, "forget_truncated"}},
      [](uint64_t seed) { orochi::raft::simulation::SimulateGroup(seed, {}); }, argc, argv);
}
