#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "sstable/types/bytes.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// A value of type duration.
struct DurationParts {
  int64_t months = 0;
  int64_t days = 0;
  int64_t nanos = 0;
};
/// kCorruption when the bytes are no duration.
Result<DurationParts> DecodeDuration(Bytes value);
/// As CQL writes it: 1mo2d3h.
std::string DurationText(const DurationParts& duration);

/// The moment `times` durations after `millis` since 1970: months by the calendar, then days, then
/// the rest. kOutOfRange beyond what a timestamp can hold.
Result<int64_t> AddDuration(int64_t millis, const DurationParts& duration, int64_t times);

/// floor(value, duration): the start of the interval that the value is in, counted from 1970 or
/// midnight. REQUIRES: kind is timestamp, timeuuid, date or time. kInvalidArgument in Cassandra's
/// words for values before 1970 and durations that do not fit.
Result<std::string> FloorTime(TypeKind kind, Bytes value, const DurationParts& duration);
/// What floor gives for such a value: a timestamp for a timeuuid.
TypeKind FloorResult(TypeKind kind);

}  // namespace orochi::sstable
