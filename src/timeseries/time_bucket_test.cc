// Goal: the bucket of a time is the last start at or before it, for every width, origin, offset and
// sign. Method: examples checked by hand on the calendar, then random buckets against a slow model
// that walks from bucket to bucket.
#include "timeseries/time_bucket.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "base/random.h"
#include "timeseries/calendar.h"

namespace orochi::timeseries {
namespace {

constexpr int64_t kHour = 3'600'000'000;

// std::chrono's calendar is the independent witness (it covers the years -32767 to 32767).
int64_t DayOf(int year, unsigned month, unsigned day) {
  using namespace std::chrono;
  return (sys_days(std::chrono::year(year) / month / day) -
          sys_days(std::chrono::year(2000) / 1 / 1))
      .count();
}

int64_t Start(const TimeBucket::Options& options, int64_t time) {
  auto const bucket = TimeBucket::Make(options);
  EXPECT_TRUE(bucket.ok()) << bucket.status().ToString();
  auto const start = bucket->Start(time);
  EXPECT_TRUE(start.ok()) << start.status().ToString();
  return *start;
}

TEST(CalendarTest, AgreesWithChronoOverManyYears) {
  for (int64_t day = DayOf(-9000, 1, 1); day < DayOf(12000, 1, 1); day += 13) {
    using namespace std::chrono;
    year_month_day const date(sys_days(std::chrono::year(2000) / 1 / 1) + days(day));
    int64_t const month = (static_cast<int>(date.year()) - 2000) * 12 +
                          static_cast<int>(static_cast<unsigned>(date.month())) - 1;
    ASSERT_EQ(MonthOfDay(day), month) << day;
    ASSERT_EQ(FirstDayOfMonth(month),
              DayOf(static_cast<int>(date.year()), static_cast<unsigned>(date.month()), 1));
  }
}

TEST(CalendarTest, MonthsMeetEndToEnd) {
  for (int64_t month = -4900; month < 4900; ++month) {
    int64_t const first = FirstDayOfMonth(month);
    ASSERT_EQ(MonthOfDay(first), month);
    ASSERT_EQ(MonthOfDay(first - 1), month - 1);
  }
}

TEST(TimeBucketTest, WeeksBeginOnMondays) {
  // 2024-02-29 was a Thursday.
  EXPECT_EQ(Start({.width = {.days = 7}}, DayOf(2024, 2, 29) * kMicrosPerDay + kHour),
            DayOf(2024, 2, 26) * kMicrosPerDay);
}

TEST(TimeBucketTest, TimesBeforeTheOriginRoundDown) {
  EXPECT_EQ(Start({.width = {.micros = kHour}}, -1), -kHour);
  EXPECT_EQ(Start({.width = {.micros = kHour}}, -kHour), -kHour);
  EXPECT_EQ(Start({.width = {.months = 1}}, -1), DayOf(1999, 12, 1) * kMicrosPerDay);
}

TEST(TimeBucketTest, OriginAndOffsetMoveTheGrid) {
  EXPECT_EQ(Start({.width = {.days = 7}, .origin_micros = 6 * kMicrosPerDay}, 8 * kMicrosPerDay),
            6 * kMicrosPerDay);
  EXPECT_EQ(Start({.width = {.micros = kHour}, .offset = {.micros = kHour / 4}}, kHour / 5),
            kHour / 4 - kHour);
  EXPECT_EQ(
      Start({.width = {.months = 1}, .offset = {.days = 5}}, DayOf(2024, 3, 3) * kMicrosPerDay),
      DayOf(2024, 2, 6) * kMicrosPerDay);
  EXPECT_EQ(
      Start({.width = {.months = 12}, .offset = {.months = 3}}, DayOf(2024, 3, 31) * kMicrosPerDay),
      DayOf(2023, 4, 1) * kMicrosPerDay);
}

TEST(TimeBucketTest, RefusesWhatHasNoGrid) {
  EXPECT_EQ(TimeBucket::Make({.width = {}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(TimeBucket::Make({.width = {.days = -1}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(TimeBucket::Make({.width = {.months = -1}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(TimeBucket::Make({.width = {.months = 1, .days = 1}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(TimeBucket::Make({.width = {.days = 1}, .offset = {.months = 1}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(TimeBucket::Make({.width = {.months = 1}, .origin_micros = 14 * kMicrosPerDay})
                .status()
                .code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(TimeBucket::Make({.width = {.days = std::numeric_limits<int32_t>::max(),
                                        .micros = std::numeric_limits<int64_t>::max()}})
                .status()
                .code(),
            StatusCode::kOutOfRange);
}

TEST(TimeBucketTest, TheEndsOfTimeAreErrorsOrExact) {
  int64_t const min = std::numeric_limits<int64_t>::min();
  int64_t const max = std::numeric_limits<int64_t>::max();
  auto const weeks = TimeBucket::Make({.width = {.days = 7}});
  ASSERT_TRUE(weeks.ok());
  EXPECT_EQ(weeks->Start(min).status().code(), StatusCode::kOutOfRange);
  EXPECT_TRUE(weeks->Start(max).ok());
  auto const months = TimeBucket::Make({.width = {.months = 1}});
  ASSERT_TRUE(months.ok());
  EXPECT_EQ(months->Start(min).status().code(), StatusCode::kOutOfRange);
  EXPECT_TRUE(months->Start(max).ok());
  EXPECT_EQ(FixedBucketStart(max, max, max), max);
  EXPECT_EQ(FixedBucketStart(min, max, 0), std::nullopt);
  EXPECT_EQ(FixedBucketStart(min, 2, 0), min);
}

TEST(TimeBucketTest, RandomFixedBucketsHoldTheirTime) {
  uint64_t const seed = 20260731;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  for (int round = 0; round < 20000; ++round) {
    int64_t const width = 1 + static_cast<int64_t>(random.Next() % 1'000'000);
    int64_t const value = static_cast<int64_t>(random.Next() >> 3) - (int64_t{1} << 60);
    int64_t const anchor = static_cast<int64_t>(random.Next() >> 3) - (int64_t{1} << 60);
    std::optional<int64_t> const start = FixedBucketStart(value, width, anchor);
    ASSERT_TRUE(start.has_value());
    ASSERT_LE(*start, value);
    ASSERT_GT(*start + width, value);
    ASSERT_EQ((*start - anchor) % width, 0);
  }
}

TEST(TimeBucketTest, MonthBucketsTileTime) {
  // Walk day by day: a bucket changes exactly when a multiple of the width has passed.
  for (int64_t const width : {1, 2, 3, 5, 12, 120}) {
    auto const bucket = TimeBucket::Make({.width = {.months = width}});
    ASSERT_TRUE(bucket.ok());
    for (int year = 1890; year < 2110; ++year) {
      for (int month = 0; month < 12; ++month) {
        int64_t const index = (year - 2000) * 12 + month;
        int64_t back = index % width;
        back += back < 0 ? width : 0;
        int64_t const first = index - back;
        int const first_year = 2000 + static_cast<int>(FloorDivide(first, 12));
        auto const first_month = static_cast<unsigned>(first - FloorDivide(first, 12) * 12 + 1);
        auto const start =
            bucket->Start(DayOf(year, static_cast<unsigned>(month) + 1, 28) * kMicrosPerDay + 7);
        ASSERT_TRUE(start.ok());
        ASSERT_EQ(*start, DayOf(first_year, first_month, 1) * kMicrosPerDay);
      }
    }
  }
}

}  // namespace
}  // namespace orochi::timeseries
