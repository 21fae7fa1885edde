#include "timeseries/calendar.h"

#include <array>
#include <cstddef>

namespace orochi::timeseries {
namespace {

constexpr int64_t kDaysPerCycle = 146'097;
constexpr int64_t kMonthsPerCycle = 4'800;

// Days before each month of a year without, and with, a 29th of February.
constexpr std::array<std::array<int, 12>, 2> kDaysBeforeMonth = {
    {{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334},
     {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335}}};

// `month` in [0, kMonthsPerCycle]: years of the cycle run from a leap year like 2000.
int64_t FirstDayInCycle(int64_t month) noexcept {
  int64_t const year = month / 12;
  int64_t const leap_years_before = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
  bool const is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return year * 365 + leap_years_before +
         kDaysBeforeMonth[is_leap ? 1 : 0][static_cast<size_t>(month % 12)];
}

}  // namespace

int64_t FirstDayOfMonth(int64_t month) noexcept {
  int64_t const cycle = FloorDivide(month, kMonthsPerCycle);
  return cycle * kDaysPerCycle + FirstDayInCycle(month - cycle * kMonthsPerCycle);
}

int64_t MonthOfDay(int64_t day) noexcept {
  int64_t const cycle = FloorDivide(day, kDaysPerCycle);
  int64_t const day_in_cycle = day - cycle * kDaysPerCycle;
  // The even spread of months over a cycle is off by at most one.
  int64_t month = day_in_cycle * kMonthsPerCycle / kDaysPerCycle;
  if (FirstDayInCycle(month) > day_in_cycle) {
    --month;
  } else if (FirstDayInCycle(month + 1) <= day_in_cycle) {
    ++month;
  }
  return cycle * kMonthsPerCycle + month;
}

}  // namespace orochi::timeseries
