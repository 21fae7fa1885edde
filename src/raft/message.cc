#include "raft/message.h"

namespace orochi::raft {

std::string_view MessageKindName(MessageKind kind) {
  switch (kind) {
    case MessageKind::kPreVote:
      return "pre-vote";
    case MessageKind::kPreVoteReply:
      return "pre-vote reply";
    case MessageKind::kVote:
      return "vote";
    case MessageKind::kVoteReply:
      return "vote reply";
    case MessageKind::kAppend:
      return "append";
    case MessageKind::kAppendReply:
      return "append reply";
    case MessageKind::kHeartbeat:
      return "heartbeat";
    case MessageKind::kHeartbeatReply:
      return "heartbeat reply";
    case MessageKind::kSnapshot:
      return "snapshot";
    case MessageKind::kTimeoutNow:
      return "timeout now";
  }
  return "unknown";
}

}  // namespace orochi::raft
