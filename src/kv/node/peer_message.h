#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"
#include "kv/log/types.h"
#include "kv/meta/types.h"
#include "kv/txn/requests.h"
#include "raft/message.h"

namespace orochi::kv {

/// What nodes say to each other. A message may be lost, with all that follow it until the stream is
/// there again; never twice, and in order between two nodes.

struct RaftMessage {
  log::GroupId group;
  raft::Message message{};
};

/// To the leader of a partition.
struct PartitionCall {
  uint64_t call = 0;  // of the caller's, never used twice in its life
  log::GroupId group;
  Request request{};
};
struct PartitionReply {
  enum class Kind : uint8_t {
    kAnswer = 0,
    kError = 1,      // it cannot succeed; nothing happened
    kNotLeader = 2,  // nothing happened; ask `leader`, if it is anybody
    kLost = 3,       // the leader leads no more: it may or may not have happened
  };
  uint64_t call = 0;
  Kind kind = Kind::kAnswer;
  Answer answer{};
  StatusCode code = StatusCode::kOk;
  std::string message{};
  NodeNumber leader{};
};

/// To the leader of the meta group: timestamps.
struct StampCall {
  uint64_t call = 0;
  uint64_t count = 0;
};
struct StampReply {
  uint64_t call = 0;
  Timestamp first{};  // kNever: not the leader
  NodeNumber leader{};
};

/// To the leader of the meta group: a change of the cluster (docs/formats/kv-meta.md).
struct MetaCall {
  uint64_t call = 0;
  std::string command{};
};
struct MetaReply {
  uint64_t call = 0;
  PartitionReply::Kind kind = PartitionReply::Kind::kAnswer;
  std::string answer{};
  StatusCode code = StatusCode::kOk;
  NodeNumber leader{};
};

/// To any node with a replica of the meta group: its map, if that is newer.
struct MapCall {
  uint64_t version = 0;
};
struct MapReply {
  std::string map{};  // ClusterMap::Encode
};

/// One piece of a replica's state for another.
struct SnapshotChunk {
  log::GroupId group;
  raft::ReplicaId from{};
  raft::ReplicaId to{};
  raft::Term term{};
  raft::SnapshotPoint point{};
  uint64_t stream = 0;  // of the sender's, never used twice in its life
  uint32_t number = 0;  // from 0 on
  std::string bytes{};
};
struct SnapshotReceived {
  log::GroupId group;
  raft::ReplicaId to{};  // the sender
  uint64_t stream = 0;
  uint32_t number = 0;
  bool accepted = false;  // false: the rest need not come
};

using PeerMessage =
    std::variant<RaftMessage, PartitionCall, PartitionReply, StampCall, StampReply, MetaCall,
                 MetaReply, MapCall, MapReply, SnapshotChunk, SnapshotReceived>;

}  // namespace orochi::kv
