#include "kv/server/node_cluster.h"

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "kv/record/storage_key.h"

namespace orochi::kv {
namespace {

std::string NameOf(NodeState state) {
  switch (state) {
    case NodeState::kMember:
      return "member";
    case NodeState::kDraining:
      return "draining";
    case NodeState::kGone:
      return "gone";
    case NodeState::kDown:
      return "down";
  }
  return "?";
}

uint64_t ReplicasOn(const ClusterMap& map, NodeNumber node) {
  return static_cast<uint64_t>(
      std::count_if(map.partitions().begin(), map.partitions().end(),
                    [node](const auto& item) { return item.second.HasReplicaOn(node); }));
}

}  // namespace

http::ClusterNode NodeCluster::Describe(const NodeRecord& record) const {
  http::ClusterNode node{.number = record.number.value(),
                         .address = record.address,
                         .http = record.http_address,
                         .state = NameOf(record.state),
                         .replicas = ReplicasOn(node_.map(), record.number)};
  if (record.state != NodeState::kGone) {
    node.alive = record.number == self_ || !node_.absent().contains(record.number);
  }
  if (record.number == self_) {
    node.leads =
        static_cast<uint64_t>(std::count_if(node_.replicas().begin(), node_.replicas().end(),
                                            [](const auto& item) { return item.second->leads(); }));
  }
  return node;
}

std::string NodeCluster::CollectionOf(const Partition& partition) const {
  for (const Catalog::Collection& collection : catalog_.List()) {
    if (partition.span.begin.starts_with(CollectionPrefix(collection->id))) {
      return collection->definition.name;
    }
  }
  return {};
}

http::ClusterPartition NodeCluster::Describe(const Partition& partition) const {
  bool const is_meta = partition.group == kMetaGroup;
  http::ClusterPartition described{.group = partition.group.value(),
                                   .collection = is_meta ? "" : CollectionOf(partition),
                                   .begin = partition.span.begin,
                                   .end = partition.span.end,
                                   .settled = partition.settled};
  for (raft::ReplicaId const replica : partition.replicas) {
    described.replicas.push_back(NodeOf(replica).value());
  }
  NodeNumber const leader = node_.KnownLeader(partition.group);
  if (leader != NodeNumber()) {
    described.leader = leader.value();
  }
  if (node_.replicas().contains(partition.group) && !is_meta) {
    Result<uint64_t> const size = host_.engine().ApproximateSize(
        Family::kData, {.begin = partition.span.begin, .end = partition.span.end});
    if (size.ok()) {
      described.size_bytes = *size;
    }
  }
  return described;
}

http::ClusterOverview NodeCluster::Overview() {
  const ClusterMap& map = node_.map();
  http::ClusterOverview overview{
      .cluster = name_, .node = self_.value(), .map_version = map.version()};
  NodeNumber const leader = node_.KnownLeader(kMetaGroup);
  if (leader != NodeNumber()) {
    overview.meta_leader = leader.value();
  }
  for (const auto& [number, record] : map.nodes()) {
    overview.nodes.push_back(Describe(record));
  }
  return overview;
}

std::vector<http::ClusterPartition> NodeCluster::Partitions() {
  std::vector<http::ClusterPartition> partitions;
  for (const auto& [group, partition] : node_.map().partitions()) {
    partitions.push_back(Describe(partition));
  }
  auto const rank = [](const http::ClusterPartition& one) {
    return std::pair(one.group != kMetaGroup.value(), std::string_view(one.begin));
  };
  std::sort(partitions.begin(), partitions.end(),
            [&](const auto& one, const auto& other) { return rank(one) < rank(other); });
  return partitions;
}

Result<http::ClusterPartition> NodeCluster::Find(uint64_t group) const {
  const Partition* const partition = node_.map().Find(log::GroupId(group));
  if (partition == nullptr) {
    return Status::NotFound(StrCat("there is no partition with group ", group));
  }
  return Describe(*partition);
}

void NodeCluster::ChangeNode(uint32_t node, http::NodeChange change,
                             std::function<void(Result<http::ClusterNode>)> done) {
  NodeNumber const number(node);
  auto const known = node_.map().nodes().find(number);
  if (known == node_.map().nodes().end()) {
    done(Status::NotFound(StrCat("there is no node ", node)));
    return;
  }
  uint64_t const replicas = ReplicasOn(node_.map(), number);
  if (change == http::NodeChange::kRemove && replicas > 0) {
    done(Status::FailedPrecondition(
             StrCat("node ", node, " has replicas of ", replicas, " partitions"))
             .WithHint("Drain it first; when it is lost, force it: what it had is made anew from "
                       "the other replicas."));
    return;
  }
  NodeState const state = change == http::NodeChange::kDrain     ? NodeState::kDraining
                          : change == http::NodeChange::kUndrain ? NodeState::kMember
                                                                 : NodeState::kGone;
  node_.AskMeta(meta::SetNodeState{.node = number, .state = state},
                [record = known->second, state, done = std::move(done),
                 this](const Result<std::string>& answer) mutable {
                  if (!answer.ok()) {
                    done(answer.status());
                    return;
                  }
                  record.state = state;
                  done(Describe(record));
                });
}

void NodeCluster::Move(uint64_t group, const std::vector<uint32_t>& nodes,
                       std::function<void(Result<http::ClusterPartition>)> done) {
  meta::SetReplicas move{.group = log::GroupId(group)};
  for (uint32_t const node : nodes) {
    move.nodes.emplace_back(node);
  }
  node_.AskMeta(move,
                [this, group, nodes, done = std::move(done)](const Result<std::string>& answer) {
                  Result<http::ClusterPartition> partition =
                      answer.ok() ? Find(group) : Result<http::ClusterPartition>(answer.status());
                  if (partition.ok()) {
                    partition->replicas = nodes;
                  }
                  done(std::move(partition));
                });
}

Result<http::ClusterPartition> NodeCluster::Lead(uint64_t group, uint32_t node) {
  ASSIGN_OR_RETURN(http::ClusterPartition partition, Find(group));
  RETURN_IF_ERROR(node_.HandOver(log::GroupId(group), NodeNumber(node)));
  return partition;
}

}  // namespace orochi::kv
