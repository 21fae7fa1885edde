// time_bucket for every type a hypertable's time column can have. timestamptz without a time zone
// is bucketed in UTC, offsets included, so that no form depends on the session.

#include "base/str_cat.h"
#include "pg/bridge.h"
#include "pg/functions/time_zone.h"
#include "timeseries/time_bucket.h"

extern "C" {
#include "common/int.h"
#include "utils/date.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(time_bucket_timestamp);
PG_FUNCTION_INFO_V1(time_bucket_timestamp_origin);
PG_FUNCTION_INFO_V1(time_bucket_timestamp_offset);
PG_FUNCTION_INFO_V1(time_bucket_timestamptz_zone);
PG_FUNCTION_INFO_V1(time_bucket_date);
PG_FUNCTION_INFO_V1(time_bucket_date_origin);
PG_FUNCTION_INFO_V1(time_bucket_date_offset);
PG_FUNCTION_INFO_V1(time_bucket_int2);
PG_FUNCTION_INFO_V1(time_bucket_int4);
PG_FUNCTION_INFO_V1(time_bucket_int8);
}

namespace orochi::pg {
namespace {

using timeseries::FixedBucketStart;
using timeseries::kDefaultOriginMicros;
using timeseries::kMicrosPerDay;
using timeseries::Span;
using timeseries::TimeBucket;

Span SpanOf(const Interval* interval) {
  return {.months = interval->month, .days = interval->day, .micros = interval->time};
}

// The two optional arguments as SQL gave them; null where it gave none.
struct Alignment {
  const int64_t* origin_micros = nullptr;
  const Interval* offset = nullptr;
};

Result<TimeBucket> BucketFor(const Interval* width, const Alignment& alignment) {
  TimeBucket::Options options{.width = SpanOf(width), .origin_micros = {}, .offset = {}};
  if (alignment.origin_micros != nullptr) {
    if (TIMESTAMP_NOT_FINITE(*alignment.origin_micros)) {
      return Status::InvalidArgument("origin must be finite, found infinity");
    }
    options.origin_micros = *alignment.origin_micros;
  }
  if (alignment.offset != nullptr) {
    options.offset = SpanOf(alignment.offset);
  }
  return TimeBucket::Make(options);
}

Result<int64_t> TimestampStart(const Interval* width, Timestamp time, const Alignment& alignment) {
  ASSIGN_OR_RETURN(TimeBucket const bucket, BucketFor(width, alignment));
  if (TIMESTAMP_NOT_FINITE(time)) {
    return time;
  }
  ASSIGN_OR_RETURN(int64_t const start, bucket.Start(time));
  if (!IS_VALID_TIMESTAMP(start)) {
    return Status::OutOfRange("the bucket begins before the first timestamp, 4714-11-24 BC");
  }
  return start;
}

// The start of a bucket with the default origin, or nothing where there is an error to report. A
// report costs more than the bucket, so none is prepared here.
bool TryPlainBucket(const Interval* width, Timestamp time, Timestamp* start) noexcept {
  if (TIMESTAMP_NOT_FINITE(time)) {
    return false;
  }
  if (width->month > 0 && width->day == 0 && width->time == 0) {
    int64_t const month = timeseries::MonthOfDay(timeseries::FloorDivide(time, kMicrosPerDay));
    int64_t const first = timeseries::FloorDivide(month, width->month) * width->month;
    return !pg_mul_s64_overflow(timeseries::FirstDayOfMonth(first), kMicrosPerDay, start) &&
           IS_VALID_TIMESTAMP(*start);
  }
  int64 width_micros = 0;
  if (width->month != 0 || pg_mul_s64_overflow(width->day, kMicrosPerDay, &width_micros) ||
      pg_add_s64_overflow(width_micros, width->time, &width_micros) || width_micros <= 0) {
    return false;
  }
  std::optional<int64_t> const found = FixedBucketStart(time, width_micros, kDefaultOriginMicros);
  *start = found.value_or(DT_NOBEGIN);
  return IS_VALID_TIMESTAMP(*start);
}

Datum BucketTimestamp(const Interval* width, Timestamp time, const Alignment& alignment) {
  return Boundary([&]() -> Result<Datum> {
    ASSIGN_OR_RETURN(int64_t const start, TimestampStart(width, time, alignment));
    return TimestampGetDatum(start);
  });
}

// Days, for a span that must not have a part of a day.
Status RequireWholeDays(const Interval* interval, std::string_view what) {
  if (interval->time % kMicrosPerDay != 0) {
    return Status::InvalidArgument(StrCat(what, " of date buckets has a part of a day: ",
                                          interval->time, " microseconds"))
        .WithHint("Use whole days or months, or bucket a timestamp.");
  }
  return Status::Ok();
}

Result<int64_t> DateMicros(DateADT date, std::string_view what) {
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{date}, kMicrosPerDay, &micros)) {
    return Status::OutOfRange(StrCat(what, " is out of range for time_bucket"));
  }
  return micros;
}

Datum BucketDate(const Interval* width, DateADT date, const DateADT* origin,
                 const Interval* offset) {
  return Boundary([&]() -> Result<Datum> {
    RETURN_IF_ERROR(RequireWholeDays(width, "width"));
    int64_t origin_micros = 0;
    Alignment alignment{.origin_micros = nullptr, .offset = offset};
    if (offset != nullptr) {
      RETURN_IF_ERROR(RequireWholeDays(offset, "offset"));
    }
    if (origin != nullptr) {
      if (DATE_NOT_FINITE(*origin)) {
        return Status::InvalidArgument("origin must be finite, found infinity");
      }
      ASSIGN_OR_RETURN(origin_micros, DateMicros(*origin, "origin"));
      alignment.origin_micros = &origin_micros;
    }
    ASSIGN_OR_RETURN(TimeBucket const bucket, BucketFor(width, alignment));
    if (DATE_NOT_FINITE(date)) {
      return DateADTGetDatum(date);
    }
    ASSIGN_OR_RETURN(int64_t const micros, DateMicros(date, "date"));
    ASSIGN_OR_RETURN(int64_t const start, bucket.Start(micros));
    int64_t const day = timeseries::FloorDivide(start, kMicrosPerDay);
    if (day < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE) {
      return Status::OutOfRange("the bucket begins before the first date, 4714-11-24 BC");
    }
    return DateADTGetDatum(static_cast<DateADT>(day));
  });
}

// Bucketed on the zone's clocks. Days and months begin when those clocks first show midnight; a
// part of a day that clocks show twice makes buckets of its own, so that a bucket never begins
// after a time it holds.
Datum BucketInZone(const Interval* width, TimestampTz time, const text* zone_name,
                   const TimestampTz* origin, const Interval* offset) {
  return Boundary([&]() -> Result<Datum> {
    struct LocalTimes {
      TimeZone zone;
      int64_t time;
      int64_t origin;
    };
    auto const local = TryPg([&]() noexcept {
      LocalTimes times{};
      times.zone = FindTimeZone(zone_name);
      times.time = TIMESTAMP_NOT_FINITE(time) ? time : LocalTime(times.zone, time);
      if (origin != nullptr) {
        times.origin = TIMESTAMP_NOT_FINITE(*origin) ? *origin : LocalTime(times.zone, *origin);
      }
      return times;
    });
    Alignment const alignment{.origin_micros = origin == nullptr ? nullptr : &local.origin,
                              .offset = offset};
    ASSIGN_OR_RETURN(int64_t const start, TimestampStart(width, local.time, alignment));
    if (TIMESTAMP_NOT_FINITE(start)) {
      return TimestampTzGetDatum(start);
    }
    RepeatedTime const repeated = width->month == 0 && width->day == 0
                                      ? RepeatedTime::kLastNotAfterInstant
                                      : RepeatedTime::kFirst;
    return TryPg([&]() noexcept {
      return TimestampTzGetDatum(InstantOf(local.zone, start, repeated, time));
    });
  });
}

Datum BucketInteger(int64_t width, int64_t value, int64_t offset, int64_t min, const char* type) {
  if (width > 0) [[likely]] {
    std::optional<int64_t> const start = FixedBucketStart(value, width, offset);
    if (start.has_value() && *start >= min) [[likely]] {
      return Int64GetDatum(*start);
    }
  }
  return Boundary([&]() -> Result<Datum> {
    if (width <= 0) {
      return Status::InvalidArgument(
          StrCat("bucket width must be greater than zero, found ", width));
    }
    return Status::OutOfRange(
        StrCat("the bucket of ", value, " begins below the least ", type, ", ", min));
  });
}

}  // namespace
}  // namespace orochi::pg

Datum time_bucket_timestamp(PG_FUNCTION_ARGS) {
  const Interval* const width = PG_GETARG_INTERVAL_P(0);
  Timestamp const time = PG_GETARG_TIMESTAMP(1);
  Timestamp start = 0;
  if (orochi::pg::TryPlainBucket(width, time, &start)) [[likely]] {
    PG_RETURN_TIMESTAMP(start);
  }
  return orochi::pg::BucketTimestamp(width, time, {});
}

// (width, ts, origin [, offset])
Datum time_bucket_timestamp_origin(PG_FUNCTION_ARGS) {
  Timestamp const origin = PG_GETARG_TIMESTAMP(2);
  const Interval* const offset = PG_NARGS() > 3 ? PG_GETARG_INTERVAL_P(3) : nullptr;
  int64_t const origin_micros = origin;
  return orochi::pg::BucketTimestamp(PG_GETARG_INTERVAL_P(0), PG_GETARG_TIMESTAMP(1),
                                     {.origin_micros = &origin_micros, .offset = offset});
}

Datum time_bucket_timestamp_offset(PG_FUNCTION_ARGS) {
  return orochi::pg::BucketTimestamp(PG_GETARG_INTERVAL_P(0), PG_GETARG_TIMESTAMP(1),
                                     {.offset = PG_GETARG_INTERVAL_P(2)});
}

// (width, ts, timezone, origin, offset): not strict, the last two may be null.
Datum time_bucket_timestamptz_zone(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2)) {
    PG_RETURN_NULL();
  }
  TimestampTz const origin = PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3);
  const Interval* const offset = PG_ARGISNULL(4) ? nullptr : PG_GETARG_INTERVAL_P(4);
  return orochi::pg::BucketInZone(PG_GETARG_INTERVAL_P(0), PG_GETARG_TIMESTAMPTZ(1),
                                  PG_GETARG_TEXT_PP(2), PG_ARGISNULL(3) ? nullptr : &origin,
                                  offset);
}

Datum time_bucket_date(PG_FUNCTION_ARGS) {
  return orochi::pg::BucketDate(PG_GETARG_INTERVAL_P(0), PG_GETARG_DATEADT(1), nullptr, nullptr);
}

// (width, ts, origin [, offset])
Datum time_bucket_date_origin(PG_FUNCTION_ARGS) {
  DateADT const origin = PG_GETARG_DATEADT(2);
  const Interval* const offset = PG_NARGS() > 3 ? PG_GETARG_INTERVAL_P(3) : nullptr;
  return orochi::pg::BucketDate(PG_GETARG_INTERVAL_P(0), PG_GETARG_DATEADT(1), &origin, offset);
}

Datum time_bucket_date_offset(PG_FUNCTION_ARGS) {
  return orochi::pg::BucketDate(PG_GETARG_INTERVAL_P(0), PG_GETARG_DATEADT(1), nullptr,
                                PG_GETARG_INTERVAL_P(2));
}

Datum time_bucket_int2(PG_FUNCTION_ARGS) {
  int64_t const offset = PG_NARGS() > 2 ? PG_GETARG_INT16(2) : 0;
  return Int16GetDatum(DatumGetInt64(orochi::pg::BucketInteger(
      PG_GETARG_INT16(0), PG_GETARG_INT16(1), offset, PG_INT16_MIN, "smallint")));
}

Datum time_bucket_int4(PG_FUNCTION_ARGS) {
  int64_t const offset = PG_NARGS() > 2 ? PG_GETARG_INT32(2) : 0;
  return Int32GetDatum(DatumGetInt64(orochi::pg::BucketInteger(
      PG_GETARG_INT32(0), PG_GETARG_INT32(1), offset, PG_INT32_MIN, "integer")));
}

Datum time_bucket_int8(PG_FUNCTION_ARGS) {
  int64_t const offset = PG_NARGS() > 2 ? PG_GETARG_INT64(2) : 0;
  return orochi::pg::BucketInteger(PG_GETARG_INT64(0), PG_GETARG_INT64(1), offset, PG_INT64_MIN,
                                   "bigint");
}
