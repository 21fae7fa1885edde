#include "timeseries/time_bucket.h"

#include "base/str_cat.h"

namespace orochi::timeseries {
namespace {

std::string Describe(const Span& span) {
  return StrCat(span.months, " months ", span.days, " days ", span.micros, " microseconds");
}

// The days and the time of a span, a day being 24 hours.
Result<int64_t> FixedMicros(const Span& span, std::string_view what) {
  int64_t day_micros = 0;
  int64_t micros = 0;
  if (__builtin_mul_overflow(span.days, kMicrosPerDay, &day_micros) ||
      __builtin_add_overflow(day_micros, span.micros, &micros)) {
    return Status::OutOfRange(StrCat(what, " is too long: ", Describe(span)));
  }
  return micros;
}

Status BeforeAllTime(int64_t time_micros) {
  return Status::OutOfRange(
      StrCat("the bucket of time ", time_micros, " begins before the first possible time"));
}

}  // namespace

Result<TimeBucket> TimeBucket::Make(const Options& options) {
  const Span& width = options.width;
  ASSIGN_OR_RETURN(int64_t const fixed_width, FixedMicros(width, "bucket width"));
  ASSIGN_OR_RETURN(int64_t const offset_micros, FixedMicros(options.offset, "offset"));
  TimeBucket bucket;
  if (width.months != 0) {
    if (width.days != 0 || width.micros != 0) {
      return Status::InvalidArgument(
                 StrCat("bucket width mixes months with days or time: ", Describe(width)))
          .WithHint("Use whole months and years, or days and time: a month has no fixed length.");
    }
    bucket.in_months_ = true;
    bucket.width_ = width.months;
    bucket.shift_micros_ = offset_micros;
    if (options.origin_micros.has_value()) {
      int64_t const origin_day = FloorDivide(*options.origin_micros, kMicrosPerDay);
      bucket.anchor_ = MonthOfDay(origin_day);
      if (FirstDayOfMonth(bucket.anchor_) * kMicrosPerDay != *options.origin_micros) {
        return Status::InvalidArgument(
                   "the origin of month buckets must be midnight on the first day of a month")
            .WithHint("Use \"offset\" to move the buckets by days or time.");
      }
    }
    bucket.anchor_ += options.offset.months;
  } else {
    if (options.offset.months != 0) {
      return Status::InvalidArgument(
                 StrCat("the offset of buckets of days or time must not have months, found ",
                        Describe(options.offset)))
          .WithHint("Give the offset in days and time.");
    }
    bucket.width_ = fixed_width;
    if (__builtin_add_overflow(options.origin_micros.value_or(kDefaultOriginMicros), offset_micros,
                               &bucket.anchor_)) {
      return Status::OutOfRange("origin plus offset is out of range");
    }
  }
  if (bucket.width_ <= 0) {
    return Status::InvalidArgument(
        StrCat("bucket width must be greater than zero, found ", Describe(width)));
  }
  return bucket;
}

Result<int64_t> TimeBucket::Start(int64_t time_micros) const {
  if (!in_months_) {
    std::optional<int64_t> const start = FixedBucketStart(time_micros, width_, anchor_);
    return start.has_value() ? Result<int64_t>(*start) : BeforeAllTime(time_micros);
  }
  int64_t unshifted = 0;
  if (__builtin_sub_overflow(time_micros, shift_micros_, &unshifted)) {
    return Status::OutOfRange(StrCat("time ", time_micros, " minus the offset is out of range"));
  }
  int64_t const month = MonthOfDay(FloorDivide(unshifted, kMicrosPerDay));
  int64_t const start_day =
      FirstDayOfMonth(FloorDivide(month - anchor_, width_) * width_ + anchor_);
  int64_t start = 0;
  if (__builtin_mul_overflow(start_day, kMicrosPerDay, &start) ||
      __builtin_add_overflow(start, shift_micros_, &start)) {
    return BeforeAllTime(time_micros);
  }
  return start;
}

}  // namespace orochi::timeseries
