#include "pg/hypertable/interval_argument.h"

#include "base/str_cat.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
}

namespace orochi::pg {
namespace {

using timeseries::ChunkInterval;
using timeseries::TimeKind;

constexpr int32_t kDefaultDays = 7;

bool IsTime(TimeKind kind) {
  return kind == TimeKind::kMicros || kind == TimeKind::kDays;
}

Status WrongKind(TimeKind kind, const std::string& column) {
  if (IsTime(kind)) {
    return Status::InvalidArgument(
               StrCat("chunk_time_interval of time column \"", column, "\" must be an interval"))
        .WithHint("For example interval '1 day'.");
  }
  return Status::InvalidArgument(
             StrCat("chunk_time_interval of integer column \"", column, "\" must be an integer"))
      .WithHint("For example 1000000: how many values of the column one chunk covers.");
}

Result<ChunkInterval> FromText(const text* form, TimeKind kind) {
  if (IsTime(kind)) {
    const Interval* const span = TryPg([&]() noexcept {
      return DatumGetIntervalP(
          DirectFunctionCall3(interval_in, CStringGetDatum(text_to_cstring(form)),
                              ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
    });
    return timeseries::IntervalFromParts(kind, span->month, span->day, span->time);
  }
  int64_t const ticks = TryPg([&]() noexcept {
    return DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(text_to_cstring(form))));
  });
  return timeseries::IntervalFromInteger(kind, ticks);
}

}  // namespace

Result<ChunkInterval> ResolveInterval(const IntervalArgument& argument, TimeKind kind,
                                      const std::string& column) {
  if (argument.text_form != nullptr) {
    return FromText(argument.text_form, kind);
  }
  if (argument.has_integer) {
    return IsTime(kind) ? WrongKind(kind, column)
                        : timeseries::IntervalFromInteger(kind, argument.integer);
  }
  if (!IsTime(kind)) {
    return WrongKind(kind, column);
  }
  if (argument.span != nullptr) {
    return timeseries::IntervalFromParts(kind, argument.span->month, argument.span->day,
                                         argument.span->time);
  }
  return timeseries::IntervalFromParts(kind, 0, kDefaultDays, 0);
}

}  // namespace orochi::pg
