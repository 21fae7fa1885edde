#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/posix/client_stream.h"

namespace orochi::kv::client {

/// Where a node's HTTP is: a host and a port, or a Unix socket.
struct NodeAddress {
  std::string host = {};  // without brackets
  uint16_t port = 0;
  std::string socket_path = {};  // not empty: instead

  /// As it was given, for messages and the Host header.
  std::string Text() const;
};

/// "127.0.0.1:8001", "kv-0.kv:8001", "[::1]:8001", "http://host:8001", "unix:/run/kv.sock".
/// kUnsupported for https, kInvalidArgument for other text.
Result<NodeAddress> ParseNodeAddress(std::string_view text);

/// A connection, and what is to be known of it before it is used again.
struct PooledStream {
  io::ClientStream stream;
  bool is_fresh = true;  // nothing was asked on it yet
};

/// Connections to some nodes that wait to be used again, and which node is asked next: the same as
/// last time, until it fails.
///
/// Threads: any.    Bounds: idle_count_max connections a node, each for idle_us_max at most.
class NodePool {
 public:
  NodePool(std::vector<NodeAddress> nodes, size_t idle_count_max, Clock& clock);

  size_t size() const { return nodes_.size(); }
  const NodeAddress& address(size_t node) const { return nodes_[node].address; }

  /// Which one to ask first now. The others follow in the order of their numbers.
  size_t Preferred();
  /// It is gone, or can do nothing now: others come first for a while.
  void MarkDown(size_t node);
  void MarkUp(size_t node);

  /// An idle connection, or a new one. kUnavailable, kTimeout: there is none, nothing was sent.
  Result<PooledStream> Take(size_t node, int64_t timeout_us);
  /// REQUIRES: nothing is under way on it.
  void Put(size_t node, PooledStream stream);

 private:
  struct Idle {
    io::ClientStream stream;
    int64_t since_us;
  };
  struct Node {
    NodeAddress address;
    int64_t down_until_us = 0;    // guarded by mutex_, as what follows
    std::vector<Idle> idle = {};  // the one used last is last
  };

  int64_t NowMicros() const { return clock_.MonotonicNanos() / 1000; }

  Clock& clock_;
  size_t const idle_count_max_;
  std::mutex mutex_;
  std::vector<Node> nodes_;  // their addresses do not change
  size_t preferred_ = 0;     // guarded by mutex_
};

}  // namespace orochi::kv::client
