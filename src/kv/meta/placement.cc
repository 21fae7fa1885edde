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

bool IsOnMember(const ClusterMap& map, raft::ReplicaId replica) {
  auto const node = map.nodes().find(NodeOf(replica));
  return node != map.nodes().end() && node->second.state == NodeState::kMember;
}

bool MayStay(const ClusterMap& map, raft::ReplicaId replica) {
  auto const node = map.nodes().find(NodeOf(replica));
  return node != map.nodes().end() && node->second.state != NodeState::kGone;
}

}  // namespace

size_t ReplicaCount(log::GroupId group, size_t node_count, const PlacementOptions& options) {
  bool const has_more = group == kMetaGroup && node_count >= options.meta_replica_count;
  return has_more ? std::max(options.replica_count, options.meta_replica_count)
                  : options.replica_count;
}

std::vector<NodeNumber> ProposeNodes(const ClusterMap& map, std::string_view key, size_t count,
                                     const PlacementOptions& options) {
  std::vector<NodeNumber> nodes;
  auto const ring = RingOf(map, options.virtual_node_count);
  for (bool const absent : {false, true}) {
    auto next = ring.lower_bound(PlaceOf(key));
    for (size_t seen = 0; seen < ring.size() && nodes.size() < count; ++seen) {
      if (next == ring.end()) {
        next = ring.begin();
      }
      if (options.absent.contains(next->second) == absent &&
          std::find(nodes.begin(), nodes.end(), next->second) == nodes.end()) {
        nodes.push_back(next->second);
      }
      ++next;
    }
  }
  return nodes;
}

std::vector<raft::ReplicaId> ProposeReplicas(const ClusterMap& map, const Partition& partition,
                                             uint32_t life, const PlacementOptions& options) {
  auto const members = std::count_if(map.nodes().begin(), map.nodes().end(), [](const auto& item) {
    return item.second.state == NodeState::kMember;
  });
  size_t const count = ReplicaCount(partition.group, static_cast<size_t>(members), options);
  std::vector<raft::ReplicaId> replicas;
  for (raft::ReplicaId const replica : partition.replicas) {
    if (IsOnMember(map, replica) && replicas.size() < count) {
      replicas.push_back(replica);
    }
  }
  for (NodeNumber const node : ProposeNodes(map, partition.span.begin, count, options)) {
    bool const is_there =
        std::any_of(replicas.begin(), replicas.end(),
                    [node](raft::ReplicaId const replica) { return NodeOf(replica) == node; });
    bool const is_birth = partition.replicas.empty();
    if (!is_there && replicas.size() < count && (is_birth || !options.absent.contains(node))) {
      replicas.push_back(ReplicaOn(node, life));
    }
  }
  for (raft::ReplicaId const replica : partition.replicas) {
    if (!IsOnMember(map, replica) && MayStay(map, replica) && replicas.size() < count) {
      replicas.push_back(replica);
    }
  }
  std::sort(replicas.begin(), replicas.end());
  return replicas;
}

std::optional<Partition> ProposeBalance(const ClusterMap& map, uint32_t life,
                                        const PlacementOptions& options) {
  std::map<NodeNumber, size_t> counts;
  for (const auto& [number, node] : map.nodes()) {
    if (node.state == NodeState::kMember && !options.absent.contains(number)) {
      counts.emplace(number, 0);
    }
  }
  for (const auto& [group, partition] : map.partitions()) {
    for (raft::ReplicaId const replica : partition.replicas) {
      if (auto const counted = counts.find(NodeOf(replica)); counted != counts.end()) {
        ++counted->second;
      }
    }
  }
  auto const fewer = [](const auto& one, const auto& other) { return one.second < other.second; };
  auto const least = std::min_element(counts.begin(), counts.end(), fewer);
  auto const most = std::max_element(counts.begin(), counts.end(), fewer);
  if (counts.empty() || most->second < least->second + 2) {
    return std::nullopt;
  }
  for (const auto& [group, partition] : map.partitions()) {
    if (!partition.HasReplicaOn(most->first) || partition.HasReplicaOn(least->first)) {
      continue;
    }
    Partition moved = partition;
    for (raft::ReplicaId& replica : moved.replicas) {
      if (NodeOf(replica) == most->first) {
        replica = ReplicaOn(least->first, life);
      }
    }
    std::sort(moved.replicas.begin(), moved.replicas.end());
    return moved;
  }
  return std::nullopt;
}

raft::ReplicaId PreferredLeader(const ClusterMap& map, const Partition& partition) {
  raft::ReplicaId preferred = raft::kNobody;
  uint64_t greatest = 0;
  for (raft::ReplicaId const replica : partition.replicas) {
    std::string name;
    AppendBigEndian(name, partition.group.value());
    AppendBigEndian(name, NodeOf(replica).value());
    uint64_t const weight = PlaceOf(name);
    if (IsOnMember(map, replica) && (preferred == raft::kNobody || weight > greatest)) {
      preferred = replica;
      greatest = weight;
    }
  }
  return preferred;
}

}  // namespace orochi::kv
