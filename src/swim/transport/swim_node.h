#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/socket_address.h"
#include "swim/seal/sealer.h"
#include "swim/swim_core.h"

namespace orochi::swim {

struct NodeOptions {
  std::string data_directory;  // made when missing; held by one node at a time
  ClusterId cluster{};
  /// Where to listen, over UDP and TCP; others send there, so it is no wildcard. Port 0: any free.
  io::SocketAddress listen = io::SocketAddress::V4(127, 0, 0, 1, 0);
  std::vector<io::SocketAddress> seeds{};
  std::vector<ClusterKey> keys{};  // none: packets are not sealed
  Options swim = LocalProfile();
  /// Called by the node's thread, in order; must not wait, nor call the node.
  std::function<void(const Event&)> on_event{};
};

/// A node of a cluster's membership on real sockets, with a thread of its own.
///
/// Life:    Start -> Leave or Stop. Stop without Leave is what a crash looks like to others.
/// Threads: any may call.
/// Bounds:  kConnectionsMax streams; one that takes longer than kStreamPatienceMs is dropped.
class SwimNode {
 public:
  static constexpr size_t kConnectionsMax = 128;
  static constexpr int64_t kStreamPatienceMs = 5'000;

  /// The node has counted its generation up durably and listens.
  static Result<std::unique_ptr<SwimNode>> Start(NodeOptions options);
  ~SwimNode();
  SwimNode(const SwimNode&) = delete;
  SwimNode& operator=(const SwimNode&) = delete;

  const io::SocketAddress& address() const;
  NodeId id() const;
  Generation generation() const;
  /// All known, as of the last event or a little later; this node first.
  std::vector<Record> Members() const;
  Standing standing() const;
  Counters counters() const;

  void SetSeeds(std::vector<io::SocketAddress> seeds);
  Status SetHints(uint64_t meta_version, uint64_t load, std::string payload);
  /// Says goodbye and returns when that is done, or kTimeout after `timeout_ms`. Then Stop.
  Status Leave(int64_t timeout_ms);
  void Stop();

 private:
  class Loop;
  explicit SwimNode(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

}  // namespace orochi::swim
