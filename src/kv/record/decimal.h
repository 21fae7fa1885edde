#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orochi::kv {

/// The first digit of a Decimal is worth 10^(exponent - 1); exponents stay within this.
inline constexpr int32_t kDecimalExponentMax = 100'000'000;

/// A finite decimal number by value: (-1)^negative * 0.DIGITS * 10^exponent. 1.5 and 1.50 are one
/// number with one form, so that equal keys have equal bytes. Of any precision; a field's type
/// bounds it.
class Decimal {
 public:
  Decimal() = default;  // zero

  /// "-12", "1.50", ".5", "1.5e-7". kInvalidArgument for anything else, kOutOfRange past
  /// kDecimalExponentMax.
  static Result<Decimal> Parse(std::string_view text);
  /// From digits '0' to '9', the first worth 10^(exponent - 1); zeros at both ends are dropped.
  /// kOutOfRange past kDecimalExponentMax. REQUIRES: digits only.
  static Result<Decimal> FromDigits(bool negative, std::string_view digits, int64_t exponent);
  static Decimal FromSigned(int64_t value);
  static Decimal FromUnsigned(uint64_t value);
  /// All digits of the binary number. REQUIRES: finite.
  static Decimal FromDouble(double value);

  bool zero() const { return digits_.empty(); }
  bool negative() const { return negative_; }
  int32_t exponent() const { return exponent_; }         // 0 for zero
  const std::string& digits() const { return digits_; }  // no zero at either end; empty for zero

  /// Plain where that is short ("-0.015"), else "1.5e-7". Parse gives the same number.
  std::string ToText() const;

  friend bool operator==(const Decimal&, const Decimal&) = default;
  friend std::strong_ordering operator<=>(const Decimal& left, const Decimal& right);

 private:
  bool negative_ = false;
  int32_t exponent_ = 0;
  std::string digits_;
};

}  // namespace orochi::kv
