#pragma once

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "io/posix/sockets.h"
#include "kv/http/internal/connection.h"
#include "kv/http/internal/tls_identity.h"
#include "kv/http/server.h"

namespace orochi::kv::http {

/// An eventfd that counts: each Take takes one of what was given.
class Tokens {
 public:
  Tokens();
  void Give(uint64_t count);
  bool Take();
  int descriptor() const { return descriptor_.number(); }

 private:
  io::Descriptor descriptor_;
};

/// The library's server with connections of our own: a thread each while they are open, at most
/// `connection_count_max`; others wait, at most `waiting_count_max`, and those beyond are told 503
/// and closed. A connection that rests between requests makes room when others wait.
///
/// Threads: as the library has them.    Borrows: clock.
class ConnectionServer final : public httplib::Server {
 public:
  struct Options {
    size_t connection_count_max = 1;
    size_t waiting_count_max = 1;
    int64_t keep_alive_us = 0;
    ConnectionLimits limits{};
    std::string busy_reply{};  // whole, with its head
    std::string too_large_reply{};
  };
  ConnectionServer(Options options, Clock& clock, std::unique_ptr<TlsIdentity> tls);

  /// More connections may wait for the listener than the library asks for.
  void WidenBacklog();
  /// From within a handler: its request was not read to its end, so what follows is none. The
  /// connection closes after the answer.
  static void CloseAfterAnswer();
  /// Ends rest between requests; then httplib::Server::stop.
  void StopAll();
  ServerStatistics statistics() const;

 private:
  class Pool;

  bool process_and_close_socket(socket_t socket) override;
  void Serve(Connection& connection);
  bool AwaitRequest(Connection& connection, bool is_first);
  void Refuse(socket_t socket);

  const Options options_;
  Clock& clock_;
  const std::unique_ptr<TlsIdentity> tls_;
  Tokens room_wanted_;
  Tokens stopping_;
  std::atomic<uint64_t> open_count_{0};
  std::atomic<uint64_t> waiting_count_{0};
  std::atomic<uint64_t> accepted_count_{0};
  std::atomic<uint64_t> refused_count_{0};
  std::atomic<uint64_t> tls_failed_count_{0};
};

}  // namespace orochi::kv::http
