#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"
#include "kv/meta/cluster_map.h"
#include "kv/meta/placement.h"

namespace orochi::kv::meta {

// What the leader of the meta group is asked for. Asking twice is as good as once: who gets no
// answer asks again.

/// Gives the node a number, or says the one it has and notes its addresses, as each node asks for
/// when it starts. Answer: the number, as a varint. kFailedPrecondition: it was sent away.
struct AdmitNode {
  std::string identity{};
  std::string address{};
  std::string gossip_address{};
  std::string http_address{};
};
/// Its replicas are to go elsewhere (kDraining), or it is gone for good; kMember takes draining
/// back. kNotFound, kFailedPrecondition: gone nodes do not come back.
struct SetNodeState {
  NodeNumber node;
  NodeState state = NodeState::kDraining;
};
/// A partition for each span, in order, placed on the ring. What is there already stays;
/// kAlreadyExists when a span overlaps a partition with other bounds.
struct CreatePartitions {
  std::vector<KeySpan> spans{};
};
/// The partitions go, with all that is in them.
struct DropPartitions {
  std::vector<KeySpan> spans{};
};
/// The leader of the group says that these are its voters and that this is committed.
struct ReportSettled {
  log::GroupId group;
  std::vector<raft::ReplicaId> voters{};
};
/// The voters of the group are to be these.
struct SetReplicas {
  log::GroupId group;
  std::vector<NodeNumber> nodes{};
};

/// Entries of the map and partitions change together, if nobody has changed the map since the one
/// that the change was made from. Partitions as CreatePartitions and DropPartitions have them.
/// Answer: the map's version then, as a varint. kAborted: the map is of another version. Without
/// changes it says the version, whatever the base.
struct ChangeEntries {
  uint64_t base_version = 0;
  std::vector<std::pair<std::string, std::string>> puts{};
  std::vector<std::string> drops{};
  std::vector<KeySpan> created{};
  std::vector<KeySpan> dropped{};
};

using Command = std::variant<AdmitNode, SetNodeState, CreatePartitions, DropPartitions,
                             ReportSettled, SetReplicas, ChangeEntries>;

std::string Encode(const Command& command);
/// kInvalidArgument when the bytes are none of Encode's.
Result<Command> Decode(std::string_view bytes);

/// What AdmitNode and ChangeEntries answer. kInternal when the answer is none of theirs.
Result<uint64_t> NumberIn(const Result<std::string>& answer);

struct Evaluation {
  WriteBatch batch{};  // empty: nothing changes
  std::string answer{};
};
/// What the command does to the meta group's state, of which `map` is what Load makes.
Result<Evaluation> Evaluate(const Reader& state, const ClusterMap& map, const Command& command,
                            const PlacementOptions& placement);

/// The state that the first leader of the meta group begins with: these nodes, and the meta group
/// itself on the first of them, as many as `placement` says.
WriteBatch BirthState(const std::vector<NodeRecord>& nodes, const PlacementOptions& placement);

/// What the placer would change now, of one partition; nothing when all are where they should be.
Evaluation Rearrange(const ClusterMap& map, const PlacementOptions& placement);

}  // namespace orochi::kv::meta
