// Goal: quorums and the bytes of a configuration. Method: cases, and damage to each byte.
#include "raft/configuration.h"

#include <gtest/gtest.h>

namespace orochi::raft {
namespace {

std::vector<ReplicaId> Ids(std::initializer_list<uint64_t> values) {
  std::vector<ReplicaId> ids;
  for (uint64_t const value : values) {
    ids.emplace_back(value);
  }
  return ids;
}

TEST(Configuration, AMajorityIsMoreThanHalf) {
  Configuration const four{.voters = Ids({1, 2, 3, 4}), .outgoing = {}, .learners = Ids({9})};
  auto const up_to = [](uint64_t last) {
    return [last](ReplicaId id) { return id.value() <= last; };
  };
  EXPECT_FALSE(four.HasQuorum(up_to(2)));
  EXPECT_TRUE(four.HasQuorum(up_to(3)));
  EXPECT_FALSE(four.HasQuorum([](ReplicaId id) { return id.value() == 9; }));
  EXPECT_FALSE(Configuration().HasQuorum([](ReplicaId) { return true; }));
}

TEST(Configuration, AJointOneNeedsBothMajorities) {
  Configuration const joint{.voters = Ids({3, 4, 5}), .outgoing = Ids({1, 2, 3}), .learners = {}};
  EXPECT_FALSE(joint.HasQuorum([](ReplicaId id) { return id.value() >= 4; }));
  EXPECT_FALSE(joint.HasQuorum([](ReplicaId id) { return id.value() <= 3; }));
  EXPECT_TRUE(joint.HasQuorum([](ReplicaId id) { return id.value() >= 2 && id.value() <= 4; }));
}

TEST(Configuration, TheQuorumValueIsWhatAMajorityHasReached) {
  auto const own = [](ReplicaId id) { return id.value() * 10; };
  Configuration configuration{.voters = Ids({1, 2, 3}), .outgoing = {}, .learners = {}};
  EXPECT_EQ(configuration.QuorumValue(own), 20U);
  configuration.voters = Ids({1, 2, 3, 4});
  EXPECT_EQ(configuration.QuorumValue(own), 20U);
  configuration.voters = Ids({7});
  EXPECT_EQ(configuration.QuorumValue(own), 70U);
  configuration.outgoing = Ids({1, 2, 3});
  EXPECT_EQ(configuration.QuorumValue(own), 20U);
  EXPECT_EQ(Configuration().QuorumValue(own), 0U);
}

TEST(Configuration, BytesComeBackAndDamagedOnesAreRefusedOrAnother) {
  Configuration const configuration{
      .voters = Ids({1, 2, 300}), .outgoing = Ids({2, 3}), .learners = Ids({7})};
  std::string const bytes = EncodeConfiguration(configuration);
  auto const back = DecodeConfiguration(bytes);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(*back, configuration);
  for (size_t size = 0; size < bytes.size(); ++size) {
    auto const cut = DecodeConfiguration(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.status().code(), StatusCode::kCorruption);
  }
  EXPECT_FALSE(DecodeConfiguration(bytes + "x").ok());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int flip = 1; flip < 256; flip += 37) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      auto const read = DecodeConfiguration(damaged);
      if (read.ok()) {
        EXPECT_NE(*read, configuration);
        EXPECT_EQ(EncodeConfiguration(*read), damaged);
      } else {
        EXPECT_EQ(read.status().code(), StatusCode::kCorruption);
      }
    }
  }
}

TEST(Configuration, WhatCannotBeOneIsRefused) {
  EXPECT_FALSE(CheckConfiguration({}).ok());
  EXPECT_FALSE(CheckConfiguration({.voters = Ids({0, 1}), .outgoing = {}, .learners = {}}).ok());
  EXPECT_FALSE(CheckConfiguration({.voters = Ids({2, 1}), .outgoing = {}, .learners = {}}).ok());
  EXPECT_FALSE(CheckConfiguration({.voters = Ids({1}), .outgoing = {}, .learners = Ids({1})}).ok());
  EXPECT_TRUE(
      CheckConfiguration({.voters = Ids({1}), .outgoing = Ids({2}), .learners = Ids({3})}).ok());
}

}  // namespace
}  // namespace orochi::raft
