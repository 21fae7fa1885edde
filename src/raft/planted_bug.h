#pragma once

#include <cstdint>

#include "base/planted_bug.h"

namespace orochi::raft {

/// Mistakes that others have shipped. A simulation that cannot find each of them again proves
/// nothing, so a test plants them one at a time (simulation/planted_bugs_test.cc).
enum class PlantedBug : uint8_t {
  kNone,
  kVoteBeforeDurable,       // answers a vote that a crash forgets
  kLeadBeforeOwnVote,       // leads with the votes of others while its own may be forgotten
  kAppendAckBeforeDurable,  // acknowledges entries that a crash forgets
  kCommitAlone,             // the leader's own disk counts as a quorum
  kCommitOldTerm,           // commits an entry of an earlier term by counting (paper, figure 8)
  kReadBeforeLeaderStart,   // a new leader serves reads before it knows what is committed
  kReadWithoutAsking,       // a leader trusts that it still leads
  kReuseReadRound,          // answers to an old question confirm a new one
  kSnapshotKeepsLog,        // installs a snapshot and keeps the entries that it contradicts
  kConfigurationUnchecked,  // a second change of configuration begins before the first commits
  kVoteForShorterLog,       // forgets the comparison of logs
  kForgetTruncatedMatch,    // a completion of overwritten entries counts for the new ones
};

}  // namespace orochi::raft
