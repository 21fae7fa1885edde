#include "raft/raft_core.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "raft/planted_bug.h"

namespace orochi::raft {

Result<std::unique_ptr<RaftCore>> RaftCore::Create(const Options& options, RecoveredState state,
                                                   Random& random) {
  ASSERT(options.id != kNobody);
  ASSERT(options.election_ticks > options.heartbeat_ticks);
  const SnapshotPoint& base = state.base;
  if (!base.configuration.voters.empty()) {
    RETURN_IF_ERROR(CheckConfiguration(base.configuration));
  }
  LogIndex index = base.index;
  Term term = base.term;
  for (const Entry& entry : state.entries) {
    if (entry.index != index + 1 || entry.term < term) {
      return Status::Corruption(StrCat("log entry ", entry.index.value(), " of term ",
                                       entry.term.value(), " after entry ", index.value(),
                                       " of term ", term.value()));
    }
    index = entry.index;
    term = entry.term;
  }
  if (state.hard_state.term < term) {
    return Status::Corruption(StrCat("the log has entries of term ", term.value(),
                                     ", the hard state is of term ",
                                     state.hard_state.term.value()));
  }
  if (state.applied < base.index || state.applied > index) {
    return Status::Corruption(StrCat("the state machine has applied entry ", state.applied.value(),
                                     ", the log has those after ", base.index.value(), " up to ",
                                     index.value()));
  }
  auto entries = std::move(state.entries);
  std::unique_ptr<RaftCore> core(new RaftCore(options, std::move(state), random));
  for (Entry& entry : entries) {
    RETURN_IF_ERROR(core->log_.Append(std::move(entry)));
  }
  core->log_.DurableTo(index);
  core->log_.CommitTo(
      std::max(std::min(core->handed_hard_state_.commit, index), core->handed_apply_));
  core->log_.AppliedTo(core->handed_apply_);
  core->handed_log_ = index;
  return core;
}

RaftCore::RaftCore(const Options& options, RecoveredState state, Random& random)
    : options_(options),
      random_(random),
      log_(std::move(state.base)),
      term_(state.hard_state.term),
      vote_(state.hard_state.vote),
      handed_hard_state_(state.hard_state),
      handed_apply_(state.applied) {
  ResetElectionTimer();
}

void RaftCore::Tick() {
  if (role_ == Role::kLeader) {
    TickLeader();
  } else {
    TickElection();
  }
}

Status RaftCore::Step(Message message) {
  if (message.to != options_.id || message.from == options_.id || message.from == kNobody) {
    return Status::InvalidArgument(StrCat("replica ", options_.id.value(), ": a message from ",
                                          message.from.value(), " to ", message.to.value()));
  }
  RETURN_IF_ERROR(CheckMessage(message));
  bool const asks_for_vote =
      message.kind == MessageKind::kPreVote || message.kind == MessageKind::kVote;
  if (message.term > term_) {
    if (asks_for_vote && !message.transfer && LeaderIsAlive()) {
      return Status::Ok();  // a replica that lost touch must not depose a leader that others hear
    }
    bool const of_the_future = message.kind == MessageKind::kPreVote ||
                               (message.kind == MessageKind::kPreVoteReply && !message.reject);
    if (!of_the_future) {
      BecomeFollower(message.term, kNobody);
    }
  } else if (message.term < term_) {
    AnswerOldTerm(message);
    return Status::Ok();
  }
  switch (message.kind) {
    case MessageKind::kPreVote:
    case MessageKind::kVote:
      HandleVote(message);
      return Status::Ok();
    case MessageKind::kPreVoteReply:
    case MessageKind::kVoteReply:
      HandleVoteReply(message);
      return Status::Ok();
    case MessageKind::kAppend:
      return HandleAppend(std::move(message));
    case MessageKind::kHeartbeat:
      HandleHeartbeat(message);
      return Status::Ok();
    case MessageKind::kSnapshot:
      return HandleSnapshot(message);
    case MessageKind::kAppendReply:
      HandleAppendReply(message);
      return Status::Ok();
    case MessageKind::kHeartbeatReply:
      HandleHeartbeatReply(message);
      return Status::Ok();
    case MessageKind::kTimeoutNow:
      if (role_ == Role::kFollower && MayLead()) {
        StartElection(/*transfer=*/true);
      }
      return Status::Ok();
  }
  return Status::InvalidArgument(StrCat("message of kind ", static_cast<int>(message.kind)));
}

void RaftCore::Send(Message message) {
  message.from = options_.id;
  messages_.push_back(std::move(message));
}

void RaftCore::SendWhenDurable(Message message) {
  message.from = options_.id;
  uint64_t const sequence = persist_sequence_ + (NeedsPersist() ? 1 : 0);
  held_.push_back({sequence, std::move(message)});
}

void RaftCore::BecomeFollower(Term term, ReplicaId leader) {
  ASSERT(term >= term_);
  if (term > term_) {
    term_ = term;
    vote_ = kNobody;
  }
  if (role_ == Role::kLeader) {
    RefuseReads();
    progress_.clear();
    transfer_to_ = kNobody;
    heartbeat_due_ = false;
  }
  role_ = Role::kFollower;
  leader_ = leader;
  own_vote_sequence_.reset();
  ResetElectionTimer();
}

void RaftCore::ResetElectionTimer() {
  election_elapsed_ = 0;
  // Spread over one timeout more, so that two replicas seldom campaign at once (paper, 5.2).
  election_timeout_ =
      options_.election_ticks +
      static_cast<int>(random_.Below(static_cast<uint64_t>(options_.election_ticks)));
}

bool RaftCore::NeedsPersist() const {
  return term_ != handed_hard_state_.term || vote_ != handed_hard_state_.vote ||
         handed_log_ < log_.last_index() || install_.has_value();
}

bool RaftCore::HasOutput() const {
  if (NeedsPersist() || !messages_.empty() || !reads_.empty() || !reads_refused_.empty() ||
      heartbeat_due_ || (!new_reads_.empty() && IsLeaderReady())) {
    return true;
  }
  if (!held_.empty() && held_.front().sequence <= persisted_sequence_) {
    return true;
  }
  if (handed_apply_ == log_.applied() &&
      handed_apply_ < std::min(log_.committed(), log_.durable())) {
    return true;
  }
  return std::any_of(progress_.begin(), progress_.end(), [this](const auto& item) {
    const auto& [id, progress] = item;
    return id != options_.id && progress.next <= log_.last_index() &&
           progress.state != Progress::State::kSnapshot && !progress.probe_sent &&
           progress.in_flight.size() < options_.in_flight_count_max;
  });
}

Output RaftCore::TakeOutput() {
  Output output;
  if (role_ == Role::kLeader) {
    OpenReadRound();
    SendAppends(output);
    if (heartbeat_due_) {
      BroadcastHeartbeat();
    }
    ReleaseReads();
  }
  PlanPersist(output);
  while (!held_.empty() && held_.front().sequence <= persisted_sequence_) {
    messages_.push_back(std::move(held_.front().message));
    held_.pop_front();
  }
  PlanApply(output);
  output.messages = std::exchange(messages_, {});
  output.reads = std::exchange(reads_, {});
  output.reads_refused = std::exchange(reads_refused_, {});
  return output;
}

void RaftCore::PlanPersist(Output& output) {
  if (!NeedsPersist()) {
    return;
  }
  PersistRequest request{.sequence = ++persist_sequence_,
                         .hard_state = std::nullopt,
                         .install = std::exchange(install_, std::nullopt),
                         .entries = {}};
  HardState const now{.term = term_, .vote = vote_, .commit = log_.committed()};
  if (now != handed_hard_state_) {
    request.hard_state = now;
    handed_hard_state_ = now;
  }
  if (handed_log_ < log_.last_index()) {
    request.entries = log_.Slice(handed_log_ + 1, log_.last_index(), UINT64_MAX);
    handed_log_ = log_.last_index();
  }
  in_flight_.push_back({request.sequence, log_.last_index()});
  output.persist = std::move(request);
}

// Entries are applied only once they are durable here, so that the state machine is never ahead of
// the log after a crash.
void RaftCore::PlanApply(Output& output) {
  if (handed_apply_ != log_.applied()) {
    return;  // one batch at a time
  }
  LogIndex const end = std::min(log_.committed(), log_.durable());
  if (handed_apply_ < end) {
    output.committed = log_.Slice(handed_apply_ + 1, end, options_.apply_size_bytes_max);
    handed_apply_ = output.committed.back().index;
  }
}

void RaftCore::OnPersisted(uint64_t sequence) {
  ASSERT(sequence <= persist_sequence_);
  ASSERT(sequence >= persisted_sequence_);
  persisted_sequence_ = sequence;
  while (!in_flight_.empty() && in_flight_.front().sequence <= sequence) {
    log_.DurableTo(std::min(in_flight_.front().last, log_.last_index()));
    in_flight_.pop_front();
  }
  if (own_vote_sequence_.has_value() && *own_vote_sequence_ <= sequence) {
    own_vote_sequence_.reset();
    CountVote(options_.id, /*granted=*/true);
  }
  if (role_ == Role::kLeader) {
    AdvanceCommit();
  }
}

void RaftCore::OnApplied(LogIndex index) {
  if (index <= log_.applied()) {
    return;  // overtaken by a snapshot
  }
  ASSERT(index <= handed_apply_);
  log_.AppliedTo(index);
}

void RaftCore::Compact(LogIndex index) {
  log_.Compact(index);
}

}  // namespace orochi::raft
