#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "raft/configuration.h"
#include "raft/types.h"

namespace orochi::raft {

enum class MessageKind : uint8_t {
  kPreVote,         // would you vote for me in `term`? Changes nobody's term (thesis, 9.6)
  kPreVoteReply,    //
  kVote,            // vote for me in `term`
  kVoteReply,       //
  kAppend,          // entries after `index`, where the entry at `index` is of `log_term`
  kAppendReply,     // all up to `index` is durable here; or `reject`
  kHeartbeat,       // the leader lives, and asks whether it still leads (`read_round`)
  kHeartbeatReply,  //
  kSnapshot,        // the state at `snapshot` has arrived whole, beside this message
  kTimeoutNow,      // the leader hands over: campaign at once
};

std::string_view MessageKindName(MessageKind kind);

/// One message between two replicas of a group. Fields without meaning for the kind are zero.
struct Message {
  MessageKind kind = MessageKind::kHeartbeat;
  ReplicaId from = kNobody;
  ReplicaId to = kNobody;
  Term term{};  // of the sender; of a pre-vote and its grant: the term that would be

  /// kPreVote, kVote: the candidate's last entry. kAppend: the entry before `entries`.
  /// kAppendReply: the last entry known to be equal and durable, or, when rejecting, the `index`
  /// that did not match.
  LogIndex index{};
  Term log_term{};
  LogIndex commit{};             // kAppend, kHeartbeat: what the receiver may apply
  std::vector<Entry> entries{};  // kAppend: consecutive, from index + 1
  bool reject = false;           // replies
  /// kAppendReply that rejects: where the logs may still agree, and the term there.
  LogIndex hint_index{};
  Term hint_term{};
  /// The leader's count of questions whether it still leads, and in replies the last one seen.
  uint64_t read_round = 0;
  /// kVote, kPreVote: the leader asked for it, so a living leader is no reason to refuse.
  bool transfer = false;
  std::optional<SnapshotPoint> snapshot{};  // kSnapshot
};

}  // namespace orochi::raft
