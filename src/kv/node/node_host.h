#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "kv/engine/engine.h"
#include "kv/log/types.h"
#include "kv/node/peer_message.h"
#include "raft/raft_core.h"

namespace orochi::kv {

/// What a node stands on: its disk, its clock and the network. Nothing here answers from within the
/// call, and nothing after the node is destroyed.
class NodeHost {
 public:
  virtual ~NodeHost() = default;

  /// In order, or lost. Never to the node itself.
  virtual void Send(NodeNumber to, std::vector<PeerMessage> messages) = 0;

  // The log, as SegmentLog has it. Node::OnDurable says what is durable. An error is final: the
  // node is to stop (R13).
  virtual Status Append(log::GroupId group, raft::PersistRequest request) = 0;
  virtual Status Compact(log::GroupId group, raft::SnapshotPoint point) = 0;
  virtual Status Remove(log::GroupId group, raft::ReplicaId removed_below, uint64_t sequence) = 0;
  virtual raft::ReplicaId RemovedBelow(log::GroupId group) const = 0;

  virtual Engine& engine() = 0;
  virtual void After(int64_t delay_us, std::function<void()> event) = 0;
  virtual int64_t now_us() const = 0;   // that never goes back
  virtual int64_t wall_ms() const = 0;  // that may be wrong, and may jump
  virtual Random& random() = 0;
  /// The disk or the state is broken: nothing more of the node may be believed.
  virtual void Fail(Status status) = 0;
};

}  // namespace orochi::kv
