// Goal: chunk ranges tile time without gap or overlap, on calendar and fixed lengths, up to the
// ends of every type. Method: known dates, then random values checked against their neighbours.
#include "timeseries/chunk_range.h"
#include "timeseries/calendar.h"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

namespace orochi::timeseries {
namespace {

constexpr int64_t kHour = int64_t{3600} * 1'000'000;

int64_t Micros(int64_t year, int32_t month, int32_t day) {
  return (FirstDayOfMonth((year - 2000) * 12 + month - 1) + day - 1) * kMicrosPerDay;
}

ChunkRange Range(TimeKind kind, ChunkInterval interval, int64_t value) {
  Result<ChunkRange> const range = RangeFor(kind, interval, value);
  EXPECT_TRUE(range.ok()) << range.status().ToString();
  return *range;
}

TEST(ChunkRangeTest, WeeksStartOnMonday) {
  ChunkInterval const week = *IntervalFromParts(TimeKind::kMicros, 0, 7, 0);
  // 2026-11-20 is a Friday.
  ChunkRange const range = Range(TimeKind::kMicros, week, Micros(2026, 11, 20) + 5 * kHour);
  EXPECT_EQ(range.first, Micros(2026, 11, 16));
  EXPECT_EQ(range.last, Micros(2026, 11, 23) - 1);
  ChunkInterval const week_of_dates = *IntervalFromParts(TimeKind::kDays, 0, 7, 0);
  EXPECT_EQ(Range(TimeKind::kDays, week_of_dates, range.first / kMicrosPerDay).first,
            range.first / kMicrosPerDay);
}

TEST(ChunkRangeTest, MonthsFollowTheCalendar) {
  ChunkInterval const month = *IntervalFromParts(TimeKind::kMicros, 1, 0, 0);
  ChunkRange const february = Range(TimeKind::kMicros, month, Micros(2024, 2, 29) + 23 * kHour);
  EXPECT_EQ(february.first, Micros(2024, 2, 1));
  EXPECT_EQ(february.last, Micros(2024, 3, 1) - 1);
  ChunkInterval const five = *IntervalFromParts(TimeKind::kMicros, 5, 0, 0);
  ChunkRange const before_origin = Range(TimeKind::kMicros, five, Micros(1999, 12, 31));
  EXPECT_EQ(before_origin.first, Micros(1999, 8, 1));
  EXPECT_EQ(before_origin.last, Micros(2000, 1, 1) - 1);
}

TEST(ChunkRangeTest, IntegersAreAlignedToZero) {
  ChunkInterval const ten = *IntervalFromInteger(TimeKind::kInt32, 10);
  EXPECT_EQ(Range(TimeKind::kInt32, ten, -1), (ChunkRange{.first = -10, .last = -1}));
  EXPECT_EQ(Range(TimeKind::kInt32, ten, 0), (ChunkRange{.first = 0, .last = 9}));
}

TEST(ChunkRangeTest, TypesEndWithoutOverflow) {
  for (TimeKind const kind :
       {TimeKind::kMicros, TimeKind::kDays, TimeKind::kInt16, TimeKind::kInt32, TimeKind::kInt64}) {
    TickLimits const limits = LimitsOf(kind);
    bool const is_time = kind == TimeKind::kMicros || kind == TimeKind::kDays;
    std::vector<ChunkInterval> intervals = {{.ticks = 1}, {.ticks = 7}, {.ticks = limits.last}};
    if (is_time) {
      intervals.push_back({.months = 1});
      intervals.push_back({.months = 12'000'000});
    }
    for (const ChunkInterval& interval : intervals) {
      ChunkRange const first = Range(kind, interval, limits.first);
      EXPECT_EQ(first.first, limits.first);
      ChunkRange const last = Range(kind, interval, limits.last);
      EXPECT_EQ(last.last, limits.last);
    }
    if (kind != TimeKind::kInt64) {
      EXPECT_EQ(RangeFor(kind, {.ticks = 1}, limits.last + 1).status().code(),
                StatusCode::kOutOfRange);
      EXPECT_EQ(RangeFor(kind, {.ticks = 1}, limits.first - 1).status().code(),
                StatusCode::kOutOfRange);
    }
  }
}

TEST(ChunkRangeTest, RandomRangesTile) {
  uint64_t const seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    auto const kind = static_cast<TimeKind>(random() % 5);
    TickLimits const limits = LimitsOf(kind);
    std::uniform_int_distribution<int64_t> value_of(limits.first, limits.last);
    ChunkInterval interval;
    if ((kind == TimeKind::kMicros || kind == TimeKind::kDays) && random() % 2 == 0) {
      interval.months = static_cast<int32_t>(1 + random() % 1200);
    } else {
      interval.ticks = static_cast<int64_t>(1 + random() % static_cast<uint64_t>(limits.last));
    }
    int64_t const value = value_of(random);
    ChunkRange const range = Range(kind, interval, value);
    ASSERT_TRUE(range.Contains(value));
    ASSERT_EQ(Range(kind, interval, range.first), range);
    ASSERT_EQ(Range(kind, interval, range.last), range);
    if (range.first > limits.first) {
      ASSERT_EQ(Range(kind, interval, range.first - 1).last, range.first - 1);
    }
    if (range.last < limits.last) {
      ASSERT_EQ(Range(kind, interval, range.last + 1).first, range.last + 1);
    }
  }
}

TEST(ChunkRangeTest, ClipsToTheGap) {
  ChunkRange const clipped = ClipTo({.first = 0, .last = 99}, {.first = 20, .last = 49}, 30);
  EXPECT_EQ(clipped, (ChunkRange{.first = 20, .last = 49}));
  EXPECT_EQ(ClipTo({.first = 0, .last = 99}, {.first = -5, .last = 500}, 30),
            (ChunkRange{.first = 0, .last = 99}));
}

TEST(ChunkIntervalTest, RefusesWhatCannotBeALength) {
  auto const parts = [](TimeKind kind, int32_t months, int32_t days, int64_t micros) {
    return IntervalFromParts(kind, months, days, micros).status().code();
  };
  constexpr auto kRefused = StatusCode::kInvalidArgument;
  EXPECT_EQ(parts(TimeKind::kMicros, 0, 0, 0), kRefused);
  EXPECT_EQ(parts(TimeKind::kMicros, -1, 0, 0), kRefused);
  EXPECT_EQ(parts(TimeKind::kMicros, 0, -1, 0), kRefused);
  EXPECT_EQ(parts(TimeKind::kMicros, 1, 1, 0), kRefused);
  EXPECT_EQ(parts(TimeKind::kMicros, 1, 0, 1), kRefused);
  EXPECT_EQ(parts(TimeKind::kMicros, INT32_MAX, 0, 0), kRefused);
  EXPECT_EQ(parts(TimeKind::kMicros, 0, INT32_MAX, INT64_MAX), kRefused);
  EXPECT_EQ(parts(TimeKind::kDays, 0, 1, kHour), kRefused);
  EXPECT_EQ(parts(TimeKind::kInt64, 0, 1, 0), kRefused);
  EXPECT_EQ(parts(TimeKind::kDays, 0, 0, 24 * kHour), StatusCode::kOk);
  EXPECT_EQ(parts(TimeKind::kMicros, 0, 1, -kHour), StatusCode::kOk);
  EXPECT_EQ(IntervalFromInteger(TimeKind::kInt16, 32'768).status().code(), kRefused);
  EXPECT_EQ(IntervalFromInteger(TimeKind::kInt16, 0).status().code(), kRefused);
  EXPECT_EQ(IntervalFromInteger(TimeKind::kMicros, 10).status().code(), kRefused);
  EXPECT_TRUE(IntervalFromInteger(TimeKind::kInt16, 32'767).ok());
}

TEST(NameSuffixTest, SaysWhereTheChunkStarts) {
  auto const time = [](int64_t first) {
    return NameSuffix(TimeKind::kMicros, {.first = first, .last = first});
  };
  EXPECT_EQ(time(Micros(2026, 1, 31)), "20260131");
  EXPECT_EQ(time(Micros(2026, 1, 31) + 14 * kHour), "20260131_140000");
  EXPECT_EQ(time(Micros(2026, 1, 31) + 1), "20260131_000000_000001");
  EXPECT_EQ(time(Micros(-43, 3, 15)), "bc00440315");
  EXPECT_EQ(NameSuffix(TimeKind::kDays, {.first = 0, .last = 1}), "20000101");
  EXPECT_EQ(NameSuffix(TimeKind::kInt64, {.first = INT64_MIN, .last = 0}), "n9223372036854775808");
  EXPECT_EQ(NameSuffix(TimeKind::kInt16, {.first = 40, .last = 49}), "40");
}

}  // namespace
}  // namespace orochi::timeseries
