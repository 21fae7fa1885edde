#include "sstable/query/time_functions.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/types/cassandra_vint.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/time_uuid.h"

namespace orochi::sstable {

namespace {

constexpr int64_t kMillisPerDay = 86'400'000;
constexpr int64_t kNanosPerMilli = 1'000'000;
constexpr int64_t kNanosPerDay = kMillisPerDay * kNanosPerMilli;
constexpr int64_t kDateEpoch = int64_t{1} << 31;
/// About the end of year 292,000,000, where 64 bits of milliseconds end.
constexpr int64_t kMonthsMax = int64_t{12} * 290'000'000;

int64_t FloorDivide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

/// The last of start, start + duration, start + 2 durations, ... that is not after `millis`.
Result<int64_t> FloorMillis(int64_t millis, const DurationParts& duration) {
  if (duration.months < 0 || duration.days < 0 || duration.nanos < 0) {
    return Status::InvalidArgument("Negative durations are not supported by the floor function");
  }
  if (millis < 0) {
    return Status::InvalidArgument(
        StrCat("The floor function starting time is greater than the provided time"));
  }
  if (duration.nanos % kNanosPerMilli != 0) {
    return Status::InvalidArgument(StrCat("The floor cannot be computed for the ",
                                          DurationText(duration),
                                          " duration as precision is below 1 millisecond"));
  }
  if (duration.days > INT32_MAX) {
    return Status::InvalidArgument(StrCat("a duration of ", duration.days, " days"));
  }
  int64_t const fixed = duration.days * kMillisPerDay + duration.nanos / kNanosPerMilli;
  if (duration.months == 0) {
    return fixed == 0 ? millis : millis - millis % fixed;
  }
  // Months differ in length: find the number of durations by halving.
  int64_t low = 0;
  int64_t high = 1 + millis / (28 * kMillisPerDay) / duration.months;
  while (low < high) {
    int64_t const middle = low + (high - low + 1) / 2;
    Result<int64_t> const moment = AddDuration(0, duration, middle);
    if (moment.ok() && *moment <= millis) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return AddDuration(0, duration, low);
}

}  // namespace

Result<DurationParts> DecodeDuration(Bytes value) {
  DurationParts parts;
  const std::byte* at = value.data();
  const std::byte* const end = at + value.size();
  for (int64_t* part : {&parts.months, &parts.days, &parts.nanos}) {
    uint64_t raw = 0;
    at = at == nullptr ? nullptr : ReadVint(at, end, raw);
    *part = codec::ZigZagDecode(raw);
  }
  if (at != end) {
    return Status::Corruption(StrCat("a duration of ", value.size(), " bytes"));
  }
  return parts;
}

std::string DurationText(const DurationParts& duration) {
  return DurationText(duration.months, duration.days, duration.nanos);
}

Result<int64_t> AddDuration(int64_t millis, const DurationParts& duration, int64_t times) {
  int64_t months = 0;
  int64_t days = 0;
  int64_t nanos = 0;
  int64_t result = 0;
  bool wrong = __builtin_mul_overflow(duration.months, times, &months) ||
               __builtin_mul_overflow(duration.days, times, &days) ||
               __builtin_mul_overflow(duration.nanos, times, &nanos) ||
               std::max(months, -months) > kMonthsMax;
  if (!wrong) {
    int64_t const day = FloorDivide(millis, kMillisPerDay);
    CivilDate date = CivilFromDays(day);
    int64_t const month = date.year * 12 + static_cast<int64_t>(date.month) - 1 + months;
    date.year = FloorDivide(month, 12);
    date.month = static_cast<uint32_t>(month - date.year * 12 + 1);
    while (!IsDate(date)) {  // the 31st of a shorter month is its last day
      --date.day;
    }
    int64_t moved = 0;
    wrong = __builtin_add_overflow(DaysFromCivil(date), days, &moved) ||
            __builtin_mul_overflow(moved, kMillisPerDay, &result) ||
            __builtin_add_overflow(result, millis - day * kMillisPerDay, &result) ||
            __builtin_add_overflow(result, nanos / kNanosPerMilli, &result);
  }
  return wrong ? Result<int64_t>(Status::OutOfRange("a time beyond what a timestamp can hold"))
               : result;
}

TypeKind FloorResult(TypeKind kind) {
  return kind == TypeKind::kTimeuuid ? TypeKind::kTimestamp : kind;
}

Result<std::string> FloorTime(TypeKind kind, Bytes value, const DurationParts& duration) {
  std::string out;
  if (kind == TypeKind::kTime) {
    if (duration.months != 0 || duration.days != 0) {
      return Status::InvalidArgument(
          "For time values, the floor can only be computed for durations smaller that a day");
    }
    auto const nanos = LoadBigEndian<int64_t>(value);
    if (duration.nanos < 0 || duration.nanos > kNanosPerDay) {
      return Status::InvalidArgument("Negative durations are not supported by the floor function");
    }
    AppendBigEndian(out, duration.nanos == 0 ? nanos : nanos - nanos % duration.nanos);
    return out;
  }
  if (kind == TypeKind::kDate) {
    if (duration.nanos != 0) {
      return Status::InvalidArgument(StrCat("The floor on date values cannot be computed for the ",
                                            DurationText(duration),
                                            " duration as precision is below 1 day"));
    }
    int64_t const days = int64_t{LoadBigEndian<uint32_t>(value)} - kDateEpoch;
    ASSIGN_OR_RETURN(int64_t const millis, FloorMillis(days * kMillisPerDay, duration));
    AppendBigEndian(out, static_cast<uint32_t>(millis / kMillisPerDay + kDateEpoch));
    return out;
  }
  int64_t const millis =
      kind == TypeKind::kTimeuuid ? MillisOfTimeUuid(value) : LoadBigEndian<int64_t>(value);
  ASSIGN_OR_RETURN(int64_t const floor, FloorMillis(millis, duration));
  AppendBigEndian(out, floor);
  return out;
}

}  // namespace orochi::sstable
