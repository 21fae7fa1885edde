#include "sstable/types/big_decimal.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

struct FreeBignum {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using Bignum = std::unique_ptr<BIGNUM, FreeBignum>;

Bignum FromDigits(const std::string& digits) {
  BIGNUM* number = nullptr;
  int const length = BN_dec2bn(&number, digits.c_str());
  ASSERT(length == static_cast<int>(digits.size()));
  return Bignum(number);
}

std::string ToDigits(const Bignum& number) {
  char* const text = BN_bn2dec(number.get());
  ASSERT(text != nullptr);
  std::string digits = text;
  OPENSSL_free(text);
  return digits;
}

/// value.digits * 10^zeros.
std::string Shifted(const BigDecimal& value, int64_t zeros) {
  return value.zero() ? value.digits : value.digits + std::string(static_cast<size_t>(zeros), '0');
}

/// The exponent of 10 that the first digit stands for, plus one.
int64_t Magnitude(const BigDecimal& value) {
  return static_cast<int64_t>(value.digits.size()) - value.scale;
}

int CompareMagnitudes(const BigDecimal& left, const BigDecimal& right) {
  if (left.zero() || right.zero()) {
    return static_cast<int>(right.zero()) - static_cast<int>(left.zero());
  }
  if (Magnitude(left) != Magnitude(right)) {
    return Magnitude(left) < Magnitude(right) ? -1 : 1;
  }
  // Equal magnitudes: the digits are fractions 0.ddd, where trailing zeros say nothing.
  auto const significant = [](const std::string& digits) {
    return std::string_view(digits).substr(0, digits.find_last_not_of('0') + 1);
  };
  return significant(left.digits).compare(significant(right.digits));
}

}  // namespace

BigDecimal DecodeVarint(Bytes bytes) {
  BigDecimal value;
  if (bytes.empty()) {
    return value;
  }
  value.negative = (std::to_integer<uint8_t>(bytes[0]) & 0x80) != 0;
  if (bytes.size() <= sizeof(int64_t)) {
    uint64_t word = value.negative ? ~uint64_t{0} : 0;
    for (std::byte const byte : bytes) {
      word = (word << 8) | std::to_integer<uint64_t>(byte);
    }
    value.digits = StrCat(value.negative ? ~word + 1 : word);
    return value;
  }
  std::vector<uint8_t> magnitude(bytes.size());
  uint32_t carry = value.negative ? 1 : 0;
  for (size_t index = bytes.size(); index-- > 0;) {
    auto const byte = std::to_integer<uint8_t>(bytes[index]);
    carry += value.negative ? static_cast<uint8_t>(~byte) : byte;
    magnitude[index] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  Bignum const number(BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), nullptr));
  value.digits = ToDigits(number);
  value.negative = value.negative && !value.zero();
  return value;
}

std::string EncodeVarint(const BigDecimal& value) {
  ASSERT(value.scale == 0);
  Bignum const number = FromDigits(value.digits);
  std::string out(static_cast<size_t>(BN_num_bytes(number.get())) + 1, '\0');  // and a sign byte
  BN_bn2bin(number.get(), reinterpret_cast<uint8_t*>(out.data()) + 1);
  if (value.negative) {
    uint32_t carry = 1;
    for (size_t index = out.size(); index-- > 0;) {
      carry += static_cast<uint8_t>(~out[index]);
      out[index] = static_cast<char>(carry);
      carry >>= 8;
    }
  }
  // Bytes that only repeat the sign are not stored.
  size_t begin = 0;
  while (begin + 1 < out.size() &&
         static_cast<uint8_t>(out[begin]) == (value.negative ? 0xFF : 0x00) &&
         ((out[begin + 1] & 0x80) != 0) == value.negative) {
    ++begin;
  }
  return out.substr(begin);
}

Result<BigDecimal> DecodeDecimal(Bytes bytes) {
  if (bytes.size() < sizeof(int32_t)) {
    return Status::Corruption(
        StrCat("a decimal of ", bytes.size(), " bytes, expected at least 4: its scale"));
  }
  BigDecimal value = DecodeVarint(bytes.subspan(sizeof(int32_t)));
  value.scale = LoadBigEndian<int32_t>(bytes);
  return value;
}

std::string EncodeDecimal(const BigDecimal& value) {
  std::string out;
  AppendBigEndian(out, static_cast<int32_t>(value.scale));
  BigDecimal unscaled = value;
  unscaled.scale = 0;
  return out + EncodeVarint(unscaled);
}

Result<BigDecimal> ParseBigDecimal(std::string_view text) {
  auto const malformed = [&] {
    return Status::InvalidArgument(StrCat("\"", text.substr(0, 100), "\" is not a decimal number"));
  };
  BigDecimal value;
  std::string_view rest = text;
  bool const negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  value.digits.clear();
  bool after_point = false;
  size_t at = 0;
  bool any_digit = false;
  for (; at < rest.size(); ++at) {
    char const c = rest[at];
    if (c == '.' && !after_point) {
      after_point = true;
    } else if (c >= '0' && c <= '9') {
      any_digit = true;
      value.scale += after_point ? 1 : 0;
      value.digits += c;
    } else {
      break;
    }
  }
  if (!any_digit) {
    return malformed();
  }
  if (at < rest.size()) {
    if (rest[at] != 'e' && rest[at] != 'E') {
      return malformed();
    }
    std::string_view exponent_text = rest.substr(at + 1);
    if (exponent_text.starts_with('+') && !exponent_text.starts_with("+-")) {
      exponent_text.remove_prefix(1);
    }
    int32_t exponent = 0;
    const char* const end_expected = exponent_text.data() + exponent_text.size();
    auto const [end, error] = std::from_chars(exponent_text.data(), end_expected, exponent);
    if (error != std::errc() || end != end_expected) {
      return malformed();
    }
    value.scale -= exponent;
  }
  if (value.scale > INT32_MAX || value.scale < INT32_MIN) {
    return Status::OutOfRange(StrCat("\"", text.substr(0, 100), "\" has the scale ", value.scale,
                                     ", a decimal's is from -2147483648 to 2147483647"));
  }
  value.digits.erase(0, std::min(value.digits.find_first_not_of('0'), value.digits.size() - 1));
  value.negative = negative && !value.zero();
  return value;
}

std::string BigDecimalText(const BigDecimal& value) {
  std::string_view const sign = value.negative ? "-" : "";
  const std::string& digits = value.digits;
  if (value.scale == 0) {
    return StrCat(sign, digits);
  }
  int64_t const exponent = Magnitude(value) - 1;
  if (value.scale > 0 && exponent >= -6) {
    int64_t const whole = Magnitude(value);  // digits before the point
    if (whole > 0) {
      return StrCat(sign, digits.substr(0, static_cast<size_t>(whole)), ".",
                    digits.substr(static_cast<size_t>(whole)));
    }
    return StrCat(sign, "0.", std::string(static_cast<size_t>(-whole), '0'), digits);
  }
  std::string out = StrCat(sign, digits.substr(0, 1));
  if (digits.size() > 1) {
    out += StrCat(".", digits.substr(1));
  }
  if (exponent != 0) {
    out += StrCat("E", exponent > 0 ? "+" : "", exponent);
  }
  return out;
}

int CompareBigDecimals(const BigDecimal& left, const BigDecimal& right) {
  if (left.negative != right.negative) {
    return left.negative ? -1 : 1;
  }
  int const magnitudes = CompareMagnitudes(left, right);
  return left.negative ? -magnitudes : magnitudes;
}

Result<BigDecimal> AddBigDecimals(const BigDecimal& left, const BigDecimal& right) {
  constexpr int64_t kScaleDifferenceMax = 100'000;
  BigDecimal sum;
  sum.scale = std::max(left.scale, right.scale);
  if (sum.scale - std::min(left.scale, right.scale) > kScaleDifferenceMax) {
    return Status::OutOfRange(StrCat("a sum of decimals with scales ", left.scale, " and ",
                                     right.scale, ", which may differ by at most ",
                                     kScaleDifferenceMax));
  }
  Bignum const a = FromDigits(Shifted(left, sum.scale - left.scale));
  Bignum const b = FromDigits(Shifted(right, sum.scale - right.scale));
  BN_set_negative(a.get(), left.negative ? 1 : 0);
  BN_set_negative(b.get(), right.negative ? 1 : 0);
  Bignum const total(BN_new());
  ASSERT(BN_add(total.get(), a.get(), b.get()) == 1);
  sum.negative = BN_is_negative(total.get()) != 0;
  BN_set_negative(total.get(), 0);
  sum.digits = ToDigits(total);
  return sum;
}

BigDecimal DivideBigDecimal(const BigDecimal& value, uint64_t divisor, bool half_even) {
  ASSERT(divisor > 0);
  Bignum const number = FromDigits(value.digits);
  BN_ULONG const remainder = BN_div_word(number.get(), divisor);
  bool const odd = BN_is_odd(number.get()) != 0;
  uint64_t const rest = divisor - remainder;  // above the middle where less than the remainder
  if (half_even && (remainder > rest || (remainder == rest && odd))) {
    ASSERT(BN_add_word(number.get(), 1) == 1);
  }
  BigDecimal quotient = value;
  quotient.digits = ToDigits(number);
  quotient.negative = value.negative && !quotient.zero();
  return quotient;
}

}  // namespace orochi::sstable
