#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "kv/gateway/catalog.h"
#include "kv/http/cluster_control.h"
#include "kv/node/node.h"

namespace orochi::kv {

/// The cluster as this node knows it, for its HTTP service.
///
/// Threads: the loop's.    Borrows: all.
class NodeCluster final : public http::ClusterControl {
 public:
  NodeCluster(Node& node, NodeHost& host, const Catalog& catalog, std::string name, NodeNumber self)
      : node_(node), host_(host), catalog_(catalog), name_(std::move(name)), self_(self) {}

  http::ClusterOverview Overview() override;
  std::vector<http::ClusterPartition> Partitions() override;
  void ChangeNode(uint32_t node, http::NodeChange change,
                  std::function<void(Result<http::ClusterNode>)> done) override;
  void Move(uint64_t group, const std::vector<uint32_t>& nodes,
            std::function<void(Result<http::ClusterPartition>)> done) override;
  Result<http::ClusterPartition> Lead(uint64_t group, uint32_t node) override;

 private:
  http::ClusterNode Describe(const NodeRecord& record) const;
  http::ClusterPartition Describe(const Partition& partition) const;
  Result<http::ClusterPartition> Find(uint64_t group) const;
  std::string CollectionOf(const Partition& partition) const;

  Node& node_;
  NodeHost& host_;
  const Catalog& catalog_;
  const std::string name_;
  const NodeNumber self_;
};

}  // namespace orochi::kv
