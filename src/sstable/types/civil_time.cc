#include "sstable/types/civil_time.h"

#include <charconv>
#include <limits>

#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kMillisPerDay = kSecondsPerDay * 1000;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

int64_t FloorDivide(int64_t value, int64_t divisor) {
  int64_t const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1 : quotient;
}

int64_t FloorModulo(int64_t value, int64_t divisor) {
  int64_t const remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}

/// At least `digits` digits with zeros in front. REQUIRES: value >= 0.
std::string Padded(int64_t value, size_t digits) {
  std::string text = StrCat(value);
  if (text.size() < digits) {
    text.insert(0, digits - text.size(), '0');
  }
  return text;
}

/// Four digits or more; a sign where there are more or the year is before 0.
std::string YearText(int64_t year) {
  std::string const digits = Padded(year < 0 ? -year : year, 4);
  return StrCat(year < 0 ? "-" : year > 9999 ? "+" : "", digits);
}

std::string ClockText(int64_t second_of_day) {
  return StrCat(Padded(second_of_day / 3600, 2), ":", Padded(second_of_day / 60 % 60, 2), ":",
                Padded(second_of_day % 60, 2));
}

std::string InstantText(int64_t seconds, int64_t nanos) {
  std::string out = StrCat(DateText(FloorDivide(seconds, kSecondsPerDay)), "T",
                           ClockText(FloorModulo(seconds, kSecondsPerDay)));
  if (nanos != 0) {
    std::string fraction = Padded(nanos, 9);
    while (fraction.ends_with("000")) {
      fraction.resize(fraction.size() - 3);
    }
    out += StrCat(".", fraction);
  }
  return out + "Z";
}

/// A cursor over text that is taken apart field by field.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool Peek(std::string_view any_of) const {
    return !rest_.empty() && any_of.find(rest_[0]) != std::string_view::npos;
  }
  bool Take(char c) {
    if (!rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  /// From `digits_min` to `digits_max` digits.
  std::optional<int64_t> Number(size_t digits_min, size_t digits_max) {
    size_t count = 0;
    while (count < rest_.size() && count < digits_max && rest_[count] >= '0' &&
           rest_[count] <= '9') {
      ++count;
    }
    int64_t value = 0;
    if (count < digits_min ||
        std::from_chars(rest_.data(), rest_.data() + count, value).ec != std::errc()) {
      return std::nullopt;
    }
    rest_.remove_prefix(count);
    return value;
  }
  /// Digits of a fraction, as nanoseconds.
  std::optional<int64_t> Fraction() {
    size_t const before = rest_.size();
    std::optional<int64_t> value = Number(1, 9);
    if (value.has_value()) {
      for (size_t digits = before - rest_.size(); digits < 9; ++digits) {
        *value *= 10;
      }
    }
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<int64_t> TakeDate(Scanner& scanner) {
  bool const negative = scanner.Take('-');
  if (!negative) {
    scanner.Take('+');
  }
  std::optional<int64_t> const year = scanner.Number(1, 9);
  if (!year.has_value() || !scanner.Take('-')) {
    return std::nullopt;
  }
  std::optional<int64_t> const month = scanner.Number(1, 2);
  if (!month.has_value() || !scanner.Take('-')) {
    return std::nullopt;
  }
  std::optional<int64_t> const day = scanner.Number(1, 2);
  if (!day.has_value()) {
    return std::nullopt;
  }
  CivilDate const date{.year = negative ? -*year : *year,
                       .month = static_cast<uint32_t>(*month),
                       .day = static_cast<uint32_t>(*day)};
  return IsDate(date) ? std::optional<int64_t>(DaysFromCivil(date)) : std::nullopt;
}

/// Hours and minutes, seconds and their fraction where they stand.
std::optional<int64_t> TakeClock(Scanner& scanner) {
  std::optional<int64_t> const hours = scanner.Number(1, 2);
  if (!hours.has_value() || *hours > 23 || !scanner.Take(':')) {
    return std::nullopt;
  }
  std::optional<int64_t> const minutes = scanner.Number(1, 2);
  if (!minutes.has_value() || *minutes > 59) {
    return std::nullopt;
  }
  int64_t nanos = (*hours * 60 + *minutes) * 60 * kNanosPerSecond;
  if (!scanner.Take(':')) {
    return nanos;
  }
  std::optional<int64_t> const seconds = scanner.Number(1, 2);
  if (!seconds.has_value() || *seconds > 59) {
    return std::nullopt;
  }
  nanos += *seconds * kNanosPerSecond;
  if (scanner.Take('.')) {
    std::optional<int64_t> const fraction = scanner.Fraction();
    if (!fraction.has_value()) {
      return std::nullopt;
    }
    nanos += *fraction;
  }
  return nanos;
}

/// Seconds east of UTC: "Z", "+01", "+0100", "+01:00". Nothing at all is UTC.
std::optional<int64_t> TakeZone(Scanner& scanner) {
  while (scanner.Take(' ')) {
  }
  if (scanner.at_end() || scanner.Take('Z')) {
    return 0;
  }
  bool const west = scanner.Take('-');
  if (!west && !scanner.Take('+')) {
    return std::nullopt;
  }
  std::optional<int64_t> const hours = scanner.Number(2, 2);
  if (!hours.has_value() || *hours > 18) {
    return std::nullopt;
  }
  int64_t minutes = 0;
  bool const colon = scanner.Take(':');
  if (colon || !scanner.at_end()) {
    std::optional<int64_t> const taken = scanner.Number(2, 2);
    if (!taken.has_value() || *taken > 59) {
      return std::nullopt;
    }
    minutes = *taken;
  }
  int64_t const seconds = (*hours * 60 + minutes) * 60;
  return west ? -seconds : seconds;
}

bool IsLeapYear(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

}  // namespace

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that the
// leap day is the last of a year; an era is 400 years.
CivilDate CivilFromDays(int64_t days_since_1970) {
  int64_t const days = days_since_1970 + 719'468;
  int64_t const era = FloorDivide(days, 146'097);
  int64_t const day_of_era = days - era * 146'097;
  int64_t const year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t const day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t const month_from_march = (5 * day_of_year + 2) / 153;
  CivilDate date;
  date.day = static_cast<uint32_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  date.month =
      static_cast<uint32_t>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

int64_t DaysFromCivil(CivilDate date) {
  int64_t const year = date.year - (date.month <= 2 ? 1 : 0);
  int64_t const era = FloorDivide(year, 400);
  int64_t const year_of_era = year - era * 400;
  int64_t const month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  int64_t const day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  int64_t const day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

bool IsDate(CivilDate date) {
  constexpr uint32_t kDays[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > kDays[date.month - 1]) {
    return false;
  }
  return date.month != 2 || date.day < 29 || IsLeapYear(date.year);
}

std::string DateText(int64_t days_since_1970) {
  CivilDate const date = CivilFromDays(days_since_1970);
  return StrCat(YearText(date.year), "-", Padded(date.month, 2), "-", Padded(date.day, 2));
}

std::string TimeText(int64_t nanos_since_midnight) {
  return StrCat(ClockText(nanos_since_midnight / kNanosPerSecond), ".",
                Padded(nanos_since_midnight % kNanosPerSecond, 9));
}

std::string InstantTextOfMicros(int64_t micros) {
  // Java converts to nanoseconds, which saturate, and to seconds, which round towards zero: both
  // are part of what sstabledump shows.
  int64_t nanos = 0;
  if (__builtin_mul_overflow(micros, int64_t{1000}, &nanos)) {
    nanos = micros < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return InstantText(micros / 1'000'000, FloorModulo(nanos, kNanosPerSecond));
}

std::string InstantTextOfSeconds(int64_t seconds) {
  int64_t nanos = 0;
  if (__builtin_mul_overflow(seconds, kNanosPerSecond, &nanos)) {
    nanos = seconds < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return InstantText(seconds, FloorModulo(nanos, kNanosPerSecond));
}

std::string TimestampText(int64_t millis, const TimestampStyle& style) {
  CivilDate const date = CivilFromDays(FloorDivide(millis, kMillisPerDay));
  int64_t const milli_of_day = FloorModulo(millis, kMillisPerDay);
  std::string out = StrCat(YearText(date.year > 0 ? date.year : 1 - date.year), "-",
                           Padded(date.month, 2), "-", Padded(date.day, 2), style.separator,
                           ClockText(milli_of_day / 1000), ".", Padded(milli_of_day % 1000, 3));
  out.append(static_cast<size_t>(style.fraction_digits - 3), '0');
  out += style.zone;
  return out;
}

std::optional<int64_t> ParseDate(std::string_view text) {
  Scanner scanner(text);
  std::optional<int64_t> const days = TakeDate(scanner);
  return scanner.at_end() ? days : std::nullopt;
}

std::optional<int64_t> ParseTime(std::string_view text) {
  Scanner scanner(text);
  std::optional<int64_t> const nanos = TakeClock(scanner);
  return scanner.at_end() ? nanos : std::nullopt;
}

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  Scanner scanner(text);
  std::optional<int64_t> const days = TakeDate(scanner);
  if (!days.has_value()) {
    return std::nullopt;
  }
  int64_t nanos = 0;
  bool const marked = scanner.Take('T');
  if (marked || (scanner.Take(' ') && !scanner.Peek("Z+- "))) {
    std::optional<int64_t> const clock = TakeClock(scanner);
    if (!clock.has_value()) {
      return std::nullopt;
    }
    nanos = *clock;
  }
  std::optional<int64_t> const east_s = TakeZone(scanner);
  if (!east_s.has_value() || !scanner.at_end()) {
    return std::nullopt;
  }
  return *days * kMillisPerDay + nanos / 1'000'000 - *east_s * 1000;
}

}  // namespace orochi::sstable
