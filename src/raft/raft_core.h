#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "raft/configuration.h"
#include "raft/log.h"
#include "raft/message.h"
#include "raft/progress.h"
#include "raft/types.h"

namespace orochi::raft {

struct Options {
  ReplicaId id;
  int election_ticks = 10;  // without a leader for this many to twice as many: campaign
  int heartbeat_ticks = 1;
  uint64_t append_size_bytes_max = 1 << 20;  // of the entries of one message, but for a single one
  uint64_t in_flight_count_max = 256;        // messages to one follower without an answer
  uint64_t in_flight_size_bytes_max = 16 << 20;  // their entries
  uint64_t uncommitted_size_bytes_max = 64 << 20;
  uint64_t apply_size_bytes_max = 4 << 20;  // entries handed out at a time
  /// A learner may become a voter when it lacks at most this many entries.
  uint64_t promotion_lag_max = 1024;
};

/// What a replica had durable when it stopped.
struct RecoveredState {
  HardState hard_state;
  /// What stands before `entries`; index 0 with the configuration of the group's birth, if any.
  SnapshotPoint base;
  std::vector<Entry> entries;
  LogIndex applied;  // by the state machine; base.index <= applied
};

/// To be made durable as one, in the order of `sequence`.
struct PersistRequest {
  uint64_t sequence = 0;
  std::optional<HardState> hard_state;
  /// The received state replaces the state machine and the whole log, atomically with the rest.
  std::optional<SnapshotPoint> install;
  /// Replace whatever the log has from entries[0].index on.
  std::vector<Entry> entries;
};

/// A read may be served by this replica's state machine once `index` is applied.
struct ReadReady {
  uint64_t token;
  LogIndex index;
};

struct Output {
  std::optional<PersistRequest> persist;
  std::vector<Message> messages;  // may go at once
  std::vector<Entry> committed;   // to apply, in order; then OnApplied
  std::vector<ReadReady> reads;
  std::vector<uint64_t> reads_refused;  // leadership was lost: ask the next leader
  std::vector<ReplicaId>
      snapshots_wanted;  // send a snapshot of at least the log's base, then report
};

/// Raft without clock, disk, network or threads: the same inputs in the same order give the same
/// outputs. Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014, and
/// Ongaro's thesis (2014) for pre-vote, leadership transfer, joint configurations and reads.
///
/// The disk answers with a call of its own (OnPersisted), so that one write serves many groups and
/// the next messages need not wait for it. What promises durability is kept back here until then:
/// every message handed out may be sent at once.
///
/// Life:    inputs -> TakeOutput -> do what it says -> OnPersisted, OnApplied, and again.
/// Threads: none.    Borrows: random.
/// Bounds:  the log since the last Compact is in memory; uncommitted entries are bounded by
/// options.
class RaftCore {
 public:
  /// kCorruption when the recovered state contradicts itself.
  static Result<std::unique_ptr<RaftCore>> Create(const Options& options, RecoveredState state,
                                                  Random& random);

  void Tick();
  /// One message from a peer. kInvalidArgument, and no change, when no peer would send it.
  Status Step(Message message);

  /// Appends a command; it is committed when Output::committed has it with the term of now.
  /// kUnavailable when not the leader or handing over; kResourceExhausted when too much waits.
  Result<LogIndex> Propose(Payload payload);
  /// Moves the group to these voters and learners, through a joint configuration when more than
  /// one voter differs. kFailedPrecondition while another change is under way, before the leader
  /// has committed in its term, or when a new voter lags behind.
  Result<LogIndex> ProposeConfiguration(std::vector<ReplicaId> voters,
                                        std::vector<ReplicaId> learners);
  /// Asks for a point at which a read is linearizable; it comes as ReadReady or as refused, with
  /// the token returned. kUnavailable when not the leader. How many wait is the caller's to bound.
  Result<uint64_t> RequestRead();
  /// kFailedPrecondition when `to` cannot lead.
  Status TransferLeadership(ReplicaId to);
  /// Campaigns now, without waiting for the timeout.
  void Campaign();

  bool HasOutput() const;
  Output TakeOutput();
  /// All requests up to `sequence` are durable.
  void OnPersisted(uint64_t sequence);
  /// The state machine has applied up to `index`.
  void OnApplied(LogIndex index);
  /// The snapshot wanted for `to` did not arrive, as far as anyone knows: it is wanted again after
  /// the next sign of life. Success needs no call, the follower's acknowledgement says it.
  void OnSnapshotFailed(ReplicaId to);

  /// Forgets log entries up to `index` (at most applied()) in memory.
  void Compact(LogIndex index);

  ReplicaId id() const { return options_.id; }
  Role role() const { return role_; }
  Term term() const { return term_; }
  ReplicaId leader() const { return leader_; }
  const Log& log() const { return log_; }
  const Configuration& configuration() const { return log_.configuration(); }
  const std::map<ReplicaId, Progress>& progress() const { return progress_; }
  /// Whether the leader has committed an entry of its own term: before, it does not know what is
  /// committed, and serves and evaluates nothing.
  bool IsLeaderReady() const { return role_ == Role::kLeader && log_.committed() >= leader_start_; }

 private:
  struct InFlightPersist {
    uint64_t sequence;
    LogIndex last;  // durable with it; lowered when the log is truncated meanwhile
  };
  struct HeldMessage {
    uint64_t sequence;
    Message message;
  };
  struct PendingRead {
    uint64_t token;
    uint64_t round;
    LogIndex index;
  };

  RaftCore(const Options& options, RecoveredState state, Random& random);

  // raft_core.cc
  void Send(Message message);
  void SendWhenDurable(Message message);
  bool NeedsPersist() const;
  void BecomeFollower(Term term, ReplicaId leader);
  void ResetElectionTimer();
  void PlanPersist(Output& output);
  void PlanApply(Output& output);

  // election.cc
  void TickElection();
  void StartPreVote();
  void StartElection(bool transfer);
  void AskForVotes(MessageKind kind, Term term, bool transfer);
  void CountVote(ReplicaId from, bool granted);
  void HandleVote(const Message& message);
  void HandleVoteReply(const Message& message);
  void BecomeLeader();
  bool LeaderIsAlive() const;
  bool MayLead() const;

  // follower.cc
  Status CheckMessage(const Message& message) const;
  Status HandleAppend(Message message);
  Status AppendNew(Message& message);
  void HandleHeartbeat(const Message& message);
  Status HandleSnapshot(const Message& message);
  void AnswerOldTerm(const Message& message);
  void AcknowledgeAppend(ReplicaId to, LogIndex index, uint64_t read_round);

  // replication.cc
  void TickLeader();
  LogIndex AppendOwn(EntryKind kind, Payload payload);
  void BroadcastHeartbeat();
  void SendAppends(Output& output);
  void SendAppendsTo(ReplicaId to, Progress& progress, Output& output);
  void SendAppend(ReplicaId to, Progress& progress);
  void HandleAppendReply(const Message& message);
  void HandleHeartbeatReply(const Message& message);
  void AdvanceCommit();

  // membership.cc
  void SyncProgress();
  void ContinueConfigurationChange();
  void HandOverIfReady();

  // reads.cc
  void OpenReadRound();
  void NoteReadRound(Progress& progress, uint64_t round);
  void ReleaseReads();
  void RefuseReads();

  const Options options_;
  Random& random_;
  Log log_;

  Term term_;
  ReplicaId vote_ = kNobody;
  Role role_ = Role::kFollower;
  ReplicaId leader_ = kNobody;
  int election_elapsed_ = 0;
  int election_timeout_ = 0;
  int heartbeat_elapsed_ = 0;
  std::map<ReplicaId, bool> votes_;
  std::optional<uint64_t> own_vote_sequence_;  // of the request that makes it durable

  // As a leader.
  std::map<ReplicaId, Progress> progress_;
  LogIndex leader_start_;
  uint64_t uncommitted_size_bytes_ = 0;
  ReplicaId transfer_to_ = kNobody;
  bool heartbeat_due_ = false;
  uint64_t read_round_ = 0;
  uint64_t read_token_ = 0;
  std::vector<uint64_t> new_reads_;  // tokens without a round yet
  std::deque<PendingRead> pending_reads_;

  // Towards the disk and the state machine.
  uint64_t persist_sequence_ = 0;  // of the last request handed out
  uint64_t persisted_sequence_ = 0;
  std::deque<InFlightPersist> in_flight_;
  HardState handed_hard_state_;
  LogIndex handed_log_;    // entries up to here were handed to the disk
  LogIndex handed_apply_;  // and to the state machine
  std::optional<SnapshotPoint> install_;
  std::deque<HeldMessage> held_;
  std::vector<Message> messages_;
  std::vector<ReadReady> reads_;
  std::vector<uint64_t> reads_refused_;
};

}  // namespace orochi::raft
