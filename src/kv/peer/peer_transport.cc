#include "kv/peer/peer_transport.h"

#include <limits>

#include "base/str_cat.h"
#include "kv/peer/internal/transport_core.h"

namespace orochi::kv::peer {
namespace {

Status CheckOptions(const TransportOptions& options) {
  constexpr size_t kSizeBytesMax = 1 << 30;
  auto const complain = [](std::string_view what) {
    return Status::InvalidArgument(StrCat("peers: ", what));
  };
  if (options.cluster.empty() || options.cluster.size() > kClusterSizeBytesMax) {
    return complain(StrCat("a cluster id of ", options.cluster.size(), " bytes, expected 1 to ",
                           kClusterSizeBytesMax));
  }
  if (options.self == NodeNumber()) {
    return complain("node number 0, expected 1 or more");
  }
  if (options.frame_size_bytes_max == 0 || options.frame_size_bytes_max > kSizeBytesMax ||
      options.message_size_bytes_max > kSizeBytesMax ||
      options.queue_size_bytes_max < options.frame_size_bytes_max + kFrameOverheadBytes) {
    return complain(StrCat("frames of at most ", options.frame_size_bytes_max,
                           " bytes in messages of ", options.message_size_bytes_max,
                           " and queues of ", options.queue_size_bytes_max, " do not go together"));
  }
  if (options.backoff_us_min <= 0 || options.backoff_us_max < options.backoff_us_min ||
      options.refused_backoff_us <= 0 || options.connect_timeout_us <= 0 ||
      options.keepalive_us < 1000) {
    return complain("times are to be positive, keepalive at least a millisecond");
  }
  return Status::Ok();
}

}  // namespace

std::string_view LaneName(Lane lane) {
  return lane == Lane::kUrgent ? "urgent" : "bulk";
}

std::string_view LinkStateName(LinkState state) {
  switch (state) {
    case LinkState::kConnecting:
      return "connecting";
    case LinkState::kConnected:
      return "connected";
    case LinkState::kWaiting:
      return "waiting";
    case LinkState::kRefused:
      return "refused";
  }
  return "?";
}

Result<std::unique_ptr<PeerTransport>> PeerTransport::Start(TransportOptions options,
                                                            runtime::EventLoop& loop,
                                                            Random& random,
                                                            TransportCallbacks callbacks) {
  RETURN_IF_ERROR(CheckOptions(options));
  auto core = std::make_shared<Core>(std::move(options), loop, random, std::move(callbacks));
  RETURN_IF_ERROR(core->Listen());
  return std::unique_ptr<PeerTransport>(new PeerTransport(std::move(core)));
}

PeerTransport::PeerTransport(std::shared_ptr<Core> core) : core_(std::move(core)) {}

PeerTransport::~PeerTransport() {
  core_->Stop();
}

void PeerTransport::Stop() {
  core_->Stop();
}

Status PeerTransport::SetPeer(NodeNumber peer, std::string address) {
  return core_->SetPeer(peer, std::move(address));
}

void PeerTransport::RemovePeer(NodeNumber peer) {
  core_->RemovePeer(peer);
}

SendResult PeerTransport::Send(NodeNumber peer, Lane lane, std::string frame) {
  return core_->Send(peer, lane, std::move(frame));
}

TransportStatistics PeerTransport::statistics() const {
  return core_->statistics();
}

const std::string& PeerTransport::listen_address() const {
  return core_->listen_address();
}

}  // namespace orochi::kv::peer
