#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kv/meta/cluster_map.h"

namespace orochi::kv {

struct PlacementOptions {
  size_t replica_count = 3;
  uint32_t virtual_node_count = 16;  // of each node on the ring
};

/// Where replicas of the partition that begins at `key` should live: the ring is walked from the
/// key's hash on, taking each node once. Nodes that are not there for data are passed over.
/// Adding a node moves only what it takes; consistent hashing after Karger et al., STOC 1997.
std::vector<NodeNumber> ProposeNodes(const ClusterMap& map, std::string_view key,
                                     const PlacementOptions& options);

/// What the partition's replicas should be: those that are on members stay, as far as there are not
/// too many; what lacks comes from the proposed nodes, with `life`, which no replica of the group
/// has had on them. Sorted.
std::vector<raft::ReplicaId> ProposeReplicas(const ClusterMap& map, const Partition& partition,
                                             uint32_t life, const PlacementOptions& options);

}  // namespace orochi::kv
