#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

/// Which range of time the chunk of a value covers. Pure arithmetic on ticks: a tick is what the
/// time column's type counts in, from the type's own zero.
///
///   kMicros   timestamp, timestamptz   microseconds since 2000-01-01 00:00 (UTC)
///   kDays     date                     days since 2000-01-01
///   kInt16, kInt32, kInt64             the number itself
namespace orochi::timeseries {

enum class TimeKind : uint8_t { kMicros, kDays, kInt16, kInt32, kInt64 };

/// The first and last finite value of the kind.
struct TickLimits {
  int64_t first;
  int64_t last;
};
TickLimits LimitsOf(TimeKind kind);

/// How long chunks are: either whole calendar months or a fixed number of ticks; the other is 0.
struct ChunkInterval {
  int32_t months = 0;
  int64_t ticks = 0;

  friend bool operator==(const ChunkInterval&, const ChunkInterval&) = default;
};

/// Checks an interval given as PostgreSQL's three parts and turns it into ticks of `kind`.
/// Refuses zero, negative, months mixed with days or time, parts of a day for dates, and kinds
/// that are not time.
Result<ChunkInterval> IntervalFromParts(TimeKind kind, int32_t months, int32_t days,
                                        int64_t micros);
/// The same for an integer time column: refuses zero, negative and more than the kind can hold.
Result<ChunkInterval> IntervalFromInteger(TimeKind kind, int64_t ticks);

/// Ticks first..last, both inclusive, so that the ends of a type need no special number.
struct ChunkRange {
  int64_t first;
  int64_t last;

  bool Contains(int64_t value) const { return first <= value && value <= last; }
  friend bool operator==(const ChunkRange&, const ChunkRange&) = default;
};

/// The range of the chunk that `value` belongs to. Ranges of one interval tile the kind's limits:
/// aligned to Monday 2000-01-03 for days and time, to January 2000 for months, to 0 for integers,
/// and cut off where the type ends. REQUIRES: `interval` from one of the functions above; `value`
/// within LimitsOf(kind), which kOutOfRange reports otherwise.
Result<ChunkRange> RangeFor(TimeKind kind, const ChunkInterval& interval, int64_t value);

/// `range` without what lies outside `gap`, the free room between existing chunks around `value`.
/// REQUIRES: both contain `value`.
ChunkRange ClipTo(const ChunkRange& range, const ChunkRange& gap, int64_t value);

/// What a chunk's name ends in: 20260131, 20260131_140000, 20260131_140000_000001 for time (bc in
/// front of years before Christ), 42 or n42 for integers.
std::string NameSuffix(TimeKind kind, const ChunkRange& range);

}  // namespace orochi::timeseries
