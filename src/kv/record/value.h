#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "base/status.h"
#include "kv/record/decimal.h"
#include "kv/record/field_type.h"

namespace orochi::kv {

struct Null {
  friend constexpr auto operator<=>(Null, Null) = default;
};

using Uuid = std::array<uint8_t, 16>;

/// One field's value. Its type is the field's: int16, int32, int64 and timestamp are int64_t;
/// uint16, uint32, uint64 and fieldtype uint64_t; text and bytes std::string; all decimals Decimal.
/// operator== is that of the alternatives (NaN is not itself); CompareValues is the order of keys.
using Value =
    std::variant<Null, bool, int64_t, uint64_t, float, double, Decimal, std::string, Uuid>;

inline bool IsNull(const Value& value) {
  return std::holds_alternative<Null>(value);
}

/// "bool", "integer", ...: what a Value holds, for messages.
std::string DescribeValue(const Value& value);

/// Whether `value`, NULL or not, may be in a field of `type`: kind, range, digits. The message
/// says what was found and expected; the caller adds the field.
Status CheckValue(FieldType type, const Value& value);

/// The order of values of one type, neither NULL: numbers by number, -0 equal to 0, NaN equal to
/// itself and past +inf (as in PostgreSQL), false before true, text, bytes and uuid by their bytes.
/// REQUIRES: both hold `type`.
std::strong_ordering CompareValues(FieldType type, const Value& left, const Value& right);

/// The same for floating-point numbers.
std::strong_ordering CompareFloats(double left, double right);

}  // namespace orochi::kv
