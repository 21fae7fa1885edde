// What a follower does with what its leader sends: Raft paper, figure 2 and 5.3.

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "raft/planted_bug.h"
#include "raft/raft_core.h"

namespace orochi::raft {

// What a message says must hold together before anything of it is believed.
Status RaftCore::CheckMessage(const Message& message) const {
  bool const leads = message.kind == MessageKind::kAppend ||
                     message.kind == MessageKind::kHeartbeat ||
                     message.kind == MessageKind::kSnapshot;
  if (leads && message.term == term_ && role_ == Role::kLeader) {
    return Status::InvalidArgument(StrCat(
        MessageKindName(message.kind), " from replica ", message.from.value(),
        " as leader of term ", term_.value(), ", which replica ", options_.id.value(), " leads"));
  }
  if ((message.kind == MessageKind::kSnapshot) != message.snapshot.has_value()) {
    return Status::InvalidArgument(StrCat(MessageKindName(message.kind), " from replica ",
                                          message.from.value(),
                                          message.snapshot ? " with" : " without", " a snapshot"));
  }
  if (message.snapshot.has_value()) {
    return CheckConfiguration(message.snapshot->configuration);
  }
  if (!message.entries.empty() && message.kind != MessageKind::kAppend) {
    return Status::InvalidArgument(StrCat(MessageKindName(message.kind), " from replica ",
                                          message.from.value(), " with entries"));
  }
  LogIndex index = message.index;
  Term term = message.log_term;
  for (const Entry& entry : message.entries) {
    if (entry.index != index + 1 || entry.term < term || entry.term > message.term) {
      return Status::InvalidArgument(
          StrCat("append from replica ", message.from.value(), ": entry ", entry.index.value(),
                 " of term ", entry.term.value(), " after entry ", index.value(), " of term ",
                 term.value(), ", in a message of term ", message.term.value()));
    }
    if (entry.kind == EntryKind::kConfiguration) {
      std::string_view const bytes = entry.payload ? *entry.payload : std::string_view();
      RETURN_IF_ERROR(DecodeConfiguration(bytes).status());
    }
    index = entry.index;
    term = entry.term;
  }
  return Status::Ok();
}

Status RaftCore::HandleAppend(Message message) {
  BecomeFollower(term_, message.from);
  if (message.index < log_.committed()) {
    // What is committed is equal everywhere, whatever the message holds of it.
    AcknowledgeAppend(message.from, log_.committed(), message.read_round);
    return Status::Ok();
  }
  if (!log_.Matches(message.index, message.log_term)) {
    LogIndex const hint = log_.LastAtMost(message.index, message.log_term);
    Send({.kind = MessageKind::kAppendReply,
          .to = message.from,
          .term = term_,
          .index = message.index,
          .reject = true,
          .hint_index = hint,
          .hint_term = *log_.TermAt(hint),
          .read_round = message.read_round});
    return Status::Ok();
  }
  LogIndex const last = message.index + message.entries.size();
  RETURN_IF_ERROR(AppendNew(message));
  log_.CommitTo(std::min(message.commit, last));
  AcknowledgeAppend(message.from, last, message.read_round);
  return Status::Ok();
}

// Skips entries the log has, and truncates it only where one contradicts: a delayed message must
// not cut off what a later one brought.
Status RaftCore::AppendNew(Message& message) {
  for (Entry& entry : message.entries) {
    if (entry.index <= log_.last_index()) {
      if (log_.Matches(entry.index, entry.term)) {
        continue;
      }
      log_.TruncateFrom(entry.index);
      handed_log_ = std::min(handed_log_, log_.last_index());
      if (!IsPlanted(PlantedBug::kForgetTruncatedMatch)) {
        for (InFlightPersist& persist : in_flight_) {
          persist.last = std::min(persist.last, log_.last_index());
        }
      }
    }
    RETURN_IF_ERROR(log_.Append(std::move(entry)));
  }
  return Status::Ok();
}

void RaftCore::AcknowledgeAppend(ReplicaId to, LogIndex index, uint64_t read_round) {
  Message reply{.kind = MessageKind::kAppendReply,
                .to = to,
                .term = term_,
                .index = index,
                .read_round = read_round};
  if (IsPlanted(PlantedBug::kAppendAckBeforeDurable)) {
    Send(std::move(reply));
    return;
  }
  SendWhenDurable(std::move(reply));
}

void RaftCore::HandleHeartbeat(const Message& message) {
  BecomeFollower(term_, message.from);
  // The leader sends no more than what it knows to be equal here.
  log_.CommitTo(std::min(message.commit, log_.last_index()));
  Send({.kind = MessageKind::kHeartbeatReply,
        .to = message.from,
        .term = term_,
        .read_round = message.read_round});
}

Status RaftCore::HandleSnapshot(const Message& message) {
  const SnapshotPoint& point = *message.snapshot;
  BecomeFollower(term_, message.from);
  if (point.index <= log_.committed()) {
    AcknowledgeAppend(message.from, log_.committed(), message.read_round);
    return Status::Ok();
  }
  if (log_.Matches(point.index, point.term)) {
    log_.CommitTo(point.index);  // the entries are here: nothing to install
    AcknowledgeAppend(message.from, point.index, message.read_round);
    return Status::Ok();
  }
  std::vector<Entry> kept;
  if (IsPlanted(PlantedBug::kSnapshotKeepsLog) && log_.last_index() > point.index) {
    kept = log_.Slice(point.index + 1, log_.last_index(), UINT64_MAX);
  }
  log_.Reset(point);
  for (Entry& entry : kept) {
    RETURN_IF_ERROR(log_.Append(std::move(entry)));
  }
  handed_log_ = point.index;
  handed_apply_ = point.index;
  for (InFlightPersist& persist : in_flight_) {
    persist.last = LogIndex();
  }
  install_ = point;
  AcknowledgeAppend(message.from, point.index, message.read_round);
  return Status::Ok();
}

// A leader or candidate of an earlier term learns of the present one and steps down.
void RaftCore::AnswerOldTerm(const Message& message) {
  switch (message.kind) {
    case MessageKind::kAppend:
    case MessageKind::kHeartbeat:
    case MessageKind::kSnapshot:
      Send({.kind = MessageKind::kAppendReply, .to = message.from, .term = term_, .reject = true});
      return;
    case MessageKind::kPreVote:
      Send({.kind = MessageKind::kPreVoteReply, .to = message.from, .term = term_, .reject = true});
      return;
    default:
      return;
  }
}

}  // namespace orochi::raft
