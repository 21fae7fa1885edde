#pragma once

#include <cstdint>
#include <vector>

#include "kv/gateway/gateway.h"
#include "kv/metrics/metrics.h"
#include "kv/node/node.h"

namespace orochi::kv {

/// Numbers of a node's core as of one moment.
struct NodeSample {
  struct Group {
    uint64_t group = 0;
    uint64_t term = 0;
    uint64_t applied = 0;
    uint64_t committed = 0;
    uint64_t lag = 0;  // of a leader: entries that its slowest follower has not
    bool leads = false;
  };
  std::vector<Group> groups{};  // the first of them, by number
  uint64_t replica_count = 0;
  uint64_t leader_count = 0;
  uint64_t backlog = 0;  // entries committed and not applied, of all groups
  uint64_t lag_max = 0;
  uint64_t leaderless_count = 0;  // replicas that know of no leader
  uint64_t map_version = 0;
  uint64_t node_count = 0;
  uint64_t partition_count = 0;
  uint64_t unsettled_count = 0;  // partitions that move
  uint64_t collection_count = 0;
  uint64_t open_transaction_count = 0;
  GatewayStatistics transactions{};
};

/// On the loop; a few words for each group.
NodeSample TakeSample(const Node& node, Gateway& gateway);
/// Anywhere.
void AddSample(const NodeSample& sample, metrics::Samples& samples);

}  // namespace orochi::kv
