#include "kv/filter/compare.h"

#include <cmath>
#include <cstdint>

#include "base/assert.h"

namespace orochi::kv {

namespace {

enum class Family : uint8_t { kNumber, kText, kBytes, kUuid, kTimestamp, kFieldType };

Family FamilyOf(FieldType type) {
  switch (type) {
    case FieldType::kText:
      return Family::kText;
    case FieldType::kBytes:
      return Family::kBytes;
    case FieldType::kUuid:
      return Family::kUuid;
    case FieldType::kTimestamp:
      return Family::kTimestamp;
    case FieldType::kFieldType:
      return Family::kFieldType;
    default:
      return Family::kNumber;
  }
}

// A number as the widest of its kind: int64_t, uint64_t (also bool), double (also float), Decimal.
Value Widen(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return uint64_t{*flag};
  }
  if (const auto* number = std::get_if<float>(&value)) {
    return double{*number};
  }
  return value;
}

// Every finite number.
Decimal ToDecimal(const Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return Decimal::FromSigned(*number);
  }
  if (const auto* number = std::get_if<uint64_t>(&value)) {
    return Decimal::FromUnsigned(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return Decimal::FromDouble(*number);
  }
  return std::get<Decimal>(value);
}

// Where a double is exact for an integer, it compares without digits.
bool ToExactDouble(const Value& value, double& out) {
  constexpr int64_t kExactMax = int64_t{1} << 53;
  if (const auto* number = std::get_if<int64_t>(&value)) {
    out = static_cast<double>(*number);
    return *number <= kExactMax && *number >= -kExactMax;
  }
  if (const auto* number = std::get_if<uint64_t>(&value)) {
    out = static_cast<double>(*number);
    return *number <= static_cast<uint64_t>(kExactMax);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    out = *number;
    return true;
  }
  return false;
}

// -1, 0 or 1 for -inf, finite, +inf or NaN, which is past +inf: 2.
int Rank(const Value& value) {
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || std::isfinite(*number)) {
    return 0;
  }
  return std::isnan(*number) ? 2 : *number < 0 ? -1 : 1;
}

std::strong_ordering CompareNumbers(const Value& left, const Value& right) {
  if (left.index() == right.index()) {
    if (const auto* number = std::get_if<int64_t>(&left)) {
      return *number <=> std::get<int64_t>(right);
    }
    if (const auto* number = std::get_if<uint64_t>(&left)) {
      return *number <=> std::get<uint64_t>(right);
    }
    if (const auto* number = std::get_if<double>(&left)) {
      return CompareFloats(*number, std::get<double>(right));
    }
    return std::get<Decimal>(left) <=> std::get<Decimal>(right);
  }
  double left_double = 0;
  double right_double = 0;
  if (ToExactDouble(left, left_double) && ToExactDouble(right, right_double)) {
    return CompareFloats(left_double, right_double);
  }
  if (Rank(left) != 0 || Rank(right) != 0) {
    return Rank(left) <=> Rank(right);
  }
  return ToDecimal(left) <=> ToDecimal(right);
}

}  // namespace

bool AreComparable(FieldType left, FieldType right) {
  return FamilyOf(left) == FamilyOf(right);
}

std::strong_ordering CompareAcross(FieldType left_type, const Value& left, FieldType right_type,
                                   const Value& right) {
  ASSERT(AreComparable(left_type, right_type));
  if (left_type == right_type) {
    return CompareValues(left_type, left, right);
  }
  return CompareNumbers(Widen(left), Widen(right));
}

}  // namespace orochi::kv
