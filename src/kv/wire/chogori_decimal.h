#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/record/decimal.h"
#include "kv/record/field_type.h"

namespace orochi::kv::chogori {

// A decimal as the dialect's clients send it: the bytes that boost::archive::binary_oarchive
// without header writes for cpp_dec_float<25>, <50> or <100> on x86-64, all little-endian:
//
//   10       0: what Boost keeps of its classes
//   4 x n    limbs of eight decimal digits, n = 7, 10 or 16; the number is
//            limb[0] * 10^e + limb[1] * 10^(e - 8) + ...
//   4        e, a multiple of 8
//   1        1 for a negative number
//   4        0; 1 and 2 are infinity and NaN
//   4        n

/// kUnsupported where the number is past the largest of that type, 10^67108864.
/// REQUIRES: a decimal type, and a value of it.
Result<std::string> EncodeDecimal(FieldType type, const Decimal& value);

/// Rounds to the digits of the type, half away from zero: computed numbers have more, which the
/// type does not promise. kInvalidArgument for other bytes, infinities and NaN.
Result<Decimal> DecodeDecimal(FieldType type, std::string_view bytes);

}  // namespace orochi::kv::chogori
