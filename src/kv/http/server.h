#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kv/http/message.h"
#include "kv/http/server_tls.h"

namespace orochi::kv::http {

/// The loop that owns the gateway, as HTTP threads see it.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Runs `task` on the loop some time. kResourceExhausted, kUnavailable: it will not.
  virtual Status Offer(std::function<void()> task) = 0;
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;               // 0: any that is free
  std::string socket_path{};  // a Unix socket instead

  std::optional<TlsOptions> tls{};
  std::string tokens_path{};  // empty: everybody may do everything
  int64_t tokens_reload_us = 1'000'000;

  size_t thread_count = 256;            // connections that are served at a time
  size_t waiting_count_max = 1024;      // that wait for it; more are told 503
  size_t client_request_count_max = 0;  // under way at a time, more are told 429; 0: no bound
  size_t head_size_bytes_max = 64 * 1024;
  size_t body_size_bytes_max = 16 * 1024 * 1024;
  int64_t read_us_max = 5'000'000;      // without a byte of a request
  int64_t request_us_max = 60'000'000;  // from its first byte to its last
  int64_t deadline_us = 10'000'000;     // from there to its answer
  int keep_alive_s = 30;

  uint64_t instance = 0;  // drawn by each process: part of the ids of requests
  /// Called on the connection's thread after each answer.
  std::function<void(const Served&)> on_served{};
  /// Files that were changed and cannot be used; on any thread.
  std::function<void(const Status&)> on_bad_file{};
};

struct ServerStatistics {
  uint64_t open_count = 0;     // connections, now
  uint64_t waiting_count = 0;  // likewise
  uint64_t accepted_count = 0;
  uint64_t refused_count = 0;  // because too many waited
  uint64_t tls_failed_count = 0;
};

/// HTTP/1.1 with keep-alive around a service, with or without TLS: threads read and write, the loop
/// does the rest. Each connection has a thread while it is open; one that has rested for a second
/// makes room when others wait.
///
/// Life:    Start -> Stop, which waits for requests under way. The loop must still run then.
/// Threads: any.    Borrows: executor, clock.
class Server {
 public:
  /// Runs on the loop.
  using Handler = std::function<void(Call call, Done done)>;

  /// Listens when it returns. kUnavailable when it cannot, kInvalidArgument for files that are no
  /// good.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Executor& executor,
                                               Clock& clock, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;  // that it listens on; 0 for a Unix socket
  ServerStatistics statistics() const;
  void Stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

/// What can be said about the files of `options` without listening.
Status CheckServerFiles(const ServerOptions& options, Clock& clock);

}  // namespace orochi::kv::http
