// Goal: the range in a chunk's statistics holds every value of the chunk, and is exact where the
// contract says so.
#include "columnar/statistics.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "base/testing/test_seed.h"
#include "columnar/internal/statistics_builder.h"
#include "columnar/testing/column_shapes.h"

namespace orochi::columnar {
namespace {

using testing::OwnedCell;

ChunkStatistics StatisticsOf(PhysicalType type, const std::vector<OwnedCell>& column) {
  internal::ColumnBuffer buffer(type);
  for (const Cell& cell : testing::Borrow(column)) {
    buffer.Grow(cell);
    buffer.Append(cell);
  }
  return internal::BuildStatistics(buffer);
}

std::vector<OwnedCell> Doubles(std::initializer_list<double> values) {
  std::vector<OwnedCell> column;
  for (double const value : values) {
    column.push_back(OwnedCell::Word(PhysicalType::kFloat64, std::bit_cast<uint64_t>(value)));
  }
  return column;
}

TEST(StatisticsTest, IntegersCompareSignedAndNullsDoNotCount) {
  auto const type = PhysicalType::kInt32;
  ChunkStatistics const statistics =
      StatisticsOf(type, {OwnedCell::Null(), OwnedCell::Word(type, static_cast<uint64_t>(-5)),
                          OwnedCell::Word(type, 3), OwnedCell::Null()});
  EXPECT_TRUE(statistics.has_range);
  EXPECT_EQ(static_cast<int64_t>(statistics.min_word), -5);
  EXPECT_EQ(statistics.max_word, 3u);
}

TEST(StatisticsTest, NothingButNullsHasNoRange) {
  for (PhysicalType const type : testing::kEveryType) {
    EXPECT_FALSE(StatisticsOf(type, {OwnedCell::Null()}).has_range);
  }
}

TEST(StatisticsTest, ANanTakesTheRangeAway) {
  EXPECT_FALSE(StatisticsOf(PhysicalType::kFloat64, Doubles({1, std::nan(""), 2})).has_range);
  EXPECT_FALSE(StatisticsOf(PhysicalType::kFloat64, Doubles({std::nan(""), 2})).has_range);
  EXPECT_FALSE(StatisticsOf(PhysicalType::kFloat64, Doubles({1, std::nan("")})).has_range);
}

TEST(StatisticsTest, NegativeZeroCountsAsZero) {
  ChunkStatistics const statistics = StatisticsOf(PhysicalType::kFloat64, Doubles({-0.0, -0.0}));
  EXPECT_EQ(statistics.min_word, 0u);
  EXPECT_EQ(statistics.max_word, 0u);
}

TEST(StatisticsTest, InfinitiesAreValues) {
  double const infinity = std::numeric_limits<double>::infinity();
  ChunkStatistics const statistics =
      StatisticsOf(PhysicalType::kFloat64, Doubles({infinity, 0.5, -infinity}));
  EXPECT_EQ(std::bit_cast<double>(statistics.min_word), -infinity);
  EXPECT_EQ(std::bit_cast<double>(statistics.max_word), infinity);
}

TEST(StatisticsTest, LongBoundsAreCutAndSaySo) {
  std::string const low(kBoundBytesMax, 'a');
  std::string const high(kBoundBytesMax + 1, 'z');
  ChunkStatistics const statistics =
      StatisticsOf(PhysicalType::kBytes, {OwnedCell::Bytes(high), OwnedCell::Bytes(low)});
  EXPECT_EQ(statistics.min_bytes, low);
  EXPECT_FALSE(statistics.min_truncated);
  EXPECT_EQ(statistics.max_bytes, high.substr(0, kBoundBytesMax));
  EXPECT_TRUE(statistics.max_truncated);
}

TEST(StatisticsTest, EveryByteStringLiesWithinTheBounds) {
  SeededRandom random(orochi::testing::TestSeed(51));
  for (int round = 0; round < 300; ++round) {
    std::vector<OwnedCell> column;
    std::string const prefix(random.Below(40), 'p');
    for (uint64_t row = 0; row <= random.Below(20); ++row) {
      column.push_back(OwnedCell::Bytes(prefix + testing::RandomText(10, random)));
    }
    ChunkStatistics const statistics = StatisticsOf(PhysicalType::kBytes, column);
    ASSERT_TRUE(statistics.has_range);
    for (const OwnedCell& cell : column) {  // std::string compares bytes as unsigned
      ASSERT_LE(statistics.min_bytes, cell.bytes);
      ASSERT_TRUE(cell.bytes <= statistics.max_bytes ||
                  (statistics.max_truncated && cell.bytes.starts_with(statistics.max_bytes)));
    }
  }
}

}  // namespace
}  // namespace orochi::columnar
