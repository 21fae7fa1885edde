#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "io/posix/system_clock.h"
#include "kv/peer/peer_transport.h"

namespace orochi::kv::peer::testing {

inline constexpr auto kPatience = std::chrono::seconds(60);  // of a busy machine

/// A node of a test: a loop and a transport, and what came in.
class TestNode {
 public:
  explicit TestNode(uint64_t number, TransportOptions options = {},
                    std::function<void(AdmissionRequest, AnswerAdmission)> on_admission = {})
      : number_(number), random_(number), options_(std::move(options)) {
    auto loop = runtime::EventLoop::Start({}, clock_, {});
    EXPECT_TRUE(loop.ok());
    loop_ = *std::move(loop);
    options_.self = number_;
    options_.cluster = options_.cluster.empty() ? "test" : options_.cluster;
    options_.listen = options_.listen.empty() ? "127.0.0.1:0" : options_.listen;
    auto transport = PeerTransport::Start(
        options_, *loop_, random_,
        {.on_frames =
             [this](NodeNumber from, Lane lane, std::vector<std::string> frames) {
               OnFrames(from, lane, std::move(frames));
             },
         .on_link =
             [this](NodeNumber peer, Lane lane, LinkState state, const std::string& why) {
               std::lock_guard const guard(mutex_);
               states_[{peer, lane}] = state;
               if (!why.empty()) {
                 why_ = why;
               }
               happened_.notify_all();
             },
         .on_admission = std::move(on_admission)});
    EXPECT_TRUE(transport.ok()) << transport.status().ToString();
    if (transport.ok()) {
      transport_ = *std::move(transport);
    }
  }
  ~TestNode() { Stop(); }

  NodeNumber number() const { return number_; }
  const std::string& address() const { return transport_->listen_address(); }
  PeerTransport& transport() { return *transport_; }
  runtime::EventLoop& loop() { return *loop_; }

  void Stop() {
    transport_->Stop();
    loop_->Stop();
  }

  // Runs `call` on the loop's thread and gives what it gives.
  template <class Call>
  auto OnLoop(Call call) {
    std::promise<decltype(call())> done;
    EXPECT_TRUE(loop_->Post([&] { done.set_value(call()); }));
    return done.get_future().get();
  }
  void SetPeer(NodeNumber peer, const std::string& address) {
    OnLoop([&] {
      Status const status = transport_->SetPeer(peer, address);
      EXPECT_TRUE(status.ok()) << status.ToString();
      return 0;
    });
  }
  void SetPeer(TestNode& peer) { SetPeer(peer.number(), peer.address()); }
  SendResult Send(NodeNumber peer, Lane lane, std::string frame) {
    return OnLoop([&] { return transport_->Send(peer, lane, std::move(frame)); });
  }
  LinkStatistics Link(NodeNumber peer, Lane lane = Lane::kUrgent) const {
    auto const statistics = transport_->statistics();
    auto const found = statistics.links.find({peer, lane});
    return found == statistics.links.end() ? LinkStatistics() : found->second;
  }

  // False when it does not become true in time. Looks whenever something happens here.
  bool Await(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    return happened_.wait_for(lock, kPatience, condition);
  }
  bool AwaitState(NodeNumber peer, LinkState state, Lane lane = Lane::kUrgent) {
    return Await([&] {
      auto const found = states_.find({peer, lane});
      return found != states_.end() && found->second == state;
    });
  }
  bool AwaitFrames(NodeNumber from, size_t count, Lane lane = Lane::kUrgent) {
    return Await([&] { return frames_[{from, lane}].size() >= count; });
  }
  // All so far.
  std::vector<std::string> Frames(NodeNumber from, Lane lane = Lane::kUrgent) {
    std::lock_guard const guard(mutex_);
    return frames_[{from, lane}];
  }
  std::string Why() {
    std::lock_guard const guard(mutex_);
    return why_;
  }

 private:
  void OnFrames(NodeNumber from, Lane lane, std::vector<std::string> frames) {
    EXPECT_TRUE(loop_->IsLoopThread());
    std::lock_guard const guard(mutex_);
    auto& all = frames_[{from, lane}];
    for (std::string& frame : frames) {
      all.push_back(std::move(frame));
    }
    happened_.notify_all();
  }

  const NodeNumber number_;
  io::SystemClock clock_;
  SeededRandom random_;
  TransportOptions options_;
  std::unique_ptr<runtime::EventLoop> loop_;

  std::mutex mutex_;
  std::condition_variable happened_;
  std::map<std::pair<NodeNumber, Lane>, std::vector<std::string>> frames_;
  std::map<std::pair<NodeNumber, Lane>, LinkState> states_;
  std::string why_;

  std::unique_ptr<PeerTransport> transport_;  // ends first
};

/// So that a test of many attempts is short.
inline TransportOptions Impatient() {
  TransportOptions options;
  options.backoff_us_min = 5'000;
  options.backoff_us_max = 50'000;
  return options;
}

}  // namespace orochi::kv::peer::testing
