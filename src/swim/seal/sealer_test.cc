// Goal: only a holder of the cluster's key makes packets that are opened, each once.
// Method: packets sealed and opened, then damaged, repeated, reordered, and under other keys.
#include "swim/seal/sealer.h"

#include <gtest/gtest.h>

#include <deque>

namespace orochi::swim {
namespace {

std::vector<std::byte> Bytes(size_t size_bytes) {
  std::vector<std::byte> bytes(size_bytes);
  for (size_t index = 0; index < size_bytes; ++index) {
    bytes[index] = static_cast<std::byte>(index * 7);
  }
  return bytes;
}

ClusterKey Key(char digit) {
  return *ParseClusterKey(std::string(64, digit));
}

class SealerTest : public testing::Test {
 protected:
  Sealer Make(std::vector<ClusterKey> keys) { return *Sealer::Create(keys, random_); }
  SeededRandom random_{5};
};

TEST_F(SealerTest, WhatIsSealedIsOpened) {
  Sealer a = Make({Key('1')});
  Sealer b = Make({Key('1')});
  for (size_t const size_bytes : {0U, 1U, 100U, 1'355U, 100'000U}) {
    auto const sealed = a.Seal(Bytes(size_bytes));
    EXPECT_EQ(sealed.size(), size_bytes + kSealSizeBytes);
    auto opened = b.Open(sealed);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_EQ(*opened, Bytes(size_bytes));
  }
}

TEST_F(SealerTest, TheSamePacketIsNeverSealedAlike) {
  Sealer a = Make({Key('1')});
  Sealer b = Make({Key('1')});
  auto const one = a.Seal(Bytes(50));
  auto const two = a.Seal(Bytes(50));
  auto const other = b.Seal(Bytes(50));
  auto const body = [](const std::vector<std::byte>& sealed) {
    return std::vector<std::byte>(sealed.begin() + 29, sealed.end());
  };
  EXPECT_NE(body(one), body(two));
  EXPECT_NE(body(one), body(other));
}

TEST_F(SealerTest, EveryDamagedBitIsNoticed) {
  Sealer a = Make({Key('1')});
  Sealer b = Make({Key('1')});
  auto sealed = a.Seal(Bytes(40));
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto const mask = static_cast<std::byte>(1U << (bit % 8));
    sealed[bit / 8] ^= mask;
    EXPECT_EQ(b.Open(sealed).status().code(), StatusCode::kPermissionDenied) << bit;
    sealed[bit / 8] ^= mask;
  }
  for (size_t size_bytes = 0; size_bytes < sealed.size(); ++size_bytes) {
    EXPECT_FALSE(b.Open(std::span(sealed).first(size_bytes)).ok()) << size_bytes;
  }
  EXPECT_TRUE(b.Open(sealed).ok());
  EXPECT_EQ(b.counters().replayed, 0U);
}

TEST_F(SealerTest, AnotherKeyIsRefused) {
  Sealer a = Make({Key('1')});
  Sealer b = Make({Key('2')});
  EXPECT_EQ(b.Open(a.Seal(Bytes(9))).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(b.counters().unknown_key, 1U);
  EXPECT_EQ(b.Open(Bytes(100)).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(b.counters().unsealed, 1U);
}

TEST_F(SealerTest, APacketIsOpenedOnce) {
  Sealer a = Make({Key('1')});
  Sealer b = Make({Key('1')});
  std::deque<std::vector<std::byte>> late;
  for (uint64_t count = 0; count < 3 * Sealer::kReplayWindow; ++count) {
    late.push_back(a.Seal(Bytes(3)));
  }
  // Within the window any order will do, but none twice.
  for (uint64_t index = Sealer::kReplayWindow; index > 0; --index) {
    EXPECT_TRUE(b.Open(late[index - 1]).ok()) << index;
  }
  for (uint64_t index = 0; index < Sealer::kReplayWindow; ++index) {
    EXPECT_FALSE(b.Open(late[index]).ok()) << index;
  }
  EXPECT_EQ(b.counters().replayed, Sealer::kReplayWindow);
  // Past it they are too old to know.
  EXPECT_TRUE(b.Open(late.back()).ok());
  EXPECT_FALSE(b.Open(late[Sealer::kReplayWindow + 5]).ok());
  EXPECT_TRUE(b.Open(late[2 * Sealer::kReplayWindow]).ok());
  EXPECT_FALSE(b.Open(late[2 * Sealer::kReplayWindow]).ok());
  EXPECT_FALSE(b.Open(late.back()).ok());
}

TEST_F(SealerTest, KeysAreRotatedWithoutLoss) {
  Sealer old_only = Make({Key('1')});
  Sealer accepts_new = Make({Key('1'), Key('2')});
  Sealer uses_new = Make({Key('2'), Key('1')});
  Sealer new_only = Make({Key('2')});
  EXPECT_TRUE(accepts_new.Open(old_only.Seal(Bytes(8))).ok());
  EXPECT_TRUE(old_only.Open(accepts_new.Seal(Bytes(8))).ok());
  EXPECT_TRUE(accepts_new.Open(uses_new.Seal(Bytes(8))).ok());
  EXPECT_TRUE(uses_new.Open(accepts_new.Seal(Bytes(8))).ok());
  EXPECT_TRUE(new_only.Open(uses_new.Seal(Bytes(8))).ok());
  EXPECT_FALSE(new_only.Open(old_only.Seal(Bytes(8))).ok());
}

TEST_F(SealerTest, StrangeKeysAreRefused) {
  EXPECT_FALSE(Sealer::Create({}, random_).ok());
  EXPECT_FALSE(Sealer::Create(std::vector<ClusterKey>{Key('1'), Key('1')}, random_).ok());
  EXPECT_FALSE(ParseClusterKey("abc").ok());
  EXPECT_FALSE(ParseClusterKey(std::string(63, 'a') + "g").ok());
  auto const refused = ParseClusterKey(std::string(60, 's'));
  EXPECT_EQ(refused.status().message().find("sss"), std::string::npos);
}

}  // namespace
}  // namespace orochi::swim
