#include "kv/peer/internal/transport_core.h"

#include <algorithm>
#include <future>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv::peer {
namespace {

constexpr size_t kMessageSlackBytes = 64 << 10;

int MessageSizeBytesMax(const TransportOptions& options) {
  return static_cast<int>(std::max(options.frame_size_bytes_max, options.message_size_bytes_max) +
                          kMessageSlackBytes);
}

}  // namespace

PeerTransport::Core::Core(TransportOptions options, runtime::EventLoop& loop, Random& random,
                          TransportCallbacks callbacks)
    : options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      loop_(loop),
      random_(random) {}

PeerTransport::Core::~Core() = default;

Status PeerTransport::Core::Listen() {
  ASSIGN_OR_RETURN(PeerAddress const address, ParsePeerAddress(options_.listen));
  if (!CheckPlaintext(address)) {
    return Status::InvalidArgument(
               StrCat("peers: listening on ", options_.listen, " without TLS is refused"))
        .WithHint("Configure certificate, key and authority for peers, or listen on loopback.");
  }
  ASSIGN_OR_RETURN(credentials_, MakeCredentials(options_.tls));
  auto const keepalive_ms = static_cast<int>(options_.keepalive_us / 1000);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options_.listen, credentials_.server, &port);
  // Else two nodes with one address would share its connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_ms);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             keepalive_ms / 2);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder.SetMaxReceiveMessageSize(MessageSizeBytesMax(options_));
  builder.RegisterService(&service_);
  admissions_ = std::make_unique<AdmissionService>(
      options_.cluster,
      [this](AdmissionRequest request, AnswerAdmission answer) {
        OnAdmission(std::move(request), std::move(answer));
      },
      [this](AnswerIntroduction answer) { OnIntroduction(std::move(answer)); });
  builder.RegisterService(admissions_.get());
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    server_.reset();
    queue_->Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
    }
    return Status::Unavailable(StrCat("peers: cannot listen on ", options_.listen));
  }
  listen_address_ =
      StrCat(std::string_view(options_.listen).substr(0, options_.listen.rfind(':')), ":", port);
  ++stream_count_;
  InboundStream::Await(*this, service_, *queue_, options_.unhandled_size_bytes_max);
  driver_ = std::thread([this] { Drive(); });
  return Status::Ok();
}

void PeerTransport::Core::Drive() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    (*static_cast<Completion*>(tag))(ok);
  }
}

void PeerTransport::Core::Stop() {
  ASSERT(!loop_.IsLoopThread());
  std::lock_guard const stop_guard(stop_mutex_);
  if (!driver_.joinable()) {
    return;
  }
  {
    std::lock_guard const guard(mutex_);
    stopping_ = true;
    for (auto& [key, link] : links_) {
      EndStream(link);
    }
    links_.clear();
  }
  server_->Shutdown(gpr_inf_past(GPR_CLOCK_REALTIME));  // cancels what runs
  {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return stream_count_ == 0; });
  }
  queue_->Shutdown();
  driver_.join();
  server_.reset();
  // What the loop runs now may be a callback; whatever it runs later sees stopping_.
  std::promise<void> passed;
  if (loop_.Post([&passed] { passed.set_value(); })) {
    passed.get_future().wait();
  }
}

Status PeerTransport::Core::SetPeer(NodeNumber peer, std::string address) {
  ASSERT(loop_.IsLoopThread());
  if (peer == NodeNumber() || peer == options_.self) {
    return Status::InvalidArgument(
        StrCat("peers: node ", peer.value(), " is not a peer of node ", options_.self.value()));
  }
  ASSIGN_OR_RETURN(PeerAddress const parsed, ParsePeerAddress(address));
  if (!CheckPlaintext(parsed)) {
    return Status::InvalidArgument(
               StrCat("peers: node ", peer.value(), " at ", address, " without TLS is refused"))
        .WithHint("Configure certificate, key and authority for peers.");
  }
  std::lock_guard const guard(mutex_);
  if (stopping_) {
    return Status::Unavailable("peers: the transport has stopped");
  }
  for (Lane const lane : kLanes) {
    LinkKey const key(peer, lane);
    auto const [found, is_new] = links_.try_emplace(key);
    Link& link = found->second;
    if (!is_new && link.address.target == parsed.target) {
      continue;
    }
    EndStream(link);
    link.address = parsed;
    link.failure_count = 0;
    Dial(key, link);
  }
  return Status::Ok();
}

void PeerTransport::Core::RemovePeer(NodeNumber peer) {
  ASSERT(loop_.IsLoopThread());
  std::lock_guard const guard(mutex_);
  for (Lane const lane : kLanes) {
    auto const found = links_.find(LinkKey(peer, lane));
    if (found != links_.end()) {
      EndStream(found->second);
      links_.erase(found);
    }
  }
}

SendResult PeerTransport::Core::Send(NodeNumber peer, Lane lane, std::string frame) {
  ASSERT(loop_.IsLoopThread());
  std::lock_guard const guard(mutex_);
  LinkKey const key(peer, lane);
  Link* const link = FindLink(key);
  if (link == nullptr) {
    return SendResult::kUnknownPeer;
  }
  if (frame.size() > options_.frame_size_bytes_max) {
    return SendResult::kTooLarge;
  }
  if (link->stream == nullptr) {
    ++link->totals.unreachable_drop_count;
    return SendResult::kUnreachable;
  }
  if (!link->stream->Push(std::move(frame))) {
    ++link->totals.full_drop_count;
    return SendResult::kQueueFull;
  }
  if (!std::exchange(link->is_dirty, true)) {
    dirty_.push_back(key);
    if (dirty_.size() == 1) {
      loop_.AtBatchEnd([core = shared_from_this()] { core->FlushDirty(); });
    }
  }
  return SendResult::kQueued;
}

void PeerTransport::Core::FlushDirty() {
  std::vector<std::shared_ptr<OutboundStream>> streams;
  {
    std::lock_guard const guard(mutex_);
    for (const LinkKey& key : std::exchange(dirty_, {})) {
      if (Link* const link = FindLink(key); link != nullptr) {
        link->is_dirty = false;
        if (link->stream != nullptr) {
          streams.push_back(link->stream);
        }
      }
    }
  }
  for (const auto& stream : streams) {
    stream->Flush();
  }
}

TransportStatistics PeerTransport::Core::statistics() const {
  std::lock_guard const guard(mutex_);
  TransportStatistics statistics;
  for (const auto& [key, link] : links_) {
    LinkStatistics& copy = statistics.links.emplace(key, link.totals).first->second;
    copy.state = link.state;
    if (link.stream != nullptr) {
      OutboundStream::Counters const counters = link.stream->counters();
      copy.sent_frame_count += counters.sent_frame_count;
      copy.sent_size_bytes += counters.sent_size_bytes;
      copy.sent_message_count += counters.sent_message_count;
      copy.queue_size_bytes = counters.waiting_size_bytes;
    }
  }
  for (const auto& [key, inbound] : inbound_) {
    statistics.inbound.emplace(std::pair(key.from, key.lane), inbound.statistics);
  }
  statistics.refused_inbound_count = refused_inbound_count_;
  statistics.inbound_stream_count = dialled_.size();
  return statistics;
}

PeerTransport::Core::Link* PeerTransport::Core::FindLink(const LinkKey& key) {
  auto const found = links_.find(key);
  return found == links_.end() ? nullptr : &found->second;
}

PeerTransport::Core::Link* PeerTransport::Core::FindAttempt(const LinkKey& key, uint64_t attempt) {
  Link* const link = FindLink(key);
  return link != nullptr && link->attempt == attempt ? link : nullptr;
}

bool PeerTransport::Core::CheckPlaintext(const PeerAddress& address) const {
  return options_.tls.has_value() || address.is_loopback;
}

void PeerTransport::Core::NoteStreamEnded() {
  std::lock_guard const guard(mutex_);
  --stream_count_;
  all_ended_.notify_all();
}

// A new one for each attempt: the name of a peer that has moved is looked up again, which a channel
// does at most every half a minute, and the only backoff is ours.
std::shared_ptr<grpc::Channel> PeerTransport::Core::MakeChannel(const Link& link) const {
  auto const keepalive_ms = static_cast<int>(options_.keepalive_us / 1000);
  grpc::ChannelArguments arguments;
  // Else both lanes would share a connection, and heartbeats wait behind snapshots in its socket.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_ms);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxSendMessageSize(MessageSizeBytesMax(options_));
  if (options_.tls.has_value() && !options_.tls->peer_name.empty()) {
    arguments.SetSslTargetNameOverride(options_.tls->peer_name);
  }
  return grpc::CreateCustomChannel(link.address.target, credentials_.channel, arguments);
}

int64_t PeerTransport::Core::BackoffMicros(const Link& link) {
  int64_t backoff_us = options_.refused_backoff_us;
  if (link.state != LinkState::kRefused) {
    constexpr int kDoublingsMax = 20;
    int const doublings = std::clamp(link.failure_count - 1, 0, kDoublingsMax);
    backoff_us = std::min(options_.backoff_us_max, options_.backoff_us_min << doublings);
  }
  // Half of it at random: peers of a node that comes back must not all dial at once.
  return backoff_us / 2 +
         static_cast<int64_t>(random_.Below(static_cast<uint64_t>(backoff_us / 2 + 1)));
}

}  // namespace orochi::kv::peer
