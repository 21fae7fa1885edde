#include "kv/server/node_server.h"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "base/str_cat.h"
#include "kv/engine/rocks_engine.h"
#include "kv/node/peer_codec.h"
#include "kv/server/data_directory.h"

namespace orochi::kv {
namespace {

// What the first nodes are known by; those that come later draw theirs.
std::string FirstIdentity(NodeNumber number) {
  std::string identity = StrCat("first node ", number.value());
  identity.resize(16, ' ');
  return identity;
}

}  // namespace

Result<std::unique_ptr<NodeServer>> NodeServer::Start(NodeServerOptions options) {
  std::unique_ptr<NodeServer> server(new NodeServer(std::move(options)));
  RETURN_IF_ERROR(server->Open());
  return server;
}

NodeServer::~NodeServer() {
  Stop();
}

Status NodeServer::Open() {
  ASSIGN_OR_RETURN(bool const exists, EnterDataDirectory(files_, options_.data_directory,
                                                         options_.cluster, options_.number));
  ASSIGN_OR_RETURN(Logged logged, OpenLog(exists));
  ASSIGN_OR_RETURN(engine_, OpenRocksEngine({.directory = options_.data_directory + "/state"}));
  if (!exists) {
    RETURN_IF_ERROR(
        ClaimDataDirectory(files_, options_.data_directory, options_.cluster, options_.number));
  }
  ASSIGN_OR_RETURN(
      loop_,
      runtime::EventLoop::Start(
          {.tick_us = options_.tick_us}, clock_,
          {.on_tick =
               [this] {
                 if (node_ != nullptr) {
                   node_->Tick();
                 }
               },
           .on_batch_end = [this] { EndBatch(); },
           .on_batch = [this](const runtime::LoopBatch& batch) { metrics_.NoteBatch(batch); }}));
  metrics_.WatchLoop(*loop_);
  metrics_.WatchEngine(*engine_);
  metrics_.WatchLog(*log_);
  RETURN_IF_ERROR(OnLoop([&] { return StartPeers(); }));
  RETURN_IF_ERROR(OnLoop([&] { return StartNode(std::move(logged), exists); }));
  return StartHttp();
}

Result<NodeServer::Logged> NodeServer::OpenLog(bool exists) {
  ASSIGN_OR_RETURN(device_, log::FileDevice::Open(options_.data_directory + "/log",
                                                  log::FileDevice::Mode::kDirect));
  using Expect = log::SegmentLog::Expect;
  ASSIGN_OR_RETURN(auto log, log::SegmentLog::Open({}, *device_, random_,
                                                   exists ? Expect::kExisting : Expect::kNew));
  Logged logged;
  for (log::GroupId const group : log->Groups()) {
    // A damaged group may have forgotten a vote: nothing of the node may run on.
    Result<raft::RecoveredState> state = log->LoadGroup(group);
    if (!state.ok()) {
      return std::move(state).status().WithHint(
          "This node cannot be trusted with its votes: let it join as another node with an empty "
          "directory.");
    }
    logged.emplace_back(group, *std::move(state));
  }
  log_ = std::make_unique<log::LogWriter>(
      std::move(log), clock_,
      log::LogWriter::Callbacks{
          .completed =
              [this](const std::vector<log::Completion>& completions) {
                loop_->Post([this, completions] {
                  if (node_ != nullptr) {
                    node_->OnDurable(completions);
                  }
                });
              },
          .failed = [this](const Status& status) { Fail(status); },
          .written = [this](const log::WriteMeasure& write) { metrics_.NoteWrite(write); }});
  return logged;
}

Status NodeServer::StartNode(Logged logged, bool exists) {
  NodeOptions node;
  node.number = options_.number;
  node_ = std::make_unique<Node>(*this, rules_, node);
  if (exists && !logged.empty()) {
    RETURN_IF_ERROR(node_->Recover(std::move(logged)));
  } else {
    std::vector<NodeRecord> nodes;
    for (const NodeServerOptions::Peer& peer : options_.peers) {
      nodes.push_back(
          {.number = peer.number, .identity = FirstIdentity(peer.number), .address = peer.address});
    }
    RETURN_IF_ERROR(node_->Bootstrap(nodes));
  }
  catalog_ = std::make_unique<ClusterCatalog>(*node_, random_);
  gateway_ = std::make_unique<Gateway>(*node_, *catalog_, random_, GatewayOptions());
  service_ = std::make_unique<http::Service>(
      *gateway_,
      http::ServiceOptions{.ready = [this] { return Ready(); },
                           .metrics = [this] { return metrics_.Gather(*node_, *gateway_); }});
  return Status();
}

Status NodeServer::StartPeers() {
  peer::TransportOptions options{.cluster = options_.cluster,
                                 .self = peer::NodeNumber(options_.number.value()),
                                 .listen = {},
                                 .tls = options_.tls};
  for (const NodeServerOptions::Peer& peer : options_.peers) {
    if (peer.number == options_.number) {
      options.listen = peer.address;
    }
  }
  ASSIGN_OR_RETURN(transport_, peer::PeerTransport::Start(
                                   std::move(options), *loop_, peer_random_,
                                   {.on_frames = [this](peer::NodeNumber from, peer::Lane /*lane*/,
                                                        const std::vector<std::string>& frames) {
                                     OnFrames(NodeNumber(static_cast<uint32_t>(from.value())),
                                              frames);
                                   }}));
  metrics_.WatchPeers(*transport_);
  for (const NodeServerOptions::Peer& peer : options_.peers) {
    if (peer.number != options_.number) {
      RETURN_IF_ERROR(transport_->SetPeer(peer::NodeNumber(peer.number.value()), peer.address));
    }
  }
  return Status();
}

Status NodeServer::StartHttp() {
  http::ServerOptions options = options_.http;
  options.on_served = [this](const http::Served& served) { metrics_.NoteRequest(served); };
  ASSIGN_OR_RETURN(http_, http::Server::Start(std::move(options), *this, clock_,
                                              [this](http::Call call, http::Done done) {
                                                service_->Handle(std::move(call), std::move(done));
                                              }));
  return Status();
}

// Runs `task` on the loop and waits for it.
Status NodeServer::OnLoop(std::function<Status()> task) {
  std::promise<Status> promise;
  std::future<Status> answer = promise.get_future();
  bool const posted = loop_->Post([&] { promise.set_value(task()); });
  return posted ? answer.get() : Status::Unavailable("the node is stopping");
}

void NodeServer::EndBatch() {
  if (node_ == nullptr) {
    return;
  }
  node_->Flush();
  const ClusterMap& map = node_->map();
  if (map.version() == peers_version_ || transport_ == nullptr) {
    return;
  }
  peers_version_ = map.version();
  for (const auto& [number, record] : map.nodes()) {
    peer::NodeNumber const peer(number.value());
    if (number == options_.number) {
      continue;
    }
    if (record.state == NodeState::kGone) {
      transport_->RemovePeer(peer);
    } else {
      transport_->SetPeer(peer, record.address)
          .IgnoreError("an address that nobody can use says so where it is shown");
    }
  }
}

void NodeServer::OnFrames(NodeNumber from, const std::vector<std::string>& frames) {
  for (const std::string& frame : frames) {
    Result<std::vector<PeerMessage>> messages = DecodePeerMessages(frame);
    if (!messages.ok()) {
      std::fprintf(stderr, "orochi-kvd: node %u: %s\n", from.value(),
                   messages.status().message().c_str());
      continue;
    }
    for (PeerMessage& message : *messages) {
      if (node_ != nullptr) {
        node_->Receive(from, std::move(message));
      }
    }
  }
}

// Chunks of snapshots go on a lane of their own: nothing waits behind them.
void NodeServer::Send(NodeNumber to, std::vector<PeerMessage> messages) {
  std::vector<PeerMessage> urgent;
  peer::NodeNumber const peer(to.value());
  for (PeerMessage& message : messages) {
    if (std::holds_alternative<SnapshotChunk>(message)) {
      std::vector<PeerMessage> chunk;
      chunk.push_back(std::move(message));
      transport_->Send(peer, peer::Lane::kBulk, EncodePeerMessages(chunk));
    } else {
      urgent.push_back(std::move(message));
    }
  }
  if (!urgent.empty()) {
    transport_->Send(peer, peer::Lane::kUrgent, EncodePeerMessages(urgent));
  }
}

Status NodeServer::Append(log::GroupId group, raft::PersistRequest request) {
  return log_->Append(group, std::move(request));
}
Status NodeServer::Compact(log::GroupId group, raft::SnapshotPoint point) {
  return log_->Compact(group, std::move(point));
}
Status NodeServer::Remove(log::GroupId group, raft::ReplicaId removed_below, uint64_t sequence) {
  return log_->Remove(group, removed_below, sequence);
}
raft::ReplicaId NodeServer::RemovedBelow(log::GroupId group) const {
  return log_->RemovedBelow(group);
}

void NodeServer::After(int64_t delay_us, std::function<void()> event) {
  loop_->After(delay_us, std::move(event));
}

// Nothing may be believed, and nothing written, any more (R13).
void NodeServer::Fail(Status status) {
  std::fprintf(stderr, "orochi-kvd: node %u stops: %s\n", options_.number.value(),
               status.ToString().c_str());
  std::abort();
}

Status NodeServer::Ready() const {
  auto const own = node_->replicas().find(kMetaGroup);
  bool const knows_leader =
      own == node_->replicas().end() || own->second->raft().leader() != raft::kNobody;
  return knows_leader ? Status() : Status::Unavailable("the meta group has no leader");
}

void NodeServer::Stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  if (http_ != nullptr) {
    http_->Stop();
  }
  if (transport_ != nullptr) {
    transport_->Stop();
  }
  if (loop_ != nullptr) {
    OnLoop([this] {
      service_.reset();
      gateway_.reset();
      catalog_.reset();
      node_.reset();
      return Status();
    }).IgnoreError("the loop has stopped");
  }
  if (log_ != nullptr) {
    log_->Stop();
  }
  if (loop_ != nullptr) {
    loop_->Stop();
  }
  if (engine_ != nullptr) {
    engine_->Flush().IgnoreError("the log has all of it");
  }
  transport_.reset();
}

}  // namespace orochi::kv
