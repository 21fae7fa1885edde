#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/client/message_pack.h"

namespace orochi::kv::client::testing {

/// What a scripted node does with a request that it has read.
struct Act {
  enum class Kind : uint8_t {
    kAnswer,
    kClose,   // without a word
    kSilence  // until the client goes
  };
  Kind kind = Kind::kAnswer;
  std::string bytes = {};
};

inline Act Answer(int status, const Object& document, const std::string& headers = "") {
  std::string const body = WriteMessagePack(document);
  return {.bytes = StrCat("HTTP/1.1 ", status, " X\r\nContent-Type: application/x-msgpack\r\n",
                          headers, "Content-Length: ", body.size(), "\r\n\r\n", body)};
}
inline Act Refuse(int status, const std::string& code, const std::string& headers = "") {
  return Answer(status, {{"code", code}, {"message", StrCat("it is ", code)}}, headers);
}

/// A node that answers by a script, one request after the other, on a loopback port of its own;
/// past the script with 200. Counts what it read.
///
/// Threads: one of its own.
class ScriptedNode {
 public:
  explicit ScriptedNode(std::vector<Act> script) : script_(script.begin(), script.end()) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size_bytes = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    ASSERT(::bind(listener_, raw, size_bytes) == 0);
    ASSERT(::listen(listener_, 16) == 0);
    ASSERT(::getsockname(listener_, raw, &size_bytes) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedNode() { Stop(); }
  void Stop() {
    ends_ = true;
    if (thread_.joinable()) {
      thread_.join();
      ::close(listener_);
    }
  }

  std::string address() const { return StrCat("127.0.0.1:", port_); }
  std::vector<std::string> requests() {  // whole, as they came
    std::lock_guard const lock(mutex_);
    return requests_;
  }

 private:
  bool Await(int descriptor) const {
    while (!ends_) {
      pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
      if (::poll(&entry, 1, 10) > 0) {
        return true;
      }
    }
    return false;
  }

  void Serve() {
    std::vector<std::thread> connections;
    while (Await(listener_)) {
      int const connection = ::accept(listener_, nullptr, nullptr);
      connections.emplace_back([this, connection] {
        while (ServeOne(connection)) {
        }
        ::close(connection);
      });
    }
    for (std::thread& one : connections) {
      one.join();
    }
  }

  // false: the connection is over.
  bool ServeOne(int connection) {
    std::string request;
    while (!IsWhole(request)) {
      std::array<char, 4096> buffer;
      if (!Await(connection)) {
        return false;
      }
      ssize_t const came = ::recv(connection, buffer.data(), buffer.size(), 0);
      if (came <= 0) {
        return false;
      }
      request.append(buffer.data(), static_cast<size_t>(came));
    }
    Act const act = Next(std::move(request));
    if (act.kind == Act::Kind::kSilence) {
      Await(connection);  // for the client to go
      return false;
    }
    return act.kind == Act::Kind::kAnswer &&
           ::send(connection, act.bytes.data(), act.bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(act.bytes.size());
  }

  static bool IsWhole(const std::string& request) {
    size_t const end = request.find("\r\n\r\n");
    if (end == std::string::npos) {
      return false;
    }
    size_t const length = request.find("Content-Length: ");
    size_t const size_bytes =
        length < end ? std::strtoul(request.c_str() + length + 16, nullptr, 10) : 0;
    return request.size() >= end + 4 + size_bytes;
  }

  Act Next(std::string request) {
    std::lock_guard const lock(mutex_);
    requests_.push_back(std::move(request));
    if (script_.empty()) {
      return Answer(200, {{"timestamp", 1}});
    }
    Act act = std::move(script_.front());
    script_.pop_front();
    return act;
  }

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ends_{false};
  std::thread thread_;
  std::mutex mutex_;
  std::deque<Act> script_;             // guarded by mutex_
  std::vector<std::string> requests_;  // guarded by mutex_
};

}  // namespace orochi::kv::client::testing
