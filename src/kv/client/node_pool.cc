#include "kv/client/node_pool.h"

#include <charconv>
#include <utility>

#include "base/str_cat.h"

namespace orochi::kv::client {
namespace {

// Less than the 30 seconds after which a node closes a connection, so that requests do not meet
// that.
constexpr int64_t kIdleUsMax = 15'000'000;
constexpr int64_t kDownUs = 500'000;

}  // namespace

std::string NodeAddress::Text() const {
  if (!socket_path.empty()) {
    return StrCat("unix:", socket_path);
  }
  bool const is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? StrCat("[", host, "]:", port) : StrCat(host, ":", port);
}

Result<NodeAddress> ParseNodeAddress(std::string_view text) {
  auto const refuse = [text] {
    return Status::InvalidArgument(StrCat("node address '", text, "': expected HOST:PORT, ",
                                          "[IPV6]:PORT or unix:PATH, as in 127.0.0.1:8001"));
  };
  if (text.starts_with("unix:")) {
    std::string_view const path = text.substr(5);
    return path.empty() ? Result<NodeAddress>(refuse())
                        : NodeAddress{.socket_path = std::string(path)};
  }
  if (text.starts_with("https://")) {
    return Status::Unsupported(StrCat("node address '", text, "': this client has no TLS"))
        .WithHint("let a local proxy speak TLS, or use a Unix socket");
  }
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  }
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  size_t const colon = rest.rfind(':');
  if (colon == std::string_view::npos) {
    return refuse();
  }
  std::string_view host = rest.substr(0, colon);
  std::string_view const port = rest.substr(colon + 1);
  NodeAddress address;
  auto const parsed = std::from_chars(port.data(), port.data() + port.size(), address.port);
  bool const has_port =
      parsed.ec == std::errc() && parsed.ptr == port.data() + port.size() && address.port != 0;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return refuse();
  }
  for (char const letter : host) {
    if (letter <= ' ' || letter == '/' || letter == '@' || letter == '?' || letter == 127) {
      return refuse();
    }
  }
  if (!has_port || host.empty()) {
    return refuse();
  }
  address.host = std::string(host);
  return address;
}

NodePool::NodePool(std::vector<NodeAddress> nodes, size_t idle_count_max, Clock& clock)
    : clock_(clock), idle_count_max_(idle_count_max) {
  for (NodeAddress& address : nodes) {
    nodes_.push_back({.address = std::move(address)});
  }
}

size_t NodePool::Preferred() {
  std::lock_guard const lock(mutex_);
  int64_t const now_us = NowMicros();
  for (size_t step = 0; step < nodes_.size(); ++step) {
    size_t const node = (preferred_ + step) % nodes_.size();
    if (nodes_[node].down_until_us <= now_us) {
      preferred_ = node;
      return node;
    }
  }
  return preferred_;
}

void NodePool::MarkDown(size_t node) {
  std::lock_guard const lock(mutex_);
  nodes_[node].down_until_us = NowMicros() + kDownUs;
}

void NodePool::MarkUp(size_t node) {
  std::lock_guard const lock(mutex_);
  nodes_[node].down_until_us = 0;
}

Result<PooledStream> NodePool::Take(size_t node, int64_t timeout_us) {
  while (true) {
    std::optional<Idle> idle;
    {
      std::lock_guard const lock(mutex_);
      auto& waiting = nodes_[node].idle;
      if (!waiting.empty()) {
        idle = std::move(waiting.back());
        waiting.pop_back();
      }
    }
    if (!idle) {
      break;
    }
    if (NowMicros() - idle->since_us < kIdleUsMax && idle->stream.IsQuiet()) {
      return PooledStream{.stream = std::move(idle->stream), .is_fresh = false};
    }
  }
  const NodeAddress& to = nodes_[node].address;
  auto stream = to.socket_path.empty() ? io::ClientStream::ConnectTcp(to.host, to.port, timeout_us)
                                       : io::ClientStream::ConnectUnix(to.socket_path, timeout_us);
  if (!stream.ok()) {
    return std::move(stream).status();
  }
  return PooledStream{.stream = *std::move(stream)};
}

void NodePool::Put(size_t node, PooledStream stream) {
  std::lock_guard const lock(mutex_);
  auto& idle = nodes_[node].idle;
  if (idle.size() < idle_count_max_) {
    idle.push_back({.stream = std::move(stream.stream), .since_us = NowMicros()});
  }
}

}  // namespace orochi::kv::client
