#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace orochi::kv::http {

struct ClusterNode {
  uint32_t number = 0;
  std::string address{};  // for nodes
  std::string http{};     // for clients; empty: not known
  std::string state{};    // member, draining, gone, down
  std::optional<bool> alive{};
  uint64_t replicas = 0;
  std::optional<uint64_t> leads{};
};

struct ClusterPartition {
  uint64_t group = 0;
  std::string collection{};  // empty: the meta group, or not known
  std::string begin{};
  std::string end{};
  std::vector<uint32_t> replicas{};  // nodes
  std::optional<uint32_t> leader{};
  bool settled = true;
  std::optional<uint64_t> size_bytes{};  // where this node has a replica
};

struct ClusterOverview {
  std::string cluster{};
  uint32_t node = 0;  // who says so
  uint64_t map_version = 0;
  std::optional<uint32_t> meta_leader{};
  std::vector<ClusterNode> nodes{};
};

enum class NodeChange : uint8_t {
  kDrain,
  kUndrain,
  kRemove,       // for good; kFailedPrecondition while it has replicas
  kRemoveForce,  // and what it has is lost
};

/// The cluster as a node sees it, and changes of it. What is not there is not known here.
///
/// Threads: the loop's. `done` is called once.
class ClusterControl {
 public:
  virtual ~ClusterControl() = default;

  virtual ClusterOverview Overview() = 0;
  /// The meta group first, then in the order of keys.
  virtual std::vector<ClusterPartition> Partitions() = 0;
  virtual void ChangeNode(uint32_t node, NodeChange change,
                          std::function<void(Result<ClusterNode>)> done) = 0;
  virtual void Move(uint64_t group, const std::vector<uint32_t>& nodes,
                    std::function<void(Result<ClusterPartition>)> done) = 0;
  /// Of a partition that this node leads.
  virtual Result<ClusterPartition> Lead(uint64_t group, uint32_t node) = 0;
};

}  // namespace orochi::kv::http
