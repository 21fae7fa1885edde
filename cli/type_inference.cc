#include "cli/type_inference.h"

#include <charconv>
#include <system_error>

#include "base/assert.h"

namespace orochi::cli {

namespace {

constexpr size_t kSampleSizeBytesMax = 40;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

/// Takes exactly `digit_count` digits off the front.
bool TakeNumber(std::string_view& text, size_t digit_count, int& value) {
  if (text.size() < digit_count) {
    return false;
  }
  value = 0;
  for (size_t i = 0; i < digit_count; ++i) {
    if (!IsDigit(text[i])) {
      return false;
    }
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digit_count);
  return true;
}

bool Take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

int DaysIn(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

/// YYYY-MM-DD, or with slashes throughout.
bool TakeDate(std::string_view& text) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!TakeNumber(text, 4, year) || text.empty()) {
    return false;
  }
  char const separator = text.front();
  return (separator == '-' || separator == '/') && Take(text, separator) &&
         TakeNumber(text, 2, month) && Take(text, separator) && TakeNumber(text, 2, day) &&
         year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= DaysIn(year, month);
}

/// HH:MM[:SS[.f...]]
bool TakeTimeOfDay(std::string_view& text) {
  int hour = 0;
  int minute = 0;
  if (!TakeNumber(text, 2, hour) || !Take(text, ':') || !TakeNumber(text, 2, minute) || hour > 23 ||
      minute > 59) {
    return false;
  }
  if (!Take(text, ':')) {
    return true;
  }
  int second = 0;
  if (!TakeNumber(text, 2, second) || second > 59) {
    return false;
  }
  if (Take(text, '.')) {
    size_t digit_count = 0;
    while (digit_count < text.size() && IsDigit(text[digit_count])) {
      ++digit_count;
    }
    text.remove_prefix(digit_count);
    return digit_count > 0 && digit_count <= 9;  // PostgreSQL rounds to microseconds
  }
  return true;
}

/// Z, " UTC", or an offset: +HH, +HHMM, +HH:MM.
bool TakeZone(std::string_view& text) {
  if (text == "Z" || text == "z" || text == " UTC" || text == " Z") {
    text = {};
    return true;
  }
  if (!Take(text, '+') && !Take(text, '-')) {
    return false;
  }
  int hour = 0;
  int minute = 0;
  if (!TakeNumber(text, 2, hour) || hour > 15) {
    return false;
  }
  if (text.empty()) {
    return true;
  }
  Take(text, ':');
  return TakeNumber(text, 2, minute) && minute <= 59;
}

ValueKind ClassifyTime(std::string_view text) {
  if (!TakeDate(text)) {
    return ValueKind::kText;
  }
  if (text.empty()) {
    return ValueKind::kDate;
  }
  if ((!Take(text, ' ') && !Take(text, 'T')) || !TakeTimeOfDay(text)) {
    return ValueKind::kText;
  }
  if (text.empty()) {
    return ValueKind::kTimestamp;
  }
  return TakeZone(text) && text.empty() ? ValueKind::kTimestampTz : ValueKind::kText;
}

ValueKind ClassifyNumber(std::string_view text) {
  std::string_view const digits = text.front() == '-' ? text.substr(1) : text;
  bool all_digits = !digits.empty();
  for (char const c : digits) {
    all_digits = all_digits && IsDigit(c);
  }
  const char* const end = text.data() + text.size();
  if (all_digits) {
    if (digits.size() > 1 && digits.front() == '0') {
      return ValueKind::kText;
    }
    int64_t integer = 0;
    return std::from_chars(text.data(), end, integer).ec == std::errc() ? ValueKind::kInteger
                                                                        : ValueKind::kBigInteger;
  }
  double number = 0;
  auto const [stop, error] = std::from_chars(text.data(), end, number);
  // from_chars also reads nan(...), which PostgreSQL does not.
  bool const is_number = error == std::errc() && stop == end && text.back() != ')';
  return is_number ? ValueKind::kFloat : ValueKind::kText;
}

bool LooksLikeTime(std::string_view text) {
  return text.size() >= 10 && IsDigit(text[0]) && (text[4] == '-' || text[4] == '/');
}

}  // namespace

ValueKind ClassifyValue(std::string_view text) {
  ASSERT(!text.empty());
  text = TrimSpaces(text);
  if (text.empty()) {
    return ValueKind::kText;
  }
  return LooksLikeTime(text) ? ClassifyTime(text) : ClassifyNumber(text);
}

std::string_view ColumnTypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kBigint:
      return "bigint";
    case ColumnType::kNumeric:
      return "numeric";
    case ColumnType::kDouble:
      return "double precision";
    case ColumnType::kDate:
      return "date";
    case ColumnType::kTimestamp:
      return "timestamp";
    case ColumnType::kTimestampTz:
      return "timestamptz";
    case ColumnType::kText:
      return "text";
  }
  return "text";
}

bool IsTimeType(ColumnType type) {
  return type == ColumnType::kDate || type == ColumnType::kTimestamp ||
         type == ColumnType::kTimestampTz || type == ColumnType::kBigint;
}

void ColumnProfile::Add(std::string_view text, const std::string& file, int64_t line) {
  if (text.empty()) {
    if (null_count_++ == 0) {
      first_null_ = ValueSample{.text = {}, .file = file, .line = line};
    }
    return;
  }
  ++value_count_;
  // Text stays text whatever follows.
  if (Saw(ValueKind::kText)) {
    return;
  }
  auto& first = first_[static_cast<size_t>(ClassifyValue(text))];
  if (!first.has_value()) {
    first = ValueSample{
        .text = std::string(text.substr(0, kSampleSizeBytesMax)), .file = file, .line = line};
  }
}

ColumnType ColumnProfile::Type(bool has_zone) const {
  bool const number =
      Saw(ValueKind::kInteger) || Saw(ValueKind::kBigInteger) || Saw(ValueKind::kFloat);
  bool const naive_time = Saw(ValueKind::kDate) || Saw(ValueKind::kTimestamp);
  bool const zoned_time = Saw(ValueKind::kTimestampTz);
  bool const time = naive_time || zoned_time;
  if (Saw(ValueKind::kText) || (number && time) || (!number && !time)) {
    return ColumnType::kText;
  }
  if (number) {
    return Saw(ValueKind::kFloat)        ? ColumnType::kDouble
           : Saw(ValueKind::kBigInteger) ? ColumnType::kNumeric
                                         : ColumnType::kBigint;
  }
  if (zoned_time) {
    return naive_time && !has_zone ? ColumnType::kText : ColumnType::kTimestampTz;
  }
  if (Saw(ValueKind::kTimestamp)) {
    return has_zone ? ColumnType::kTimestampTz : ColumnType::kTimestamp;
  }
  return ColumnType::kDate;
}

}  // namespace orochi::cli
