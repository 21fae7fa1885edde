#include "kv/record/value.h"

#include <cmath>
#include <limits>
#include <string_view>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {

namespace {

size_t KindIndex(ValueKind kind) {
  switch (kind) {
    case ValueKind::kBool:
      return 1;
    case ValueKind::kSigned:
      return 2;
    case ValueKind::kUnsigned:
      return 3;
    case ValueKind::kFloat:
      return 4;
    case ValueKind::kDouble:
      return 5;
    case ValueKind::kDecimal:
      return 6;
    case ValueKind::kString:
      return 7;
    case ValueKind::kUuid:
      return 8;
  }
  ASSERT(false);
  return 0;
}

template <class Integer>
Status OutOfTypeRange(FieldType type, Integer value) {
  return Status::InvalidArgument(
      StrCat("found ", value, ", which does not fit ", FieldTypeName(type)));
}

}  // namespace

std::string DescribeValue(const Value& value) {
  constexpr std::string_view kNames[] = {
      "NULL",    "a bool",   "a signed integer", "an unsigned integer",
      "a float", "a double", "a decimal",        "a string",
      "a uuid"};
  return std::string(kNames[value.index()]);
}

Status CheckValue(FieldType type, const Value& value) {
  if (IsNull(value)) {
    return Status::Ok();
  }
  const FieldTypeTraits& traits = TraitsOf(type);
  if (value.index() != KindIndex(traits.kind)) {
    return Status::InvalidArgument(
        StrCat("found ", DescribeValue(value), ", expected ", traits.name));
  }
  auto const bits = static_cast<int>(traits.width_bytes * 8);
  if (traits.kind == ValueKind::kSigned && bits < 64) {
    auto const number = std::get<int64_t>(value);
    int64_t const max = (int64_t{1} << (bits - 1)) - 1;
    if (number > max || number < -max - 1) {
      return OutOfTypeRange(type, number);
    }
  }
  if (traits.kind == ValueKind::kUnsigned && bits < 64) {
    auto const number = std::get<uint64_t>(value);
    if (number >> bits != 0) {
      return OutOfTypeRange(type, number);
    }
  }
  if (traits.kind == ValueKind::kDecimal) {
    size_t const digit_count = std::get<Decimal>(value).digits().size();
    if (digit_count > traits.digits_max) {
      return Status::InvalidArgument(StrCat("found ", digit_count, " significant digits, ",
                                            traits.name, " has at most ", traits.digits_max));
    }
  }
  return Status::Ok();
}

std::strong_ordering CompareFloats(double left, double right) {
  if (std::isnan(left) || std::isnan(right)) {
    return std::isnan(left) <=> std::isnan(right);
  }
  return left < right   ? std::strong_ordering::less
         : left > right ? std::strong_ordering::greater
                        : std::strong_ordering::equal;
}

std::strong_ordering CompareValues(FieldType type, const Value& left, const Value& right) {
  ASSERT_SLOW(!IsNull(left) && CheckValue(type, left).ok());
  ASSERT_SLOW(!IsNull(right) && CheckValue(type, right).ok());
  switch (TraitsOf(type).kind) {
    case ValueKind::kBool:
      return std::get<bool>(left) <=> std::get<bool>(right);
    case ValueKind::kSigned:
      return std::get<int64_t>(left) <=> std::get<int64_t>(right);
    case ValueKind::kUnsigned:
      return std::get<uint64_t>(left) <=> std::get<uint64_t>(right);
    case ValueKind::kFloat:
      return CompareFloats(double{std::get<float>(left)}, double{std::get<float>(right)});
    case ValueKind::kDouble:
      return CompareFloats(std::get<double>(left), std::get<double>(right));
    case ValueKind::kDecimal:
      return std::get<Decimal>(left) <=> std::get<Decimal>(right);
    case ValueKind::kString:
      return std::get<std::string>(left) <=> std::get<std::string>(right);
    case ValueKind::kUuid:
      return std::get<Uuid>(left) <=> std::get<Uuid>(right);
  }
  ASSERT(false);
  return std::strong_ordering::equal;
}

}  // namespace orochi::kv
