#pragma once

#include <cstdint>

/// Days and months of the proleptic Gregorian calendar, counted from 2000-01-01 as PostgreSQL
/// counts days. That day opens a 400-year cycle, so all arithmetic is on positions in a cycle.
///
/// Threads: pure functions.  Bounds: exact for |days| and |months| below 2^50, far past the
/// timestamps PostgreSQL can store.
namespace orochi::timeseries {

inline constexpr int64_t kMicrosPerDay = 86'400'000'000;

/// Rounds towards minus infinity. REQUIRES: divisor > 0.
constexpr int64_t FloorDivide(int64_t value, int64_t divisor) noexcept {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

/// The day a month begins with. `month` counts from January 2000 = 0.
int64_t FirstDayOfMonth(int64_t month) noexcept;

/// The month that holds a day. FirstDayOfMonth(m) <= day < FirstDayOfMonth(m + 1).
int64_t MonthOfDay(int64_t day) noexcept;

}  // namespace orochi::timeseries
