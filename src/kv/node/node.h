#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kv/log/segment_log.h"
#include "kv/meta/cluster_map.h"
#include "kv/node/meta_leader.h"
#include "kv/node/node_host.h"
#include "kv/node/partition_leader.h"
#include "kv/node/replica.h"

namespace orochi::kv {

struct NodeOptions {
  NodeNumber number;
  ReplicaOptions replica{};
  PartitionOptions partition{};
  MetaLeader::Options meta{};
  int64_t answer_within_us = 2'000'000;  // then a call counts as unanswered
  int64_t stamp_within_us = 300'000;     // then another is asked
  int64_t ask_again_us = 20'000;         // where nobody leads
  int maintain_every_ticks = 20;         // flush, compact, ask for the map, see who leads
  int arrange_every_ticks = 4;           // the next step of moves
  int64_t hand_over_wait_us = 300'000;   // for requests under way
  int64_t hand_over_within_us = 1'500'000;
};

/// A node of the cluster: replicas of many groups, the leaders among them, and the way to those on
/// other nodes. Pure: what happens outside comes in by calls, and goes out by its host.
///
/// Life:    Bootstrap or Recover -> inputs, and Flush after each, or after some together.
/// Threads: none.    Borrows: host, rules.
class Node final : public CoordinatorHost {
 public:
  Node(NodeHost& host, const OperationRules& rules, const NodeOptions& options);
  ~Node() override;

  /// The first nodes of a new cluster, the same on each of them.
  Status Bootstrap(const std::vector<NodeRecord>& nodes);
  /// A node that has been admitted: whom it can ask for the map.
  void Join(ClusterMap map);
  /// What the log has of groups. Damaged groups are left out; they come back as other replicas.
  Status Recover(std::vector<std::pair<log::GroupId, raft::RecoveredState>> logged);

  void Receive(NodeNumber from, PeerMessage message);
  void OnDurable(const std::vector<log::Completion>& completions);
  /// Raft's clock.
  void Tick();
  /// Who cannot be reached, as far as the host knows. It may be wrong.
  void SetAbsent(std::set<NodeNumber> absent) { absent_ = std::move(absent); }
  const std::set<NodeNumber>& absent() const { return absent_; }
  /// Who leads the group, as far as this node knows. kNobody's number, 0: it does not.
  NodeNumber KnownLeader(log::GroupId group) const;
  /// Does what the inputs since the last call have led to, and sends what there is to say.
  void Flush();

  // CoordinatorHost: for transactions of this node's clients.
  void Stamp(std::function<void(Timestamp)> stamped) override;
  void Send(const std::string& key, Request request,
            std::function<void(std::optional<Result<Answer>>)> answered) override;
  std::vector<KeySpan> Cut(const KeySpan& span) override { return map_.Cut(span); }
  void After(int64_t delay_us, std::function<void()> event) override;

  /// To the meta group; asked again until somebody answers or time is over (kOutcomeUnknown).
  void AskMeta(const meta::Command& command, std::function<void(Result<std::string>)> answered);

  const ClusterMap& map() const { return map_; }
  /// Once the map is of this version or a later one; kUnavailable when it is not in time.
  void AwaitMap(uint64_t version, std::function<void(Status)> done);
  const std::map<log::GroupId, std::unique_ptr<Replica>>& replicas() const { return replicas_; }
  Replica* FindReplica(log::GroupId group);

  /// Gives the group's leadership to the node, once what is under way is answered; in the meantime
  /// nothing new is taken. When it does not come to that soon, this node goes on leading.
  /// kFailedPrecondition: it does not lead, or the other has no replica that could.
  Status HandOver(log::GroupId group, NodeNumber to);
  /// Gives all that it leads to whoever is best off, before a stop.
  void HandOverAll();
  /// Whether nothing of HandOverAll is under way any more.
  bool HasHandedOver() const { return handing_over_.empty(); }

 private:
  struct Call {
    log::GroupId group;
    Request request{};
    std::function<void(std::optional<Result<Answer>>)> answered;
    int64_t until_us = 0;
    size_t attempt = 0;
  };
  struct OpenMetaCall {
    std::string command{};
    std::function<void(Result<std::string>)> answered;
    int64_t until_us = 0;
    size_t attempt = 0;
  };
  class Answering;
  // Of removals, where completions of a replica's appends count from 0.
  static constexpr uint64_t kRemovalSequence = UINT64_MAX;

  // node.cc
  Replica::Owner OwnerOf();
  Status Add(Result<std::unique_ptr<Replica>> replica);
  void OnLeads(Replica& replica, bool leads);
  void OnApplied(Replica& replica);
  void Maintain();
  void Arrange();
  void SendTo(NodeNumber node, PeerMessage message);
  void Deliver();
  void Defer(std::function<void()> event) { deferred_.push_back(std::move(event)); }

  // arrangement.cc
  void TakeMap(ClusterMap map);
  void FollowMap();
  bool KnowsOf(const Replica& replica) const;
  bool FollowPartition(const Partition& partition);
  void RemoveReplica(log::GroupId group);
  void FinishRemoval(log::GroupId group);
  void MoveReplicas();
  void AskForMap();
  void TellAwaited();

  // leadership.cc
  void LeadWherePreferred();
  enum class Haste : uint8_t { kGiveUp, kGoOn };  // when requests are not answered in time
  void HandOver(log::GroupId group, raft::ReplicaId to, Haste haste);
  void ContinueHandingOver(log::GroupId group);
  raft::ReplicaId BestFollower(const Replica& replica) const;

  // calls.cc
  void Handle(NodeNumber from, RaftMessage message);
  void Handle(NodeNumber from, PartitionCall call);
  void Handle(NodeNumber from, PartitionReply reply);
  void Handle(NodeNumber from, const StampCall& call);
  void Handle(NodeNumber from, const StampReply& reply);
  void Handle(NodeNumber from, const MetaCall& call);
  void Handle(NodeNumber from, MetaReply reply);
  void Handle(NodeNumber from, const MapCall& call);
  void Handle(NodeNumber from, const MapReply& reply);
  void Handle(NodeNumber from, SnapshotChunk chunk);
  void Handle(NodeNumber from, const SnapshotReceived& answer);

  NodeNumber LeaderToAsk(log::GroupId group, size_t attempt);
  NodeNumber LeaderKnownTo(log::GroupId group);
  void Attempt(uint64_t id);
  void AttemptAgain(uint64_t id, NodeNumber leader);
  void Serve(log::GroupId group, Request request, std::function<void(PartitionReply)> reply);
  void Finish(uint64_t id, std::optional<Result<Answer>> answer);
  void AskForStamps();
  void ServeStamps(uint64_t count, std::function<void(StampReply)> reply);
  void AttemptMeta(uint64_t id);
  void ServeMeta(const std::string& command, std::function<void(MetaReply)> reply);

  NodeHost& host_;
  const OperationRules& rules_;
  NodeOptions options_;

  ClusterMap map_;
  std::map<log::GroupId, std::unique_ptr<Replica>> replicas_;
  std::map<log::GroupId, std::unique_ptr<PartitionLeader>> leaders_;
  std::unique_ptr<MetaLeader> meta_leader_;
  std::map<log::GroupId, NodeNumber> leader_hints_;
  std::map<log::GroupId, size_t> unanswered_;  // how many calls
  std::map<log::GroupId, std::pair<raft::ReplicaId, KeySpan>> removing_;
  std::set<log::GroupId> awake_;
  std::vector<std::function<void()>> deferred_;
  std::map<NodeNumber, std::vector<PeerMessage>> outbox_;
  int ticks_ = 0;
  bool map_changed_ = false;
  NodeNumber map_asked_;  // whom last

  uint64_t last_call_;
  std::map<uint64_t, Call> calls_;
  std::map<uint64_t, OpenMetaCall> meta_calls_;
  std::vector<std::function<void(Timestamp)>> stamps_wanted_;
  std::vector<std::function<void(Timestamp)>> stamps_asked_;  // by stamp_call_
  uint64_t stamp_call_ = 0;                                   // 0: none is under way
  size_t stamp_attempt_ = 0;
  struct Awaiting {
    uint64_t version;
    std::function<void(Status)> done;
  };
  std::map<uint64_t, Awaiting> awaiting_map_;
  std::set<log::GroupId> reporting_;  // that they have settled
  struct HandingOver {
    raft::ReplicaId to;
    Haste haste = Haste::kGoOn;
    int64_t since_us = 0;
    bool is_sent = false;
  };
  std::map<log::GroupId, HandingOver> handing_over_;
  std::map<log::GroupId, size_t> serving_;  // requests without an answer yet
  std::set<NodeNumber> absent_;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv
