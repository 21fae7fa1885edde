#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "kv/meta/cluster_map.h"

namespace orochi::kv {

struct PlacementOptions {
  size_t replica_count = 3;
  /// The meta group's, when there are so many nodes: without it nothing goes on.
  size_t meta_replica_count = 5;
  /// Partitions of the whole cluster for each of its nodes: a group that nobody uses costs, too.
  size_t partition_count_max = 128;
  /// Nodes that cannot be reached now: others come first, and no replica moves to them.
  std::set<NodeNumber> absent{};
  uint32_t virtual_node_count = 16;  // of each node on the ring
};

/// How many replicas the group should have, with so many nodes that take any.
size_t ReplicaCount(log::GroupId group, size_t node_count, const PlacementOptions& options);

/// Where replicas of the partition that begins at `key` should live: the ring is walked from the
/// key's hash on, taking each node once. Nodes that are not there for data are passed over, and
/// absent ones come last.
/// Adding a node moves only what it takes; consistent hashing after Karger et al., STOC 1997.
std::vector<NodeNumber> ProposeNodes(const ClusterMap& map, std::string_view key, size_t count,
                                     const PlacementOptions& options);

/// What the partition's replicas should be: those that are on members stay, as far as there are not
/// too many; what lacks comes from the proposed nodes, with `life`, which no replica of the group
/// has had on them. Where nobody can take its place, a replica stays on a node that drains or is
/// down. Sorted.
std::vector<raft::ReplicaId> ProposeReplicas(const ClusterMap& map, const Partition& partition,
                                             uint32_t life, const PlacementOptions& options);

/// One move that brings the numbers of replicas on members closer to each other: what the replicas
/// of one partition should be then. Nothing when none differs by two or more from another.
std::optional<Partition> ProposeBalance(const ClusterMap& map, uint32_t life,
                                        const PlacementOptions& options);

/// Who should lead the partition, if it can: the same at every node, and spread over the members.
/// Highest random weight, after Thaler and Ravishankar, 1998. kNobody: no replica is on a member.
raft::ReplicaId PreferredLeader(const ClusterMap& map, const Partition& partition);

}  // namespace orochi::kv
