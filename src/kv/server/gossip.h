#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/meta/cluster_map.h"
#include "kv/runtime/event_loop.h"
#include "swim/transport/swim_node.h"

namespace orochi::kv {

struct GossipOptions {
  std::string directory;  // of its own identity and generation
  std::string cluster;
  NodeNumber number;
  std::string address;  // where nodes reach this one
  io::SocketAddress listen;
  std::vector<io::SocketAddress> seeds{};
  std::vector<swim::ClusterKey> keys{};
};

/// What nodes hear of each other beside the cluster's map: who is there, and where. Advice: it
/// makes nodes find each other that have moved, and tells who seems to be gone.
///
/// Life:    Start -> Stop.
/// Threads: Start and Stop from one that is not the loop's; the rest on the loop's.
/// Borrows: loop.
class Gossip {
 public:
  struct Heard {
    std::string address{};
    bool is_there = false;
  };
  struct Callbacks {
    std::function<void()> changed{};
    /// Another process has this one's identity: neither may go on.
    std::function<void(const std::string& why)> conflict{};
  };

  static Result<std::unique_ptr<Gossip>> Start(GossipOptions options, runtime::EventLoop& loop,
                                               Callbacks callbacks);
  ~Gossip() { Stop(); }

  std::string address() const { return io::ToString(node_->address()); }
  /// Nodes of the map are called when nobody else answers.
  void SetSeeds(const ClusterMap& map);
  /// What was heard of nodes by themselves. Who is not in it has not been heard of.
  const std::map<NodeNumber, Heard>& heard() const { return heard_; }

  /// Says goodbye, so that nobody has to find out.
  void Stop();

 private:
  explicit Gossip(GossipOptions options) : options_(std::move(options)) {}
  void OnEvent(const swim::Event& event);

  const GossipOptions options_;
  Callbacks callbacks_;
  std::unique_ptr<swim::SwimNode> node_;
  std::map<NodeNumber, Heard> heard_;
  std::map<NodeNumber, std::pair<swim::NodeId, swim::Generation>> from_;
};

}  // namespace orochi::kv
