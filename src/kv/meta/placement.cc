#include "kv/meta/placement.h"

#include <algorithm>
#include <map>
#include <string>

#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

// FNV-1a and a finalizer: the ring only needs places that are far apart, the same everywhere.
uint64_t PlaceOf(std::string_view bytes) {
  uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (char const byte : bytes) {
    hash = (hash ^ static_cast<uint8_t>(byte)) * 1'099'511'628'211ULL;
  }
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDULL;
  hash ^= hash >> 33;
  return hash;
}

std::map<uint64_t, NodeNumber> RingOf(const ClusterMap& map, uint32_t virtual_node_count) {
  std::map<uint64_t, NodeNumber> ring;
  for (const auto& [number, node] : map.nodes()) {
    if (node.state != NodeState::kMember) {
      continue;
    }
    for (uint32_t place = 0; place < virtual_node_count; ++place) {
      std::string name = node.identity;
      AppendBigEndian(name, place);
      ring.emplace(PlaceOf(name), number);
    }
  }
  return ring;
}

}  // namespace

std::vector<NodeNumber> ProposeNodes(const ClusterMap& map, std::string_view key,
                                     const PlacementOptions& options) {
  std::vector<NodeNumber> nodes;
  auto const ring = RingOf(map, options.virtual_node_count);
  auto next = ring.lower_bound(PlaceOf(key));
  for (size_t seen = 0; seen < ring.size() && nodes.size() < options.replica_count; ++seen) {
    if (next == ring.end()) {
      next = ring.begin();
    }
    if (std::find(nodes.begin(), nodes.end(), next->second) == nodes.end()) {
      nodes.push_back(next->second);
    }
    ++next;
  }
  return nodes;
}

std::vector<raft::ReplicaId> ProposeReplicas(const ClusterMap& map, const Partition& partition,
                                             uint32_t life, const PlacementOptions& options) {
  std::vector<raft::ReplicaId> replicas;
  for (raft::ReplicaId const replica : partition.replicas) {
    auto const node = map.nodes().find(NodeOf(replica));
    if (node != map.nodes().end() && node->second.state == NodeState::kMember &&
        replicas.size() < options.replica_count) {
      replicas.push_back(replica);
    }
  }
  for (NodeNumber const node : ProposeNodes(map, partition.span.begin, options)) {
    bool const is_there =
        std::any_of(replicas.begin(), replicas.end(),
                    [node](raft::ReplicaId const replica) { return NodeOf(replica) == node; });
    if (!is_there && replicas.size() < options.replica_count) {
      replicas.push_back(ReplicaOn(node, life));
    }
  }
  std::sort(replicas.begin(), replicas.end());
  return replicas;
}

}  // namespace orochi::kv
