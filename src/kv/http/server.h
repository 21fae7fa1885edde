#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kv/http/message.h"

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
  size_t thread_count = 64;   // connections that are served at a time; others wait
  size_t body_size_bytes_max = 16 * 1024 * 1024;
  int64_t deadline_us = 10'000'000;  // of a request
  int keep_alive_s = 30;
  /// Called on the connection's thread after each answer.
  std::function<void(const Served&)> on_served{};
};

/// HTTP/1.1 with keep-alive around a service: threads read and write, the loop does the rest. Each
/// connection has a thread while it is open.
///
/// Life:    Start -> Stop, which waits for requests under way. The loop must still run then.
/// Threads: any.    Borrows: executor, clock.
class Server {
 public:
  /// Runs on the loop.
  using Handler = std::function<void(Call call, Done done)>;

  /// Listens when it returns. kUnavailable when it cannot.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Executor& executor,
                                               Clock& clock, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;  // that it listens on; 0 for a Unix socket
  void Stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace orochi::kv::http
