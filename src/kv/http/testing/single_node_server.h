#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "io/posix/system_clock.h"
#include "kv/gateway/gateway.h"
#include "kv/gateway/testing/memory_catalog.h"
#include "kv/gateway/testing/single_node.h"
#include "kv/http/server.h"
#include "kv/http/service.h"
#include "kv/runtime/event_loop.h"

namespace orochi::kv::http::testing {

/// The whole service over a cluster of one node in memory, on a real loop and real sockets.
///
/// Threads: the test's; OnLoop gives it the loop's.
class SingleNodeServer final : public Executor {
 public:
  struct Options {
    GatewayOptions gateway = {};
    ServiceOptions service = {};
    ServerOptions server = {};
  };
  explicit SingleNodeServer(Options options) {
    auto loop = runtime::EventLoop::Start({}, clock_, {});
    ASSERT(loop.ok());
    loop_ = *std::move(loop);
    OnLoop([&] {
      auto const schedule = [this](int64_t delay_us, std::function<void()> event) {
        if (delay_us == 0) {
          loop_->Post(std::move(event));
        } else {
          loop_->After(delay_us, std::move(event));
        }
      };
      // The first two collections lie in two partitions each.
      node_ = std::make_unique<kv::testing::SingleNode>(
          schedule, [this] { return loop_->NowNanos() / 1000; },
          std::vector<std::string>{std::string("\0\0\0\1\x80", 5), std::string("\0\0\0\2", 4),
                                   std::string("\0\0\0\2\x80", 5), std::string("\0\0\0\3", 4)});
      catalog_ = std::make_unique<kv::testing::MemoryCatalog>(
          [this](std::function<void()> event) { loop_->Post(std::move(event)); });
      gateway_ = std::make_unique<Gateway>(*node_, *catalog_, random_, options.gateway);
      service_ = std::make_unique<Service>(*gateway_, options.service);
    });
    auto server = Server::Start(options.server, *this, clock_, [this](Call call, Done done) {
      service_->Handle(std::move(call), std::move(done));
    });
    ASSERT(server.ok());
    server_ = *std::move(server);
  }
  ~SingleNodeServer() override {
    server_->Stop();
    loop_->Stop();
  }

  Status Offer(std::function<void()> task) override {
    return refuses_ ? Status::ResourceExhausted("too much waits") : loop_->Offer(std::move(task));
  }
  void OnLoop(const std::function<void()>& task) {
    std::mutex mutex;
    std::condition_variable ended;
    bool over = false;
    loop_->Post([&] {
      task();
      std::lock_guard const lock(mutex);
      over = true;
      ended.notify_one();
    });
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return over; });
  }

  int port() const { return server_->port(); }
  ServerStatistics statistics() const { return server_->statistics(); }
  kv::testing::SingleNode& node() { return *node_; }  // on the loop
  void RefuseTasks(bool on) { refuses_ = on; }

 private:
  io::SystemClock clock_;
  SeededRandom random_{2026};
  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<kv::testing::SingleNode> node_;
  std::unique_ptr<kv::testing::MemoryCatalog> catalog_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Server> server_;
  std::atomic<bool> refuses_{false};
};

}  // namespace orochi::kv::http::testing
