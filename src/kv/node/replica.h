#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kv/node/group_store.h"
#include "kv/node/node_host.h"
#include "kv/node/snapshot_transfer.h"
#include "raft/raft_core.h"

namespace orochi::kv {

struct ReplicaOptions {
  int election_ticks = 10;
  int heartbeat_ticks = 1;
  /// Proposals that wait because Raft takes no more, in bytes; beyond it requests are refused.
  uint64_t queued_size_bytes_max = 16 << 20;
  /// Entries that the log keeps behind what is applied, for followers that are a little late.
  uint64_t kept_entry_count = 1'000;
  uint64_t snapshot_chunk_size_bytes = 512 << 10;
  int64_t snapshot_answer_us = 2'000'000;  // without one a transfer is given up
};

/// One replica of a group on a node: Raft over the node's log and engine. What a leader does with
/// it is its owner's.
///
/// Life:    Open -> inputs, each followed, now or a little later, by Pump.
/// Threads: none.    Borrows: host.
class Replica {
 public:
  struct Owner {
    std::function<void(log::GroupId, raft::Message)> send;
    std::function<void(NodeNumber, PeerMessage)> send_peer;  // what is not Raft's
    /// There is something to do: call Pump soon.
    std::function<void(Replica&)> wake;
    /// This replica leads from now on and knows all that was committed before. False: no more, and
    /// nothing that was proposed or asked for is answered any more.
    std::function<void(Replica&, bool leads)> leads;
    /// The state machine has moved on.
    std::function<void(Replica&)> applied;
  };

  /// A replica that the log knows.
  static Result<std::unique_ptr<Replica>> Open(log::GroupId group, GroupNote note,
                                               raft::RecoveredState logged,
                                               const ReplicaOptions& options, NodeHost& host,
                                               Owner owner);
  /// A new one: one of the group's first voters (`birth` names them), or one that waits for a
  /// leader to tell it of the others (no `birth`).
  static Result<std::unique_ptr<Replica>> Create(log::GroupId group, raft::ReplicaId id,
                                                 KeySpan span, std::vector<raft::ReplicaId> birth,
                                                 const ReplicaOptions& options, NodeHost& host,
                                                 Owner owner);

  log::GroupId group() const { return group_; }
  raft::ReplicaId id() const { return raft_->id(); }
  const KeySpan& span() const { return note_.span; }
  const raft::RaftCore& raft() const { return *raft_; }
  bool leads() const { return lead_term_ != raft::Term(); }

  void Tick();
  void Step(raft::Message message);
  void OnPersisted(uint64_t sequence);
  void OnChunk(NodeNumber from, SnapshotChunk chunk);
  void OnChunkAnswer(const SnapshotReceived& answer);

  /// `applied` is called when the batch is in the engine's state, and not when leadership is lost
  /// before; the batch may be applied nonetheless. In order. REQUIRES: leads().
  void Propose(WriteBatch batch, std::function<void()> applied);
  /// `confirmed` is called when a quorum has said since the call that this replica leads.
  /// REQUIRES: leads().
  void Confirm(std::function<void()> confirmed);
  /// Whether requests should be refused for now.
  bool IsOverloaded() const { return queued_size_bytes_ > options_.queued_size_bytes_max; }
  /// Moves the group towards these voters by a step, if this replica leads and none is under way.
  /// True when they are the voters and nothing is left to do.
  bool MoveTowards(const std::vector<raft::ReplicaId>& voters);
  Status TransferLeadership(raft::ReplicaId to) { return Woken(raft_->TransferLeadership(to)); }
  void Campaign();

  /// "1/7 leads term 3, applied 40 of 41, voters 4294967303": for logs and messages.
  std::string Describe() const;

  /// Lets go of log entries that the engine has made durable.
  void Compact();
  /// Does what the core asks for, until it asks for nothing more.
  void Pump();

 private:
  struct Proposal {
    raft::Payload payload;
    std::function<void()> applied;
  };
  struct Waiting {
    raft::Term term;
    std::function<void()> applied;
  };

  Replica(log::GroupId group, GroupNote note, const ReplicaOptions& options, NodeHost& host,
          Owner owner);
  Status Start(raft::RecoveredState state);
  Status Woken(Status status);
  void Wake() { owner_.wake(*this); }

  void FollowLeadership();
  void ProposeQueued();
  void AskForReads();
  void Persist(raft::PersistRequest request);
  bool Install(const raft::SnapshotPoint& point);
  void Apply(const std::vector<raft::Entry>& entries);
  void SendSnapshot(raft::ReplicaId to);
  void SendNextChunk(raft::ReplicaId to);
  void AfterAnswerTime(std::function<void()> event);
  void WatchTransfer(raft::ReplicaId to, uint64_t stream, uint32_t number);

  const log::GroupId group_;
  GroupNote note_;
  const ReplicaOptions options_;
  NodeHost& host_;
  Owner owner_;
  std::unique_ptr<raft::RaftCore> raft_;

  raft::Term lead_term_;  // 0: does not lead, or not yet
  std::deque<Proposal> queued_;
  uint64_t queued_size_bytes_ = 0;
  std::map<raft::LogIndex, Waiting> proposed_;
  std::vector<std::function<void()>> to_confirm_;
  std::map<uint64_t, std::vector<std::function<void()>>> confirming_;  // by read token

  std::map<raft::ReplicaId, std::unique_ptr<SnapshotSender>> sending_;
  std::unique_ptr<SnapshotReceiver> receiving_;
  uint64_t stream_ = 0;
  bool pumping_ = false;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv
