#include "kv/server/node_sample.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kv/server/server_metrics.h"

namespace orochi::kv {
namespace {

NodeSample::Group SampleGroup(const Replica& replica) {
  const raft::RaftCore& raft = replica.raft();
  const raft::Log& log = raft.log();
  NodeSample::Group group{.group = replica.group().value(),
                          .term = raft.term().value(),
                          .applied = log.applied().value(),
                          .committed = log.committed().value(),
                          .leads = replica.leads()};
  if (group.leads) {
    for (const auto& [id, progress] : raft.progress()) {
      if (progress.match < log.last_index()) {
        group.lag = std::max(group.lag, raft::Distance(progress.match, log.last_index()));
      }
    }
  }
  return group;
}

void AddGroup(const NodeSample::Group& group, metrics::Samples& samples) {
  metrics::Labels const labels = {{"group", std::to_string(group.group)}};
  auto const gauge = [&](const char* name, const char* help, uint64_t value) {
    samples.Gauge(name, help, static_cast<double>(value), labels);
  };
  gauge("orochi_kv_group_applied_index", "The last entry in the state.", group.applied);
  gauge("orochi_kv_group_committed_index", "The last entry known to be committed.",
        group.committed);
  gauge("orochi_kv_group_term", "Raft's term.", group.term);
  gauge("orochi_kv_group_leads", "1 while this node leads.", group.leads ? 1 : 0);
  if (group.leads) {
    gauge("orochi_kv_group_follower_lag_entries", "Entries that the slowest follower has not.",
          group.lag);
  }
}

void AddTransactions(const NodeSample& sample, metrics::Samples& samples) {
  const GatewayStatistics& counts = sample.transactions;
  auto const ended = [&](const char* kind, const char* outcome, uint64_t count) {
    samples.Counter("orochi_kv_transactions_total",
                    "Transactions that ended here: of clients, or single requests.",
                    static_cast<double>(count), {{"kind", kind}, {"outcome", outcome}});
  };
  ended("client", "committed", counts.committed);
  ended("client", "aborted", counts.aborted);
  ended("client", "unknown", counts.unknown);
  ended("single", "committed", counts.single_committed);
  ended("single", "condition", counts.single_condition);
  ended("single", "conflict", counts.single_conflict);
  ended("single", "unknown", counts.single_unknown);
  ended("single", "failed", counts.single_failed);
  samples.Counter("orochi_kv_transactions_begun_total", "Transactions that clients began.",
                  static_cast<double>(counts.begun));
  samples.Counter("orochi_kv_transactions_idle_total", "Transactions aborted for being idle.",
                  static_cast<double>(counts.idle));
  samples.Counter("orochi_kv_transaction_restarts_total",
                  "Single requests begun anew after a conflict.",
                  static_cast<double>(counts.restarted));
  samples.Gauge("orochi_kv_open_transactions", "Transactions of clients that are open here.",
                static_cast<double>(sample.open_transaction_count));
}

}  // namespace

NodeSample TakeSample(const Node& node, Gateway& gateway) {
  NodeSample sample{.replica_count = node.replicas().size(),
                    .map_version = node.map().version(),
                    .partition_count = node.map().partitions().size(),
                    .collection_count = gateway.catalog().List().size(),
                    .open_transaction_count = gateway.open_transaction_count(),
                    .transactions = gateway.statistics()};
  for (const auto& [number, replica] : node.replicas()) {
    NodeSample::Group const group = SampleGroup(*replica);
    sample.leader_count += group.leads ? 1 : 0;
    sample.backlog += group.committed - std::min(group.applied, group.committed);
    sample.lag_max = std::max(sample.lag_max, group.lag);
    sample.leaderless_count += replica->raft().leader() == raft::kNobody ? 1 : 0;
    if (sample.groups.size() < kGroupLabelCountMax) {
      sample.groups.push_back(group);
    }
  }
  for (const auto& [number, record] : node.map().nodes()) {
    sample.node_count += record.state == NodeState::kGone ? 0 : 1;
  }
  for (const auto& [group, partition] : node.map().partitions()) {
    sample.unsettled_count += partition.settled ? 0 : 1;
  }
  return sample;
}

void AddSample(const NodeSample& sample, metrics::Samples& samples) {
  auto const gauge = [&](const char* name, const char* help, uint64_t value) {
    samples.Gauge(name, help, static_cast<double>(value));
  };
  gauge("orochi_kv_replicas", "Replicas of groups on this node.", sample.replica_count);
  gauge("orochi_kv_leaders", "Groups that this node leads.", sample.leader_count);
  gauge("orochi_kv_leaderless_replicas", "Replicas that know of no leader.",
        sample.leaderless_count);
  gauge("orochi_kv_apply_backlog_entries", "Entries committed and not applied, of all groups.",
        sample.backlog);
  gauge("orochi_kv_follower_lag_entries",
        "Entries that the slowest follower of a group led here has not.", sample.lag_max);
  gauge("orochi_kv_map_version", "Version of the cluster's map known here.", sample.map_version);
  gauge("orochi_kv_nodes", "Nodes of the cluster.", sample.node_count);
  gauge("orochi_kv_partitions", "Groups of the cluster, with the meta group.",
        sample.partition_count);
  gauge("orochi_kv_moving_partitions", "Groups whose replicas are not where they shall be.",
        sample.unsettled_count);
  gauge("orochi_kv_collections", "Collections known here.", sample.collection_count);
  for (const NodeSample::Group& group : sample.groups) {
    AddGroup(group, samples);
  }
  AddTransactions(sample, samples);
}

}  // namespace orochi::kv
