#include "timeseries/chunk_range.h"

#include <algorithm>
#include <limits>

#include "base/str_cat.h"
#include "timeseries/calendar.h"

namespace orochi::timeseries {
namespace {

// PostgreSQL's limits: 4714-11-24 BC to 294276-12-31 for timestamps, to 5874897-12-31 for dates.
constexpr int64_t kFirstDay = -2'451'545;
constexpr int64_t kLastDay = 2'145'031'948;
constexpr int64_t kFirstMicros = -211'813'488'000'000'000;
constexpr int64_t kLastMicros = 9'223'371'331'199'999'999;

// Monday 2000-01-03, so that chunks of weeks agree with time_bucket's weeks.
constexpr int64_t kOriginDay = 2;

bool IsTime(TimeKind kind) {
  return kind == TimeKind::kMicros || kind == TimeKind::kDays;
}

ChunkRange FixedRange(TimeKind kind, int64_t ticks, int64_t value) {
  TickLimits const limits = LimitsOf(kind);
  int64_t origin = 0;
  if (kind == TimeKind::kDays) {
    origin = kOriginDay;
  } else if (kind == TimeKind::kMicros) {
    origin = kOriginDay * kMicrosPerDay;
  }
  // In 128 bits nothing here can overflow: |value - origin| < 2^64 and ticks < 2^63.
  using Wide = __int128;
  Wide const offset = Wide{value} - origin;
  Wide const behind = ((offset % ticks) + ticks) % ticks;
  Wide const first = Wide{value} - behind;
  Wide const last = first + ticks - 1;
  return {.first = static_cast<int64_t>(std::max<Wide>(first, limits.first)),
          .last = static_cast<int64_t>(std::min<Wide>(last, limits.last))};
}

ChunkRange MonthRange(TimeKind kind, int32_t months, int64_t value) {
  TickLimits const limits = LimitsOf(kind);
  int64_t const ticks_per_day = kind == TimeKind::kMicros ? kMicrosPerDay : 1;
  int64_t const month = MonthOfDay(FloorDivide(value, ticks_per_day));
  int64_t const first_month = FloorDivide(month, months) * months;
  using Wide = __int128;
  Wide const first = Wide{FirstDayOfMonth(first_month)} * ticks_per_day;
  Wide const end = Wide{FirstDayOfMonth(first_month + months)} * ticks_per_day;
  return {.first = static_cast<int64_t>(std::max<Wide>(first, limits.first)),
          .last = static_cast<int64_t>(std::min<Wide>(end - 1, limits.last))};
}

std::string Padded(int64_t value, size_t width) {
  std::string const digits = StrCat(value);
  return digits.size() >= width ? digits : std::string(width - digits.size(), '0') + digits;
}

}  // namespace

TickLimits LimitsOf(TimeKind kind) {
  switch (kind) {
    case TimeKind::kMicros:
      return {.first = kFirstMicros, .last = kLastMicros};
    case TimeKind::kDays:
      return {.first = kFirstDay, .last = kLastDay};
    case TimeKind::kInt16:
      return {.first = std::numeric_limits<int16_t>::min(),
              .last = std::numeric_limits<int16_t>::max()};
    case TimeKind::kInt32:
      return {.first = std::numeric_limits<int32_t>::min(),
              .last = std::numeric_limits<int32_t>::max()};
    case TimeKind::kInt64:
      break;
  }
  return {.first = std::numeric_limits<int64_t>::min(),
          .last = std::numeric_limits<int64_t>::max()};
}

Result<ChunkInterval> IntervalFromParts(TimeKind kind, int32_t months, int32_t days,
                                        int64_t micros) {
  if (!IsTime(kind)) {
    return Status::InvalidArgument("a chunk interval of an integer time column must be an integer")
        .WithHint("Give the number of ticks per chunk, for example 86400 for seconds.");
  }
  if (months != 0 && (days != 0 || micros != 0)) {
    return Status::InvalidArgument("a chunk interval must not mix months with days or time")
        .WithHint("Use whole months ('1 month', '1 year') or a fixed length ('7 days').");
  }
  // A million years of months keeps every intermediate of the calendar far from overflow.
  constexpr int32_t kMonthsMax = 12'000'000;
  if (months > kMonthsMax) {
    return Status::InvalidArgument(
        StrCat("a chunk interval of ", months, " months is too long, the most is ", kMonthsMax));
  }
  __int128 const length = __int128{days} * kMicrosPerDay + micros;
  if (months < 0 || (months == 0 && length <= 0)) {
    return Status::InvalidArgument("a chunk interval must be longer than zero");
  }
  if (months > 0) {
    return ChunkInterval{.months = months};
  }
  if (length > std::numeric_limits<int64_t>::max()) {
    return Status::InvalidArgument("a chunk interval is longer than all of time");
  }
  auto const ticks = static_cast<int64_t>(length);
  if (kind == TimeKind::kMicros) {
    return ChunkInterval{.ticks = ticks};
  }
  if (ticks % kMicrosPerDay != 0) {
    return Status::InvalidArgument("a chunk interval of a date column must be whole days");
  }
  return ChunkInterval{.ticks = ticks / kMicrosPerDay};
}

Result<ChunkInterval> IntervalFromInteger(TimeKind kind, int64_t ticks) {
  if (IsTime(kind)) {
    return Status::InvalidArgument("a chunk interval of a time column must be an interval")
        .WithHint("Write it as interval '7 days'.");
  }
  if (ticks <= 0) {
    return Status::InvalidArgument(
        StrCat("a chunk interval must be greater than zero, found ", ticks));
  }
  if (ticks > LimitsOf(kind).last) {
    return Status::InvalidArgument(StrCat("a chunk interval of ", ticks,
                                          " does not fit the time column, whose largest value is ",
                                          LimitsOf(kind).last));
  }
  return ChunkInterval{.ticks = ticks};
}

Result<ChunkRange> RangeFor(TimeKind kind, const ChunkInterval& interval, int64_t value) {
  TickLimits const limits = LimitsOf(kind);
  if (value < limits.first || value > limits.last) {
    return Status::OutOfRange(
        StrCat("time ", value, " is outside ", limits.first, " to ", limits.last));
  }
  ASSERT((interval.months > 0) != (interval.ticks > 0));
  ChunkRange const range = interval.months > 0 ? MonthRange(kind, interval.months, value)
                                               : FixedRange(kind, interval.ticks, value);
  ASSERT(range.Contains(value));
  return range;
}

ChunkRange ClipTo(const ChunkRange& range, const ChunkRange& gap, int64_t value) {
  ASSERT(range.Contains(value));
  ASSERT(gap.Contains(value));
  return {.first = std::max(range.first, gap.first), .last = std::min(range.last, gap.last)};
}

std::string NameSuffix(TimeKind kind, const ChunkRange& range) {
  if (!IsTime(kind)) {
    std::string const digits = StrCat(range.first);
    return range.first < 0 ? "n" + digits.substr(1) : digits;
  }
  int64_t const ticks_per_day = kind == TimeKind::kMicros ? kMicrosPerDay : 1;
  int64_t const days = FloorDivide(range.first, ticks_per_day);
  int64_t const month = MonthOfDay(days);
  int64_t const year = 2000 + FloorDivide(month, 12);  // 0 is 1 BC
  std::string suffix = year > 0 ? Padded(year, 4) : "bc" + Padded(1 - year, 4);
  suffix += Padded(month - FloorDivide(month, 12) * 12 + 1, 2) +
            Padded(days - FirstDayOfMonth(month) + 1, 2);
  int64_t const micros = kind == TimeKind::kMicros ? range.first - days * kMicrosPerDay : 0;
  if (micros == 0) {
    return suffix;
  }
  int64_t const seconds = micros / 1'000'000;
  suffix +=
      "_" + Padded(seconds / 3600, 2) + Padded(seconds / 60 % 60, 2) + Padded(seconds % 60, 2);
  if (micros % 1'000'000 != 0) {
    suffix += "_" + Padded(micros % 1'000'000, 6);
  }
  return suffix;
}

}  // namespace orochi::timeseries
