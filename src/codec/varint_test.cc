// Goal: varints and zigzag carry every number, in the fewest bytes, and no bytes fool the reader.
#include "codec/varint.h"

#include <gtest/gtest.h>

#include <limits>
#include <span>

#include "base/random.h"
#include "base/testing/test_seed.h"
#include "codec/byte_reader.h"

namespace orochi::codec {
namespace {

std::vector<std::byte> Bytes(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (int const value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

TEST(VarintTest, EveryWidthSurvivesTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(11));
  for (uint32_t width = 0; width <= 64; ++width) {
    for (int round = 0; round < 100; ++round) {
      uint64_t const value = width == 0 ? 0 : random.Next() >> (64 - width);
      std::vector<std::byte> bytes;
      AppendVarint(bytes, value);
      ASSERT_EQ(bytes.size(), VarintSizeBytes(value));
      ASSERT_LE(bytes.size(), kVarintSizeBytesMax);
      ByteReader reader(bytes);
      uint64_t found = 0;
      ASSERT_TRUE(reader.ReadVarint(found));
      ASSERT_EQ(found, value);
      ASSERT_EQ(reader.remaining_bytes(), 0u);
      for (size_t size = 0; size < bytes.size(); ++size) {
        ByteReader cut{std::span(bytes).first(size)};
        ASSERT_FALSE(cut.ReadVarint(found)) << "cut to " << size << " bytes";
      }
    }
  }
}

TEST(VarintTest, NumbersPast64BitsAreRefused) {
  uint64_t value = 0;
  auto const greatest = Bytes({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01});
  ByteReader fits(greatest);
  ASSERT_TRUE(fits.ReadVarint(value));
  EXPECT_EQ(value, std::numeric_limits<uint64_t>::max());
  for (int const last : {0x02, 0x7F, 0x80, 0xFF}) {
    auto bytes = greatest;
    bytes.back() = static_cast<std::byte>(last);
    bytes.push_back(std::byte{0});
    ByteReader reader(bytes);
    EXPECT_FALSE(reader.ReadVarint(value)) << last;
  }
}

TEST(VarintTest, ABoundIsKept) {
  auto const bytes = Bytes({0x90, 0x03});  // 400
  uint32_t value = 0;
  ByteReader within(bytes);
  EXPECT_TRUE(within.ReadVarintUpTo(400, value));
  EXPECT_EQ(value, 400u);
  ByteReader past(bytes);
  EXPECT_FALSE(past.ReadVarintUpTo(399, value));
}

TEST(VarintTest, ZigZagKeepsSmallMagnitudesSmall) {
  EXPECT_EQ(ZigZagEncode(0), 0u);
  EXPECT_EQ(ZigZagEncode(-1), 1u);
  EXPECT_EQ(ZigZagEncode(1), 2u);
  EXPECT_EQ(ZigZagEncode(std::numeric_limits<int64_t>::min()),
            std::numeric_limits<uint64_t>::max());
  SeededRandom random(orochi::testing::TestSeed(12));
  for (int round = 0; round < 1000; ++round) {
    auto const value = static_cast<int64_t>(random.Next());
    ASSERT_EQ(ZigZagDecode(ZigZagEncode(value)), value);
  }
}

}  // namespace
}  // namespace orochi::codec
