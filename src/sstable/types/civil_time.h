#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orochi::sstable {

/// Dates of the proleptic Gregorian calendar over all years that Cassandra's types can hold
/// (std::chrono stops at 32767), as text in the forms of Java and cqlsh.
struct CivilDate {
  int64_t year = 1970;
  uint32_t month = 1;
  uint32_t day = 1;
};

CivilDate CivilFromDays(int64_t days_since_1970);
int64_t DaysFromCivil(CivilDate date);
/// True for months 1 to 12 and days that the month has.
bool IsDate(CivilDate date);

/// "2024-02-29", "-0001-01-01", "+12345-01-01".
std::string DateText(int64_t days_since_1970);
/// "12:34:56.123456789". REQUIRES: 0 <= nanos < a day.
std::string TimeText(int64_t nanos_since_midnight);

/// Java's Instant of microseconds or seconds, as sstabledump prints them:
/// "2024-01-01T00:00:00.000001Z" with as many groups of three digits as are needed.
std::string InstantTextOfMicros(int64_t micros);
std::string InstantTextOfSeconds(int64_t seconds);

/// Milliseconds as "2024-01-01 00:00:00.123Z"; `separator` stands between date and time, `zone` at
/// the end, `fraction_digits` is 3 or 6. Years before 1 are shown in their era, as Java does.
struct TimestampStyle {
  char separator = ' ';
  std::string_view zone = "Z";
  int fraction_digits = 3;
};
std::string TimestampText(int64_t millis, const TimestampStyle& style);

/// Days from "2024-02-29", also with a sign or more digits in the year. Nullopt when it is no date.
std::optional<int64_t> ParseDate(std::string_view text);
/// Nanoseconds from "12:34:56" with up to nine digits of fraction.
std::optional<int64_t> ParseTime(std::string_view text);
/// Milliseconds from a date, date and time ("2024-02-29 12:34[:56[.123]]", also with T), each with
/// or without a zone ("Z", "+01", "+0100", "+01:00"); without one it is UTC. Digits finer than
/// milliseconds are cut.
std::optional<int64_t> ParseTimestamp(std::string_view text);

}  // namespace orochi::sstable
