// Elections: Raft paper 5.2 and 5.4.1, pre-vote and lost leaders as in Ongaro's thesis, 9.6.

#include "base/assert.h"
#include "raft/planted_bug.h"
#include "raft/raft_core.h"

namespace orochi::raft {

bool RaftCore::LeaderIsAlive() const {
  return leader_ != kNobody && election_elapsed_ < options_.election_ticks;
}

void RaftCore::TickElection() {
  ++election_elapsed_;
  if (election_elapsed_ >= election_timeout_) {
    ResetElectionTimer();
    Campaign();
  }
}

// A replica that its own log removes may have the only copy of the entry that says so. Until it
// knows that to be committed it may have to lead, to bring it to the others (thesis, 4.2.2).
bool RaftCore::MayLead() const {
  return configuration().IsVoter(options_.id) ||
         (log_.configuration_index() > log_.committed() &&
          log_.ConfigurationAt(log_.committed()).IsVoter(options_.id));
}

void RaftCore::Campaign() {
  if (role_ != Role::kLeader && MayLead()) {
    StartPreVote();
  }
}

// Asks who would vote, without a new term: a replica that cannot win disturbs nobody.
void RaftCore::StartPreVote() {
  role_ = Role::kPreCandidate;
  leader_ = kNobody;
  votes_.clear();
  own_vote_sequence_.reset();
  AskForVotes(MessageKind::kPreVote, term_.Next(), /*transfer=*/false);
  CountVote(options_.id, /*granted=*/true);
}

void RaftCore::StartElection(bool transfer) {
  term_ = term_.Next();
  vote_ = options_.id;
  role_ = Role::kCandidate;
  leader_ = kNobody;
  votes_.clear();
  ResetElectionTimer();
  own_vote_sequence_ = persist_sequence_ + 1;
  AskForVotes(MessageKind::kVote, term_, transfer);
  ASSERT(NeedsPersist());
}

void RaftCore::AskForVotes(MessageKind kind, Term term, bool transfer) {
  for (ReplicaId const id : configuration().Members()) {
    if (id != options_.id && configuration().IsVoter(id)) {
      Send({.kind = kind,
            .to = id,
            .term = term,
            .index = log_.last_index(),
            .log_term = log_.last_term(),
            .transfer = transfer});
    }
  }
}

void RaftCore::HandleVote(const Message& message) {
  bool const pre = message.kind == MessageKind::kPreVote;
  bool const free = vote_ == message.from || (vote_ == kNobody && leader_ == kNobody) ||
                    (pre && message.term > term_);
  bool const up_to_date =
      log_.IsUpToDate(message.index, message.log_term) || IsPlanted(PlantedBug::kVoteForShorterLog);
  bool const granted = free && up_to_date;
  Message reply{.kind = pre ? MessageKind::kPreVoteReply : MessageKind::kVoteReply,
                .to = message.from,
                .term = granted ? message.term : term_,
                .reject = !granted};
  if (pre || !granted) {
    Send(std::move(reply));
    return;
  }
  vote_ = message.from;
  election_elapsed_ = 0;
  if (IsPlanted(PlantedBug::kVoteBeforeDurable)) {
    Send(std::move(reply));
    return;
  }
  SendWhenDurable(std::move(reply));
}

void RaftCore::HandleVoteReply(const Message& message) {
  Role const asking =
      message.kind == MessageKind::kPreVoteReply ? Role::kPreCandidate : Role::kCandidate;
  Term const asked = asking == Role::kPreCandidate ? term_.Next() : term_;
  if (role_ != asking || !configuration().IsVoter(message.from) ||
      (!message.reject && message.term != asked)) {
    return;  // an answer to an earlier question
  }
  CountVote(message.from, !message.reject);
}

void RaftCore::CountVote(ReplicaId from, bool granted) {
  if (role_ != Role::kPreCandidate && role_ != Role::kCandidate) {
    return;
  }
  votes_.emplace(from, granted);  // the first answer counts
  auto const answered = [this](bool answer) {
    return [this, answer](ReplicaId id) {
      auto const vote = votes_.find(id);
      return vote != votes_.end() && vote->second == answer;
    };
  };
  if (configuration().HasQuorum(answered(true))) {
    if (role_ == Role::kPreCandidate) {
      StartElection(/*transfer=*/false);
    } else if (!own_vote_sequence_.has_value() || IsPlanted(PlantedBug::kLeadBeforeOwnVote)) {
      // Without its own vote on disk it could crash, lead the same term again, and give an index of
      // that term two different entries.
      BecomeLeader();
    }
    return;
  }
  // Lost when those that have not refused are no quorum.
  auto const not_refused = [this](ReplicaId id) {
    auto const vote = votes_.find(id);
    return vote == votes_.end() || vote->second;
  };
  if (!configuration().HasQuorum(not_refused)) {
    BecomeFollower(term_, kNobody);
  }
}

void RaftCore::BecomeLeader() {
  ASSERT(role_ == Role::kCandidate);
  role_ = Role::kLeader;
  leader_ = options_.id;
  election_elapsed_ = 0;
  heartbeat_elapsed_ = 0;
  transfer_to_ = kNobody;
  new_reads_.clear();
  pending_reads_.clear();
  progress_.clear();
  uncommitted_size_bytes_ = 0;
  for (LogIndex index = log_.committed() + 1; index <= log_.last_index(); index = index + 1) {
    uncommitted_size_bytes_ += log_.At(index).size_bytes();
  }
  SyncProgress();
  leader_start_ = AppendOwn(EntryKind::kLeaderStart, nullptr);
}

}  // namespace orochi::raft
