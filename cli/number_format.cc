#include "cli/number_format.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace orochi::cli {

namespace {

/// `value` below 1,000 with three significant digits.
std::string ThreeDigits(double value) {
  if (value < 9.995) {
    return fmt::format("{:.2f}", value);
  }
  return value < 99.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

}  // namespace

std::string FormatCount(int64_t count) {
  std::string text = fmt::format("{}", count);
  size_t const first_digit = count < 0 ? 1 : 0;
  for (size_t at = text.size(); at > first_digit + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string FormatQuantity(int64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", FormatCount(count), singular, count == 1 ? "" : "s");
}

std::string FormatBytes(uint64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) {
    return fmt::format("{} B", bytes);
  }
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  // From 999.5 on three digits would read "1000".
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{} {}", ThreeDigits(value), kUnits[unit]);
}

std::string FormatDuration(double seconds) {
  if (seconds < 0.9995) {
    return fmt::format("{} ms", ThreeDigits(seconds * 1000));
  }
  if (seconds < 99.95) {
    return fmt::format("{} s", ThreeDigits(seconds));
  }
  auto const whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) {
    return fmt::format("{} m {:02} s", whole / 60, whole % 60);
  }
  if (whole < 86400) {
    return fmt::format("{} h {:02} m", whole / 3600, whole % 3600 / 60);
  }
  return fmt::format("{} d {:02} h", whole / 86400, whole % 86400 / 3600);
}

std::string FormatRatio(double ratio) {
  return ratio < 99.95 ? fmt::format("{:.1f}x", ratio) : fmt::format("{:.0f}x", ratio);
}

}  // namespace orochi::cli
