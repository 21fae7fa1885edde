#include "kv/http/internal/connection_server.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace orochi::kv::http {
namespace {

constexpr int64_t kNanosInMicro = 1'000;
constexpr int kBacklog = 1024;
constexpr int64_t kUndisturbedUs = 1'000'000;

// Whether the library's callback is called to refuse a connection, not to serve it.
thread_local bool refusing = false;
// Whether the connection of this thread is to close after the answer.
thread_local bool closing = false;

}  // namespace

Tokens::Tokens() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE)) {}

void Tokens::Give(uint64_t count) {
  [[maybe_unused]] ssize_t const written =
      ::write(descriptor_.number(), &count, sizeof count);  // full only after 2^64 of them
}

bool Tokens::Take() {
  uint64_t count = 0;
  return ::read(descriptor_.number(), &count, sizeof count) == sizeof count;
}

// Threads that serve, and a bounded queue of connections before them.
class ConnectionServer::Pool final : public httplib::TaskQueue {
 public:
  explicit Pool(ConnectionServer& server) : server_(server) {
    for (size_t index = 0; index < server_.options_.connection_count_max; ++index) {
      threads_.emplace_back([this] { Run(); });
    }
  }

  // On the listener's thread.
  void enqueue(std::function<void()> connection) override {
    bool has_room = false;
    {
      std::lock_guard const guard(mutex_);
      has_room = waiting_.size() < server_.options_.waiting_count_max + resting_count_;
      if (has_room) {
        waiting_.push_back(std::move(connection));
        if (waiting_.size() > resting_count_) {
          server_.room_wanted_.Give(1);
        }
        server_.waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
        asked_.notify_one();
      }
    }
    if (!has_room) {
      refusing = true;
      connection();
      refusing = false;
    }
  }

  void shutdown() override {
    {
      std::lock_guard const guard(mutex_);
      ended_ = true;
      asked_.notify_all();
    }
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

 private:
  void Run() {
    while (true) {
      std::function<void()> connection;
      {
        std::unique_lock lock(mutex_);
        ++resting_count_;
        asked_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
        --resting_count_;
        if (waiting_.empty()) {
          return;
        }
        connection = std::move(waiting_.front());
        waiting_.pop_front();
        if (waiting_.empty()) {
          while (server_.room_wanted_.Take()) {  // nobody wants it any more
          }
        }
        server_.waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
      }
      connection();
    }
  }

  ConnectionServer& server_;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_, as the next two
  size_t resting_count_ = 0;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

ConnectionServer::ConnectionServer(Options options, Clock& clock, std::unique_ptr<TlsIdentity> tls)
    : options_(std::move(options)), clock_(clock), tls_(std::move(tls)) {
  new_task_queue = [this] { return new Pool(*this); };  // the library deletes it
}

void ConnectionServer::WidenBacklog() {
  ::listen(svr_sock_, kBacklog);
}

void ConnectionServer::CloseAfterAnswer() {
  closing = true;
}

void ConnectionServer::StopAll() {
  stopping_.Give(1);  // which nobody takes
  stop();
}

ServerStatistics ConnectionServer::statistics() const {
  return {.open_count = open_count_.load(std::memory_order_relaxed),
          .waiting_count = waiting_count_.load(std::memory_order_relaxed),
          .accepted_count = accepted_count_.load(std::memory_order_relaxed),
          .refused_count = refused_count_.load(std::memory_order_relaxed),
          .tls_failed_count = tls_failed_count_.load(std::memory_order_relaxed)};
}

bool ConnectionServer::process_and_close_socket(socket_t socket) {
  if (refusing) {
    Refuse(socket);
    return false;
  }
  accepted_count_.fetch_add(1, std::memory_order_relaxed);
  open_count_.fetch_add(1, std::memory_order_relaxed);
  {
    Connection connection(io::Descriptor(socket), clock_, options_.limits);
    if (tls_ == nullptr || connection.Handshake(tls_->Current())) {
      Serve(connection);
      connection.Finish();
    } else {
      tls_failed_count_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  open_count_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

// One that has just been used is left alone, so that its client does not send into its end.
bool ConnectionServer::AwaitRequest(Connection& connection, bool is_first) {
  using Wait = Connection::Wait;
  int64_t const now_ns = clock_.MonotonicNanos();
  int64_t const patience_us =
      is_first ? options_.limits.read_us_max : std::min(kUndisturbedUs, options_.keep_alive_us);
  Wait wait =
      connection.AwaitBytes(now_ns + patience_us * kNanosInMicro, -1, stopping_.descriptor());
  if (is_first || wait != Wait::kTimeOver) {
    return wait == Wait::kReadable;
  }
  int64_t const until_ns = now_ns + options_.keep_alive_us * kNanosInMicro;
  do {
    wait = connection.AwaitBytes(until_ns, room_wanted_.descriptor(), stopping_.descriptor());
  } while (wait == Wait::kStirred && !room_wanted_.Take());
  return wait == Wait::kReadable;
}

void ConnectionServer::Serve(Connection& connection) {
  for (bool is_first = true; AwaitRequest(connection, is_first); is_first = false) {
    connection.BeginRequest();
    closing = false;
    bool ended = false;
    bool const answered =
        process_request(connection, false, ended, [&](httplib::Request&) { connection.EndHead(); });
    if (connection.head_too_large()) {
      connection.TellInstead(options_.too_large_reply);
    }
    // What follows a head that was not understood is not the next request's. And who always has
    // another one does not keep the server from stopping.
    bool const stops = svr_sock_ == INVALID_SOCKET;
    if (!answered || ended || stops || closing || connection.is_in_head()) {
      return;
    }
  }
}

// On the listener's thread, which waits for nobody. One who speaks TLS would not understand it.
void ConnectionServer::Refuse(socket_t socket) {
  refused_count_.fetch_add(1, std::memory_order_relaxed);
  Connection connection(io::Descriptor(socket), clock_, options_.limits);
  if (tls_ == nullptr) {
    ::send(socket, options_.busy_reply.data(), options_.busy_reply.size(),
           MSG_DONTWAIT | MSG_NOSIGNAL);
    connection.Finish();
  }
}

}  // namespace orochi::kv::http
