// Goal: the cache never forgets a read, and with room for all of them knows no more than was read.
// Method: random spans beside a table of every key; a cache with little room answers at least as
// much.
#include "kv/txn/read_cache.h"

#include <gtest/gtest.h>

#include <array>

#include "base/random.h"
#include "base/testing/test_seed.h"

namespace orochi::kv {
namespace {

constexpr size_t kKeyCount = 26;

std::string KeyOf(size_t index) {
  return std::string(1, static_cast<char>('a' + index));
}

TEST(ReadCache, KnowsWhatWasRead) {
  SeededRandom random(orochi::testing::TestSeed(20261121));
  for (int round = 0; round < 50; ++round) {
    ReadCache exact(1'000);
    ReadCache small(4);
    std::array<Timestamp, kKeyCount> read{};
    for (int step = 0; step < 60; ++step) {
      size_t const begin = random.Below(kKeyCount);
      size_t const end = begin + 1 + random.Below(kKeyCount - begin);
      KeySpan const span{.begin = KeyOf(begin), .end = end == kKeyCount ? "" : KeyOf(end)};
      Timestamp const timestamp(1 + random.Below(1'000));
      if (random.OneIn(20)) {
        exact.RaiseAll(timestamp);
        small.RaiseAll(timestamp);
        for (Timestamp& key : read) {
          key = std::max(key, timestamp);
        }
        continue;
      }
      exact.Add(span, timestamp);
      small.Add(span, timestamp);
      for (size_t index = begin; index < end; ++index) {
        read[index] = std::max(read[index], timestamp);
      }
    }
    for (size_t begin = 0; begin < kKeyCount; ++begin) {
      Timestamp latest;
      for (size_t end = begin + 1; end <= kKeyCount; ++end) {
        latest = std::max(latest, read[end - 1]);
        KeySpan const span{.begin = KeyOf(begin), .end = end == kKeyCount ? "" : KeyOf(end)};
        EXPECT_EQ(exact.Latest(span), latest);
        EXPECT_GE(small.Latest(span), latest);
      }
    }
  }
}

TEST(ReadCache, AKeyIsNotItsNeighbour) {
  ReadCache cache(100);
  cache.Add(KeySpan::Of("b"), Timestamp(5));
  EXPECT_EQ(cache.Latest(KeySpan::Of("b")), Timestamp(5));
  EXPECT_EQ(cache.Latest(KeySpan::Of("a")), kNever);
  EXPECT_EQ(cache.Latest(KeySpan::Of("ba")), kNever);
}

}  // namespace
}  // namespace orochi::kv
