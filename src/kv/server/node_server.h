#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/posix/posix_file_system.h"
#include "io/posix/system_clock.h"
#include "io/posix/system_random.h"
#include "kv/catalog/cluster_catalog.h"
#include "kv/gateway/gateway.h"
#include "kv/http/server.h"
#include "kv/http/service.h"
#include "kv/log/file_device.h"
#include "kv/log/log_writer.h"
#include "kv/node/node.h"
#include "kv/operation/record_rules.h"
#include "kv/peer/peer_transport.h"
#include "kv/runtime/event_loop.h"
#include "kv/server/server_metrics.h"

namespace orochi::kv {

struct NodeServerOptions {
  std::string data_directory;
  std::string cluster;  // its name, the same on all nodes
  NodeNumber number;
  /// The cluster's first nodes, the same on each: where they hear each other.
  struct Peer {
    NodeNumber number;
    std::string address;
  };
  std::vector<Peer> peers;
  std::optional<peer::TlsFiles> tls;  // between nodes
  http::ServerOptions http;
  int64_t tick_us = 50'000;
};

/// A node of the key-value store as a process has it: the core on its loop, the log's thread, the
/// engine's files, streams to other nodes, HTTP for clients.
///
/// A data directory belongs to one node of one cluster; the file `node` in it says which.
///
/// Life:    Start -> Stop. Destroying it stops it.
/// Threads: Start and Stop from one that is not the loop's.
class NodeServer final : public NodeHost, public http::Executor {
 public:
  /// kFailedPrecondition: the directory is another node's, or its first start was interrupted.
  static Result<std::unique_ptr<NodeServer>> Start(NodeServerOptions options);
  ~NodeServer() override;

  int http_port() const { return http_->port(); }
  void Stop();

  // NodeHost, on the loop.
  void Send(NodeNumber to, std::vector<PeerMessage> messages) override;
  Status Append(log::GroupId group, raft::PersistRequest request) override;
  Status Compact(log::GroupId group, raft::SnapshotPoint point) override;
  Status Remove(log::GroupId group, raft::ReplicaId removed_below, uint64_t sequence) override;
  raft::ReplicaId RemovedBelow(log::GroupId group) const override;
  Engine& engine() override { return *engine_; }
  void After(int64_t delay_us, std::function<void()> event) override;
  int64_t now_us() const override { return clock_.MonotonicNanos() / 1000; }
  int64_t wall_ms() const override { return clock_.NowMicros() / 1000; }
  Random& random() override { return random_; }
  void Fail(Status status) override;

  // http::Executor
  Status Offer(std::function<void()> task) override { return loop_->Offer(std::move(task)); }

 private:
  using Logged = std::vector<std::pair<log::GroupId, raft::RecoveredState>>;

  explicit NodeServer(NodeServerOptions options)
      : options_(std::move(options)),
        metrics_({.cluster = options_.cluster, .node = options_.number.value()}) {}
  Status Open();
  Result<Logged> OpenLog(bool exists);
  Status StartNode(Logged logged, bool exists);
  Status StartPeers();
  Status StartHttp();
  Status OnLoop(std::function<Status()> task);
  void EndBatch();
  void OnFrames(NodeNumber from, const std::vector<std::string>& frames);
  Status Ready() const;

  const NodeServerOptions options_;
  io::PosixFileSystem files_;
  mutable io::SystemClock clock_;
  io::SystemRandom random_;       // the loop's
  io::SystemRandom peer_random_;  // the transport's
  const RecordRules rules_;
  ServerMetrics metrics_;
  std::unique_ptr<log::FileDevice> device_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<log::LogWriter> log_;
  std::unique_ptr<peer::PeerTransport> transport_;
  uint64_t peers_version_ = 0;  // of the map that the transport knows

  // The loop's.
  std::unique_ptr<Node> node_;
  std::unique_ptr<ClusterCatalog> catalog_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::Service> service_;

  std::unique_ptr<http::Server> http_;
  bool stopped_ = false;
};

}  // namespace orochi::kv
