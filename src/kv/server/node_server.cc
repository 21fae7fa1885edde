#include "kv/server/node_server.h"

#include <cstdlib>
#include <future>
#include <utility>

#include "base/str_cat.h"
#include "kv/engine/rocks_engine.h"
#include "kv/server/data_directory.h"

namespace orochi::kv {
Result<std::unique_ptr<NodeServer>> NodeServer::Start(NodeServerOptions options) {
  std::unique_ptr<NodeServer> server(new NodeServer(std::move(options)));
  RETURN_IF_ERROR(server->Open());
  return server;
}

NodeServer::~NodeServer() {
  Stop();
}

Status NodeServer::Open() {
  ASSIGN_OR_RETURN(bool const exists, Identify());
  logs::LogOptions log = options_.log;
  log.cluster = claim_.cluster;
  log.node = claim_.number.value();
  log_lines_ = std::make_unique<logs::Log>(log);
  request_log_ = std::make_unique<RequestLog>(*log_lines_, clock_, options_.requests);
  metrics_ = std::make_unique<ServerMetrics>(
      ServerMetrics::Identity{.cluster = claim_.cluster, .node = claim_.number.value()});
  ASSIGN_OR_RETURN(Logged logged, OpenLog(exists));
  ASSIGN_OR_RETURN(engine_, OpenRocksEngine({.directory = options_.data_directory + "/state",
                                             .on_failure = [this](Status status) {
                                               Fail(std::move(status).WithContext("state"));
                                             }}));
  if (!exists) {
    RETURN_IF_ERROR(ClaimDataDirectory(files_, options_.data_directory, claim_));
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
           .on_batch = [this](const runtime::LoopBatch& batch) { metrics_->NoteBatch(batch); }}));
  metrics_->WatchLoop(*loop_);
  metrics_->WatchEngine(*engine_);
  metrics_->WatchLog(*log_);
  RETURN_IF_ERROR(OnLoop([&] {
    RETURN_IF_ERROR(StartNode(std::move(logged)));
    RETURN_IF_ERROR(StartPeers());
    RETURN_IF_ERROR(StartGossip());
    MeetFirstNodes();
    return Status();
  }));
  return StartHttp();
}

// Whether this node has been here before.
Result<bool> NodeServer::Identify() {
  const std::string& directory = options_.data_directory;
  ASSIGN_OR_RETURN(auto const claim, EnterDataDirectory(files_, directory));
  if (claim) {
    bool const is_other = options_.number != NodeNumber() && options_.number != claim->number;
    if (claim->cluster != options_.cluster || is_other) {
      return Status::FailedPrecondition(
                 StrCat(directory, " is node ", claim->number.value(), "'s of cluster '",
                        claim->cluster, "', not ",
                        is_other ? StrCat("node ", options_.number.value(), "'s") : "one",
                        " of cluster '", options_.cluster, "'"))
          .WithHint("Each node has a data directory of its own.");
    }
    claim_ = *claim;
    return true;
  }
  claim_.cluster = options_.cluster;
  if (!options_.join.empty()) {
    RETURN_IF_ERROR(AskToJoin());
    return false;
  }
  if (options_.number == NodeNumber()) {
    return Status::InvalidArgument(
               StrCat(directory, " is empty: is this one of the first nodes, or does it join?"))
        .WithHint("Name its number and all first nodes (--node, --peer), or --join some node.");
  }
  claim_.number = options_.number;
  ASSIGN_OR_RETURN(claim_.identity, JoiningIdentity(files_, directory, random_));
  return false;
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
          .written = [this](const log::WriteMeasure& write) { metrics_->NoteWrite(write); }});
  return logged;
}

// A node without a map is at its beginning, though its directory may be claimed already.
Status NodeServer::StartNode(Logged logged) {
  NodeOptions node;
  node.number = claim_.number;
  node_ = std::make_unique<Node>(*this, rules_, node);
  RETURN_IF_ERROR(node_->Recover(std::move(logged)));
  if (node_->map().nodes().empty() && !IsFirst()) {
    if (first_map_.nodes().empty()) {
      RETURN_IF_ERROR(AskToJoin());
    }
    node_->Join(std::move(first_map_));
  }
  catalog_ = std::make_unique<ClusterCatalog>(*node_, random_);
  gateway_ = std::make_unique<Gateway>(*node_, *catalog_, random_, GatewayOptions());
  cluster_ = std::make_unique<NodeCluster>(*node_, *this, *catalog_, claim_.cluster, claim_.number);
  service_ = std::make_unique<http::Service>(
      *gateway_,
      http::ServiceOptions{.ready = [this] { return Ready(); },
                           .metrics = [this] { return metrics_->Gather(*node_, *gateway_); },
                           .cluster = cluster_.get()});
  return Status();
}

Status NodeServer::StartHttp() {
  http::ServerOptions options = options_.http;
  options.instance = io::SystemRandom().Next();
  options.on_served = [this](const http::Served& served) {
    metrics_->NoteRequest(served);
    request_log_->Note(served);
  };
  options.on_bad_file = [this](const Status& status) {
    log_lines_->Error("a changed file is no good, what was there before holds", status);
  };
  ASSIGN_OR_RETURN(http_, http::Server::Start(std::move(options), *this, clock_,
                                              [this](http::Call call, http::Done done) {
                                                service_->Handle(std::move(call), std::move(done));
                                              }));
  metrics_->WatchHttp(*http_);
  return OnLoop([this] {
    const std::string& host = options_.http.host;
    bool const is_anywhere = host == "0.0.0.0" || host == "::";
    if (!options_.advertise_http.empty()) {
      own_.http_address = options_.advertise_http;
    } else if (options_.http.socket_path.empty()) {
      own_.http_address = StrCat(
          is_anywhere ? own_.address.substr(0, own_.address.rfind(':')) : host, ":", http_->port());
    }
    AnnounceAddresses();
    return Status();
  });
}

// Runs `task` on the loop and waits for it.
Status NodeServer::OnLoop(std::function<Status()> task) {
  std::promise<Status> promise;
  std::future<Status> answer = promise.get_future();
  bool const posted = loop_->Post([&] { promise.set_value(task()); });
  return posted ? answer.get() : Status::Unavailable("the node is stopping");
}

void NodeServer::EndBatch() {
  if (node_ != nullptr) {
    node_->Flush();
    FollowAddresses();
  }
}

void NodeServer::End(const Status& why) {
  if (!std::exchange(ended_, true)) {
    options_.on_end(why);
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
  log_lines_->Error("the node stops at once", status);
  std::abort();
}

Status NodeServer::Ready() const {
  if (node_->map().nodes().empty()) {
    return Status::Unavailable("the cluster has not begun: not all of its first nodes have met");
  }
  auto const own = node_->replicas().find(kMetaGroup);
  bool const knows_leader =
      own == node_->replicas().end() || own->second->raft().leader() != raft::kNobody;
  return knows_leader ? Status() : Status::Unavailable("the meta group has no leader");
}

// Else the partitions that this node leads would have no leader until the others notice.
void NodeServer::HandOver() {
  constexpr int64_t kWithinUs = 3'000'000;
  constexpr int64_t kPauseUs = 10'000;
  bool done = loop_ == nullptr;
  bool first = true;
  for (int64_t waited_us = 0; !done && waited_us < kWithinUs; waited_us += kPauseUs) {
    Status const status = OnLoop([&] {
      if (node_ != nullptr && std::exchange(first, false)) {
        node_->HandOverAll();
      }
      done = node_ == nullptr || node_->HasHandedOver();
      return Status();
    });
    done = done || !status.ok();
    if (!done) {
      io::SleepMicros(kPauseUs);
    }
  }
}

void NodeServer::Stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  if (http_ != nullptr) {
    http_->Stop();
  }
  HandOver();
  if (meeting_ != nullptr) {
    meeting_->Stop();
  }
  if (gossip_ != nullptr) {
    gossip_->Stop();
  }
  if (transport_ != nullptr) {
    transport_->Stop();
  }
  if (loop_ != nullptr) {
    OnLoop([this] {
      service_.reset();
      cluster_.reset();
      gateway_.reset();
      catalog_.reset();
      node_.reset();
      gossip_.reset();
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
