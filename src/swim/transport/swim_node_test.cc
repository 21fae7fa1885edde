// Goal: five nodes on real sockets find each other, notice a crash, a restart on another port and a
// leave. Method: nodes of one process on loopback, each with its thread and data directory; every
// wait is for an event, and bounded.
#include "swim/transport/swim_node.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "swim/transport/stream_frame.h"

namespace orochi::swim {
namespace {

constexpr ClusterId kCluster{5, 6};
constexpr auto kPatience = std::chrono::seconds(40);  // of a busy machine

class SwimNodeTest : public ::testing::Test {
 protected:
  std::unique_ptr<SwimNode> Start(int number, std::vector<io::SocketAddress> seeds,
                                  std::vector<ClusterKey> keys = {}) {
    auto node = SwimNode::Start({.data_directory = StrCat(directory_.path(), "/", number),
                                 .cluster = kCluster,
                                 .seeds = std::move(seeds),
                                 .keys = std::move(keys),
                                 .on_event = [this](const Event& /*event*/) {
                                   std::lock_guard const guard(mutex_);
                                   ++events_;
                                   happened_.notify_all();
                                 }});
    EXPECT_TRUE(node.ok()) << node.status().message();
    return node.ok() ? *std::move(node) : nullptr;
  }

  // Looks whenever any node says something.
  template <class Condition>
  bool Await(Condition condition) {
    auto const deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      std::unique_lock lock(mutex_);
      uint64_t const seen = events_;
      if (condition()) {
        return true;
      }
      if (!happened_.wait_until(lock, deadline, [&] { return events_ != seen; })) {
        return condition();
      }
    }
    return true;
  }

  static Record Find(const SwimNode& node, NodeId id) {
    for (const Record& record : node.Members()) {
      if (record.id == id) {
        return record;
      }
    }
    Record nobody;
    nobody.health = Health::kConflict;
    return nobody;
  }
  static size_t AliveCount(const SwimNode& node) {
    auto const members = node.Members();
    return static_cast<size_t>(std::count_if(members.begin(), members.end(), [](const Record& r) {
      return r.health == Health::kAlive;
    }));
  }

  orochi::testing::TempDir directory_;
  std::mutex mutex_;
  std::condition_variable happened_;
  uint64_t events_ = 0;
};

TEST_F(SwimNodeTest, FiveNodesLiveThroughACrashAMoveAndALeave) {
  std::vector<std::unique_ptr<SwimNode>> nodes;
  nodes.push_back(Start(0, {}));
  ASSERT_NE(nodes[0], nullptr);
  for (int number = 1; number < 5; ++number) {
    nodes.push_back(Start(number, {nodes[0]->address()}));
    ASSERT_NE(nodes.back(), nullptr);
  }
  auto const all_see = [&](auto condition) {
    return Await([&] {
      return std::all_of(nodes.begin(), nodes.end(),
                         [&](const auto& node) { return node == nullptr || condition(*node); });
    });
  };
  ASSERT_TRUE(all_see([](const SwimNode& node) { return AliveCount(node) == 5; }));

  NodeId const moved = nodes[3]->id();
  io::SocketAddress const before = nodes[3]->address();
  nodes[3].reset();  // without a word
  ASSERT_TRUE(all_see([&](const SwimNode& n) { return Find(n, moved).health == Health::kDead; }));

  nodes[3] = Start(3, {nodes[1]->address()});
  ASSERT_NE(nodes[3], nullptr);
  EXPECT_EQ(nodes[3]->id(), moved);
  EXPECT_EQ(nodes[3]->generation().value(), 2U);
  io::SocketAddress const after = nodes[3]->address();
  EXPECT_NE(before, after);
  ASSERT_TRUE(all_see([&](const SwimNode& node) {
    Record const record = Find(node, moved);
    return record.health == Health::kAlive && record.address == after && AliveCount(node) == 5;
  }));

  NodeId const left = nodes[4]->id();
  Status const goodbye = nodes[4]->Leave(10'000);
  EXPECT_TRUE(goodbye.ok()) << goodbye.message();
  EXPECT_EQ(nodes[4]->standing(), Standing::kLeft);
  nodes[4].reset();
  ASSERT_TRUE(all_see([&](const SwimNode& n) { return Find(n, left).health == Health::kLeft; }));
  for (const auto& node : nodes) {
    if (node != nullptr) {
      EXPECT_EQ(node->counters().malformed, 0U);
    }
  }
}

TEST_F(SwimNodeTest, OnlyHoldersOfTheKeyJoin) {
  ClusterKey const key = *ParseClusterKey(std::string(64, 'a'));
  ClusterKey const other = *ParseClusterKey(std::string(64, 'b'));
  auto const first = Start(0, {}, {key});
  auto const stranger = Start(1, {first->address()}, {other});
  auto const open = Start(2, {first->address()});
  auto const second = Start(3, {first->address()}, {key});
  ASSERT_TRUE(Await([&] { return AliveCount(*first) == 2 && AliveCount(*second) == 2; }));
  EXPECT_EQ(Find(*second, first->id()).health, Health::kAlive);
  EXPECT_EQ(stranger->Members().size(), 1U);
  EXPECT_EQ(open->Members().size(), 1U);
}

TEST_F(SwimNodeTest, ADataDirectoryHasOneNode) {
  auto const first = Start(0, {});
  ASSERT_NE(first, nullptr);
  auto const second =
      SwimNode::Start({.data_directory = StrCat(directory_.path(), "/0"), .cluster = kCluster});
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
}

TEST(StreamFrame, ComesInPieces) {
  std::vector<std::byte> const content(300, std::byte{7});
  auto const frame = StreamFrame::Encode(content);
  StreamFrame in;
  for (size_t at = 0; at < frame.size(); ++at) {
    EXPECT_FALSE(in.IsWhole());
    EXPECT_TRUE(in.Add(std::span(frame).subspan(at, 1)));
  }
  ASSERT_TRUE(in.IsWhole());
  EXPECT_TRUE(std::equal(content.begin(), content.end(), in.bytes().begin()));
  EXPECT_FALSE(in.Add(std::span(frame).first(1)));
  StreamFrame huge;
  EXPECT_FALSE(huge.Add(std::vector<std::byte>(4, std::byte{0xFF})));
}

}  // namespace
}  // namespace orochi::swim
