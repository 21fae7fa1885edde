#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/tagged.h"
#include "kv/peer/admission.h"
#include "kv/peer/tls_files.h"
#include "kv/runtime/event_loop.h"

namespace orochi::kv::peer {

/// A node within its cluster. Zero is nobody.
using NodeNumber = Tagged<uint64_t, struct PeerNodeTag>;

/// Each has a connection of its own, so that heartbeats do not wait behind a snapshot.
enum class Lane : uint8_t { kUrgent = 0, kBulk = 1 };
inline constexpr size_t kLaneCount = 2;
inline constexpr std::array<Lane, kLaneCount> kLanes = {Lane::kUrgent, Lane::kBulk};
std::string_view LaneName(Lane lane);

enum class LinkState : uint8_t {
  kConnecting,  // frames wait, up to the queue's bound
  kConnected,   // the peer has welcomed us
  kWaiting,     // lost or unreachable; another attempt comes by itself, frames are dropped
  kRefused,     // the peer said no: another cluster, node or version; attempts are rare
};
std::string_view LinkStateName(LinkState state);

enum class SendResult : uint8_t {
  kQueued,
  kUnknownPeer,
  kUnreachable,  // dropped and counted
  kQueueFull,    // dropped and counted
  kTooLarge,     // over frame_size_bytes_max: never sent
};

struct TransportOptions {
  std::string cluster;  // the same on all nodes; at most kClusterSizeBytesMax
  NodeNumber self;
  /// "127.0.0.1:7000", "[::1]:7000", "node-1.example:7000"; port 0: any that is free. Without `tls`
  /// a loopback address.
  std::string listen;
  std::optional<TlsFiles> tls;

  size_t frame_size_bytes_max = 16 << 20;
  size_t queue_size_bytes_max = 32 << 20;     // waits for one lane of one peer
  size_t message_size_bytes_max = 1 << 20;    // frames that go together; a larger one goes alone
  size_t unhandled_size_bytes_max = 8 << 20;  // received on one stream; then it is not read
  size_t inbound_stream_count_max = 1024;

  int64_t backoff_us_min = 50'000;
  int64_t backoff_us_max = 3'000'000;
  int64_t refused_backoff_us = 30'000'000;
  int64_t connect_timeout_us = 5'000'000;  // also for the Hello of one who dials us
  int64_t keepalive_us = 5'000'000;        // a peer that does not answer for so long is gone
};

inline constexpr size_t kClusterSizeBytesMax = 64;

/// On the loop's thread, without a lock held; they may call the transport.
struct TransportCallbacks {
  /// Frames of one message, in the order in which `from` sent them on this lane.
  std::function<void(NodeNumber from, Lane lane, std::vector<std::string> frames)> on_frames{};
  /// An attempt has ended up kConnected, or has failed or been lost: kWaiting, or kRefused.
  std::function<void(NodeNumber peer, Lane lane, LinkState state, const std::string& why)>
      on_link{};
  /// A node without a number, or with a new address, asks to be let in. Without this, nobody is.
  std::function<void(AdmissionRequest request, AnswerAdmission answer)> on_admission{};
  /// Another first node asks who this one is. Without this it is told to ask again.
  std::function<Introduction()> on_introduction{};
};

struct LinkStatistics {
  LinkState state = LinkState::kConnecting;
  uint64_t sent_frame_count = 0;  // handed to gRPC
  uint64_t sent_size_bytes = 0;
  uint64_t sent_message_count = 0;
  uint64_t full_drop_count = 0;         // frames, because the queue was full
  uint64_t unreachable_drop_count = 0;  // frames, because there was no connection, or it ended
  uint64_t connected_count = 0;
  uint64_t failed_count = 0;  // attempts that did not connect
  uint64_t refused_count = 0;
  uint64_t queue_size_bytes = 0;  // now
};

struct InboundStatistics {
  uint64_t frame_count = 0;
  uint64_t size_bytes = 0;
  uint64_t message_count = 0;
};

struct TransportStatistics {
  std::map<std::pair<NodeNumber, Lane>, LinkStatistics> links;
  std::map<std::pair<NodeNumber, Lane>, InboundStatistics> inbound;
  uint64_t refused_inbound_count = 0;
  uint64_t inbound_stream_count = 0;  // now
};

/// Carries frames between the nodes of a cluster over gRPC. A frame is bytes; it arrives once or
/// not at all, and those of one peer and lane in order. Frames are lost when a queue is full or a
/// connection is: who sends repeats what matters.
///
/// Frames that a batch of the loop sends to one peer go in one message when the batch ends, and
/// while a message is under way what follows is gathered for the next.
///
/// Life:    Start -> Stop. Destroying it stops it.
/// Threads: Stop, statistics and listen_address from any (Stop not from the loop's), the rest on
/// the
///          loop's thread.
/// Borrows: loop, which may be stopped but not destroyed before it; random, for its jitter, used
///          under its own lock and by nobody else.
/// Bounds:  queues by their options; receivers are not read while the loop is behind.
class PeerTransport {
 public:
  static Result<std::unique_ptr<PeerTransport>> Start(TransportOptions options,
                                                      runtime::EventLoop& loop, Random& random,
                                                      TransportCallbacks callbacks);
  ~PeerTransport();
  PeerTransport(const PeerTransport&) = delete;
  PeerTransport& operator=(const PeerTransport&) = delete;

  /// Makes `peer` known under `address` and begins to connect. With another address than before the
  /// old connections end and attempts start afresh, also after a refusal.
  Status SetPeer(NodeNumber peer, std::string address);
  void RemovePeer(NodeNumber peer);
  SendResult Send(NodeNumber peer, Lane lane, std::string frame);

  TransportStatistics statistics() const;
  /// With the port that was free.
  const std::string& listen_address() const;

  /// Ends all streams, with frames under way or not. When it returns, no callback runs or will.
  void Stop();

 private:
  class Core;
  explicit PeerTransport(std::shared_ptr<Core> core);

  std::shared_ptr<Core> core_;  // shared with tasks that the loop has not run yet
};

}  // namespace orochi::kv::peer
