#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sstable/types/bytes.h"

namespace orochi::sstable {

/// A decimal number of any size: (-1)^negative * digits * 10^-scale.
struct BigDecimal {
  bool negative = false;
  std::string digits = "0";  // no leading zeros; "0" for zero, which is never negative
  int64_t scale = 0;

  bool zero() const { return digits == "0"; }
};

/// A varint: two's complement, big-endian, of any length. Empty bytes are zero.
BigDecimal DecodeVarint(Bytes bytes);
/// The shortest form, as Cassandra stores it. REQUIRES: scale == 0.
std::string EncodeVarint(const BigDecimal& value);

/// A decimal: i32 scale, then the unscaled value as a varint. kCorruption below four bytes.
Result<BigDecimal> DecodeDecimal(Bytes bytes);
std::string EncodeDecimal(const BigDecimal& value);

/// "-12", "1.50", "1.5e-7": keeps the scale that the text has. kInvalidArgument for anything else.
Result<BigDecimal> ParseBigDecimal(std::string_view text);

/// As Java's BigDecimal prints: plain where scale >= 0 and the exponent is at least -6, otherwise
/// "1.23E+5".
std::string BigDecimalText(const BigDecimal& value);

/// By value: 1.0 equals 1.00.
int CompareBigDecimals(const BigDecimal& left, const BigDecimal& right);

/// kOutOfRange where the scales are so far apart that the sum would fill the memory.
Result<BigDecimal> AddBigDecimals(const BigDecimal& left, const BigDecimal& right);

/// Keeps the scale; rounds to the nearest, ties to even, or else towards zero.
/// REQUIRES: divisor > 0.
BigDecimal DivideBigDecimal(const BigDecimal& value, uint64_t divisor, bool half_even);

}  // namespace orochi::sstable
