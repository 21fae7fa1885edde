#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/tagged.h"
#include "kv/log/types.h"
#include "kv/mvcc/versions.h"
#include "raft/types.h"

namespace orochi::kv {

/// A node of the cluster, numbered by the meta group when it is admitted and never again. 0 is
/// nobody.
using NodeNumber = Tagged<uint32_t, struct NodeNumberTag>;

/// The group that knows all others: nodes, partitions, the limit of the timestamp oracle.
inline constexpr log::GroupId kMetaGroup{1};

/// Replicas are numbered so that a number says where the replica lives: the node above, below how
/// many replicas the node has had of this group.
constexpr raft::ReplicaId ReplicaOn(NodeNumber node, uint32_t life) {
  return raft::ReplicaId(uint64_t{node.value()} << 32 | life);
}
constexpr NodeNumber NodeOf(raft::ReplicaId replica) {
  return NodeNumber(static_cast<uint32_t>(replica.value() >> 32));
}
constexpr uint32_t LifeOf(raft::ReplicaId replica) {
  return static_cast<uint32_t>(replica.value());
}

enum class NodeState : uint8_t {
  kMember = 0,
  kDraining = 1,  // its replicas go elsewhere
  kGone = 2,      // forever; the number stays so that nobody takes it
  kDown = 3,      // not heard of for long: others take its replicas until it is back
};
inline constexpr NodeState kLastNodeState = NodeState::kDown;

struct NodeRecord {
  NodeNumber number;
  std::string identity{};  // what only this node has, 16 bytes drawn once
  // Where it was last: for other nodes, for gossip and for clients. Empty: not known.
  std::string address{};
  std::string gossip_address{};
  std::string http_address{};
  NodeState state = NodeState::kMember;

  friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

/// A contiguous part of the key space and the group that keeps it. The meta group is one, too,
/// with a span that holds no record.
struct Partition {
  log::GroupId group;
  KeySpan span{};
  std::vector<raft::ReplicaId> birth{};     // the group's first voters
  std::vector<raft::ReplicaId> replicas{};  // what its voters are to be
  /// The group has begun, its voters are `replicas`, and its configuration that says so is
  /// committed: replicas of it that are not among them may go.
  bool settled = true;

  bool HasReplicaOn(NodeNumber node) const {
    for (raft::ReplicaId const replica : replicas) {
      if (NodeOf(replica) == node) {
        return true;
      }
    }
    return false;
  }
};

}  // namespace orochi::kv
