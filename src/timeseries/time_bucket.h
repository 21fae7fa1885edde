#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "timeseries/calendar.h"

/// The arithmetic of time_bucket: the start of the bucket that holds a point in time.
///
/// Times are microseconds since 2000-01-01 00:00 on a calendar without time zones; callers convert.
/// Threads: pure functions and values.
namespace orochi::timeseries {

/// A length of calendar time, each part with its own sign.
struct Span {
  int64_t months = 0;
  int64_t days = 0;
  int64_t micros = 0;
};

/// Monday 2000-01-03: weeks begin on Mondays.
inline constexpr int64_t kDefaultOriginMicros = 2 * kMicrosPerDay;

/// The largest anchor + k * width that is <= value; nothing when it is below INT64_MIN.
/// REQUIRES: width > 0.
constexpr std::optional<int64_t> FixedBucketStart(int64_t value, int64_t width,
                                                  int64_t anchor) noexcept {
  int64_t into_width = value % width;
  into_width += into_width < 0 ? width : 0;
  int64_t phase = anchor % width;
  phase += phase < 0 ? width : 0;
  int64_t into_bucket = into_width - phase;
  into_bucket += into_bucket < 0 ? width : 0;
  int64_t start = 0;
  if (__builtin_sub_overflow(value, into_bucket, &start)) {
    return std::nullopt;
  }
  return start;
}

/// Buckets of whole months, or of days and time; never of both, because a month has no fixed
/// length. A day is 24 hours.
///
/// Life: Make, then Start any number of times.
class TimeBucket {
 public:
  struct Options {
    Span width;
    /// A bucket begins here. Default: Monday 2000-01-03, for months 2000-01-01. Month buckets need
    /// midnight on the first of a month.
    std::optional<int64_t> origin_micros = std::nullopt;
    /// Moves every bucket. Its months are refused unless the width is months, too.
    Span offset = {};
  };

  static Result<TimeBucket> Make(const Options& options);

  /// The start of the bucket that holds `time_micros`; kOutOfRange when it is below INT64_MIN.
  Result<int64_t> Start(int64_t time_micros) const;

 private:
  TimeBucket() = default;

  int64_t width_ = 0;   // months or microseconds
  int64_t anchor_ = 0;  // in the unit of width_
  bool in_months_ = false;
  int64_t shift_micros_ = 0;  // month buckets: the offset's days and time
};

}  // namespace orochi::timeseries
