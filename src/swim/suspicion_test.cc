// Goal: how long suspicions last and how often rumours are sent. Method: against the formulas.
#include "swim/suspicion.h"

#include <gtest/gtest.h>

#include "swim/gossip_queue.h"

namespace orochi::swim {
namespace {

NodeId Node(uint64_t number) {
  return {1, number};
}

TEST(Suspicion, ShrinksWithEachAccuser) {
  Options const options = LocalProfile();
  EXPECT_EQ(SuspicionTimeoutMin(options, 5), 2'000'000);
  EXPECT_EQ(SuspicionTimeoutMax(options, 5), 12'000'000);
  EXPECT_NEAR(static_cast<double>(SuspicionTimeoutMin(options, 64)), 3'612'000, 1'000);
  Suspicion suspicion(options, 5, 100, Node(1));
  EXPECT_EQ(suspicion.deadline_us(), 12'000'100);
  EXPECT_FALSE(suspicion.Confirm(Node(1)));  // the same says it again
  EXPECT_TRUE(suspicion.Confirm(Node(2)));
  EXPECT_NEAR(static_cast<double>(suspicion.timeout_us()), 12e6 - 10e6 * 0.6309, 1e4);
  EXPECT_TRUE(suspicion.Confirm(Node(3)));
  EXPECT_EQ(suspicion.deadline_us(), 2'000'100);
  EXPECT_FALSE(suspicion.Confirm(Node(4)));  // enough
}

TEST(Suspicion, IsShortWhereNobodyCouldConfirm) {
  for (size_t const count : {2U, 3U}) {
    Suspicion suspicion(LocalProfile(), count, 0, Node(1));
    EXPECT_EQ(suspicion.deadline_us(), 2'000'000);
    EXPECT_FALSE(suspicion.Confirm(Node(2)));
  }
}

class GossipQueueTest : public testing::Test {
 protected:
  std::vector<uint64_t> Fill(size_t size_bytes_max = 1'400) {
    PacketHead head{.cluster = {1, 1}, .sender = records_.at(1)};
    PacketBuilder builder(head, size_bytes_max);
    queue_.Fill(builder, 2, [this](NodeId id) {
      auto const known = records_.find(id.low);
      return known == records_.end() ? nullptr : &known->second;
    });
    std::vector<uint64_t> sent;
    auto const packet = DecodePacket(std::move(builder).Finish());
    for (const Record& record : packet->records) {
      sent.push_back(record.id.low);
    }
    return sent;
  }
  void Put(uint64_t number) {
    records_[number] = {.id = Node(number), .generation = Generation(1), .address = {}};
    queue_.Put(Node(number));
  }

  GossipQueue queue_;
  std::map<uint64_t, Record> records_{{1, {.id = Node(1), .generation = Generation(1)}}};
};

TEST_F(GossipQueueTest, SendsLeastSentThenNewestAndThenNoMore) {
  Put(2);
  Put(3);
  EXPECT_EQ(Fill(), (std::vector<uint64_t>{3, 2}));
  Put(4);
  EXPECT_EQ(Fill(), (std::vector<uint64_t>{4, 3, 2}));
  EXPECT_EQ(Fill(), (std::vector<uint64_t>{4}));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(GossipQueueTest, NewsOfOneMemberIsOneEntry) {
  Put(2);
  Put(2);
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(Fill(), (std::vector<uint64_t>{2}));
  Put(2);
  EXPECT_EQ(Fill(), (std::vector<uint64_t>{2}));
  EXPECT_EQ(Fill(), (std::vector<uint64_t>{2}));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(GossipQueueTest, WhatDoesNotFitComesNext) {
  for (uint64_t number = 2; number < 42; ++number) {
    Put(number);
  }
  auto const first = Fill(600);
  auto const second = Fill(600);
  EXPECT_GT(first.size(), 10U);
  EXPECT_EQ(second.front(), first.back() - 1);
}

TEST_F(GossipQueueTest, ForgetsWhoIsNoMemberAnyMore) {
  Put(2);
  records_.erase(2);
  EXPECT_TRUE(Fill().empty());
  EXPECT_TRUE(Fill().empty());
  EXPECT_TRUE(queue_.empty());
}

}  // namespace
}  // namespace orochi::swim
