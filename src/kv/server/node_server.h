#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
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
#include "kv/logs/log.h"
#include "kv/node/node.h"
#include "kv/operation/record_rules.h"
#include "kv/peer/peer_transport.h"
#include "kv/runtime/event_loop.h"
#include "kv/server/data_directory.h"
#include "kv/server/first_meeting.h"
#include "kv/server/gossip.h"
#include "kv/server/node_cluster.h"
#include "kv/server/request_log.h"
#include "kv/server/server_metrics.h"

namespace orochi::kv {

struct NodeServerOptions {
  std::string data_directory;
  std::string cluster;  // its name, the same on all nodes
  /// Of one of the first nodes. 0: what the directory says, or the cluster that it joins.
  NodeNumber number;
  /// The cluster's first nodes, the same on each: where they hear each other.
  struct Peer {
    NodeNumber number;
    std::string address;
  };
  std::vector<Peer> peers;
  /// Addresses of nodes that can let this one in, when it is none of the first.
  std::vector<std::string> join;
  std::string listen;  // for other nodes; empty: where `peers` or the cluster's map have it
  /// Where others reach this node, when that is not where it listens (a name, a forwarded port).
  std::string advertise;
  std::string advertise_http;
  /// Gossip listens here, an IP address and port; empty: on the IP address that nodes listen on, at
  /// any port. "off": no gossip.
  std::string gossip;
  std::vector<io::SocketAddress> gossip_seeds;  // beside the nodes of the map
  std::vector<swim::ClusterKey> gossip_keys;
  std::optional<peer::TlsFiles> tls;  // between nodes
  http::ServerOptions http;
  logs::LogOptions log;  // cluster and node are filled in
  RequestLog::Options requests{};
  int64_t tick_us = 50'000;
  /// The node cannot go on, though nothing is broken: it was removed from the cluster, or another
  /// process has its identity. Called once, by the loop; Stop is to follow.
  std::function<void(const Status& why)> on_end = [](const Status&) {};
};

/// A node of the key-value store as a process has it: the core on its loop, the log's thread, the
/// engine's files, streams to other nodes, HTTP for clients.
///
/// A data directory belongs to one node of one cluster; the file `node` in it says which. Where a
/// node is, is in the cluster's map, and each node sees to its own entry.
///
/// Life:    Start -> Stop. Destroying it stops it.
/// Threads: Start and Stop from one that is not the loop's.
class NodeServer final : public NodeHost, public http::Executor {
 public:
  /// kFailedPrecondition: the directory is another node's, or its first start was interrupted; the
  /// cluster does not want the node. kUnavailable: nobody answers of those it is to join.
  static Result<std::unique_ptr<NodeServer>> Start(NodeServerOptions options);
  ~NodeServer() override;

  int http_port() const { return http_->port(); }
  NodeNumber number() const { return claim_.number; }
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

  explicit NodeServer(NodeServerOptions options) : options_(std::move(options)) {}

  // node_server.cc
  Status Open();
  Result<bool> Identify();
  Result<Logged> OpenLog(bool exists);
  Status StartNode(Logged logged);
  Status StartHttp();
  Status OnLoop(std::function<Status()> task);
  void EndBatch();
  void End(const Status& why);
  void HandOver();
  Status Ready() const;

  // membership.cc
  Status AskToJoin();
  Status StartPeers();
  Status StartGossip();
  bool IsFirst() const;
  void MeetFirstNodes();
  peer::Introduction Introduce() const;
  Result<std::string> ListenAddress() const;
  void OnFrames(NodeNumber from, const std::vector<std::string>& frames);
  void OnLink(peer::NodeNumber peer, peer::Lane lane, peer::LinkState state,
              const std::string& why);
  void OnAdmission(peer::AdmissionRequest request, peer::AnswerAdmission answer);
  void FollowAddresses();
  void AnnounceAddresses();
  void NoteAbsent();

  const NodeServerOptions options_;
  io::PosixFileSystem files_;
  mutable io::SystemClock clock_;
  io::SystemRandom random_;       // the loop's
  io::SystemRandom peer_random_;  // the transport's
  const RecordRules rules_;
  // Once it is known which node this is.
  std::unique_ptr<logs::Log> log_lines_;
  std::unique_ptr<RequestLog> request_log_;
  std::unique_ptr<ServerMetrics> metrics_;
  std::unique_ptr<log::FileDevice> device_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<log::LogWriter> log_;
  std::unique_ptr<peer::PeerTransport> transport_;
  DirectoryClaim claim_;
  ClusterMap first_map_;  // what a node begins with that has no map yet

  // The loop's.
  std::unique_ptr<Gossip> gossip_;
  uint64_t peers_version_ = 0;  // of the map that the transport knows
  // Of connections to other nodes, as they were told last.
  std::map<std::pair<peer::NodeNumber, peer::Lane>, peer::LinkState> link_states_;
  bool heard_changed_ = false;  // what gossip says
  std::set<NodeNumber> gone_;   // nodes whose connections end soon
  NodeRecord own_;              // as the map should have this node
  bool announcing_ = false;
  bool ended_ = false;
  std::unique_ptr<Node> node_;
  std::unique_ptr<ClusterCatalog> catalog_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<NodeCluster> cluster_;
  std::unique_ptr<http::Service> service_;

  std::unique_ptr<FirstMeeting> meeting_;  // until the cluster has begun
  std::unique_ptr<http::Server> http_;
  bool stopped_ = false;
};

}  // namespace orochi::kv
