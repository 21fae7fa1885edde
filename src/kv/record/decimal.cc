#include "kv/record/decimal.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {

namespace {

constexpr int32_t kPlainExponentMin = -6;
constexpr int32_t kPlainExponentMax = 40;

bool IsDigit(char character) {
  return character >= '0' && character <= '9';
}

}  // namespace

Result<Decimal> Decimal::FromDigits(bool negative, std::string_view digits, int64_t exponent) {
  size_t const first = digits.find_first_not_of('0');
  Decimal number;
  if (first == std::string_view::npos) {
    return number;
  }
  size_t const last = digits.find_last_not_of('0');
  exponent -= static_cast<int64_t>(first);
  if (exponent > kDecimalExponentMax || exponent < -kDecimalExponentMax) {
    return Status::OutOfRange(StrCat("decimal has exponent ", exponent, ", at most ",
                                     kDecimalExponentMax, " either way"));
  }
  number.negative_ = negative;
  number.exponent_ = static_cast<int32_t>(exponent);
  number.digits_ = digits.substr(first, last + 1 - first);
  return number;
}

Result<Decimal> Decimal::Parse(std::string_view text) {
  auto const refuse = [text] {
    return Status::InvalidArgument(
        StrCat("found '", text.substr(0, 40), "', expected a decimal number"));
  };
  std::string_view rest = text;
  bool const negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  std::string digits;
  int64_t whole_count = 0;
  bool fraction = false;
  while (!rest.empty() && (IsDigit(rest.front()) || (rest.front() == '.' && !fraction))) {
    if (rest.front() == '.') {
      fraction = true;
    } else {
      digits.push_back(rest.front());
      whole_count += fraction ? 0 : 1;
    }
    rest.remove_prefix(1);
  }
  if (digits.empty()) {
    return refuse();
  }
  int64_t exponent = 0;
  if (!rest.empty()) {
    if (rest.front() != 'e' && rest.front() != 'E') {
      return refuse();
    }
    bool const signed_plus = rest.size() > 1 && rest[1] == '+';
    rest.remove_prefix(signed_plus ? 2 : 1);
    if (rest.size() > 12 || rest.empty() || (signed_plus && rest.front() == '-')) {
      return refuse();
    }
    auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (error != std::errc() || end != rest.data() + rest.size()) {
      return refuse();
    }
  }
  return FromDigits(negative, digits, whole_count + exponent);
}

Decimal Decimal::FromUnsigned(uint64_t value) {
  std::string const digits = StrCat(value);
  auto number = FromDigits(false, digits, static_cast<int64_t>(digits.size()));
  ASSERT(number.ok());
  return *std::move(number);
}

Decimal Decimal::FromSigned(int64_t value) {
  Decimal number =
      FromUnsigned(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
  number.negative_ = value < 0;
  return number;
}

Decimal Decimal::FromDouble(double value) {
  ASSERT(std::isfinite(value));
  // The shortest denormal needs 767 significant digits; more are zeros.
  std::array<char, 800> text;
  auto const [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                          std::chars_format::scientific, 767);
  ASSERT(error == std::errc());
  auto number = Parse(std::string_view(text.data(), static_cast<size_t>(end - text.data())));
  ASSERT(number.ok());
  return *std::move(number);
}

std::string Decimal::ToText() const {
  if (zero()) {
    return "0";
  }
  std::string text = negative_ ? "-" : "";
  auto const count = static_cast<int32_t>(digits_.size());
  if (exponent_ < kPlainExponentMin || exponent_ > kPlainExponentMax) {
    text += digits_[0];
    if (count > 1) {
      text += '.';
      text.append(digits_, 1);
    }
    return text + StrCat("e", exponent_ - 1);
  }
  if (exponent_ <= 0) {
    return text + "0." + std::string(static_cast<size_t>(-exponent_), '0') + digits_;
  }
  if (count <= exponent_) {
    return text + digits_ + std::string(static_cast<size_t>(exponent_ - count), '0');
  }
  auto const point = static_cast<size_t>(exponent_);
  return text + digits_.substr(0, point) + "." + digits_.substr(point);
}

std::strong_ordering operator<=>(const Decimal& left, const Decimal& right) {
  auto const sign = [](const Decimal& number) {
    return number.zero() ? 0 : number.negative() ? -1 : 1;
  };
  if (sign(left) != sign(right) || sign(left) == 0) {
    return sign(left) <=> sign(right);
  }
  auto magnitude = left.exponent_ <=> right.exponent_;
  if (magnitude == 0) {
    magnitude = left.digits_ <=> right.digits_;
  }
  return left.negative() ? 0 <=> magnitude : magnitude;
}

}  // namespace orochi::kv
