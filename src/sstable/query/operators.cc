#include "sstable/query/operators.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/str_cat.h"
#include "sstable/query/conversion.h"
#include "sstable/query/time_functions.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/bytes.h"
#include "sstable/types/scalar_text.h"

namespace orochi::sstable {

namespace {

constexpr int kAnySize = 100;
constexpr int64_t kMillisPerDay = 86'400'000;
constexpr int64_t kNanosPerMilli = 1'000'000;
constexpr int64_t kDateEpoch = int64_t{1} << 31;

struct NumberShape {
  int size_bytes;
  bool is_float;
};

std::optional<NumberShape> ShapeOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyint:
      return NumberShape{1, false};
    case TypeKind::kSmallint:
      return NumberShape{2, false};
    case TypeKind::kInt:
      return NumberShape{4, false};
    case TypeKind::kBigint:
    case TypeKind::kCounter:
      return NumberShape{8, false};
    case TypeKind::kVarint:
      return NumberShape{kAnySize, false};
    case TypeKind::kFloat:
      return NumberShape{4, true};
    case TypeKind::kDouble:
      return NumberShape{8, true};
    case TypeKind::kDecimal:
      return NumberShape{kAnySize, true};
    default:
      return std::nullopt;
  }
}

TypeKind KindOf(NumberShape shape) {
  if (shape.is_float) {
    return shape.size_bytes <= 4   ? TypeKind::kFloat
           : shape.size_bytes <= 8 ? TypeKind::kDouble
                                   : TypeKind::kDecimal;
  }
  return shape.size_bytes == 1   ? TypeKind::kTinyint
         : shape.size_bytes == 2 ? TypeKind::kSmallint
         : shape.size_bytes == 4 ? TypeKind::kInt
         : shape.size_bytes == 8 ? TypeKind::kBigint
                                 : TypeKind::kVarint;
}

/// REQUIRES: no division by zero.
template <class Integer>
Value Whole(char op, const std::string& left_bytes, const std::string& right_bytes) {
  auto const left = static_cast<uint64_t>(int64_t{LoadBigEndian<Integer>(AsBytes(left_bytes))});
  auto const right = static_cast<uint64_t>(int64_t{LoadBigEndian<Integer>(AsBytes(right_bytes))});
  uint64_t result = 0;
  switch (op) {
    case '+':
      result = left + right;
      break;
    case '-':
      result = left - right;
      break;
    case '*':
      result = left * right;
      break;
    default: {
      auto const dividend = static_cast<int64_t>(left);
      auto const divisor = static_cast<int64_t>(right);
      if (divisor == -1) {  // the least number has no opposite
        result = op == '/' ? -left : 0;
      } else {
        result = static_cast<uint64_t>(op == '/' ? dividend / divisor : dividend % divisor);
      }
    }
  }
  std::string out;
  AppendBigEndian(out, static_cast<Integer>(result));
  return out;
}

template <class Float, class Bits>
Value Floating(char op, const std::string& left_bytes, const std::string& right_bytes) {
  auto const left = std::bit_cast<Float>(LoadBigEndian<Bits>(AsBytes(left_bytes)));
  auto const right = std::bit_cast<Float>(LoadBigEndian<Bits>(AsBytes(right_bytes)));
  Float const result = op == '+'   ? left + right
                       : op == '-' ? left - right
                       : op == '*' ? left * right
                       : op == '/' ? left / right
                                   : std::fmod(left, right);
  std::string out;
  AppendBigEndian(out, std::bit_cast<Bits>(result));
  return out;
}

// As on paper, digit by digit.
std::string MultiplyDigits(const std::string& left, const std::string& right) {
  std::string digits(left.size() + right.size(), '\0');
  for (size_t i = left.size(); i-- > 0;) {
    int carry = 0;
    for (size_t j = right.size(); j-- > 0;) {
      int const sum = digits[i + j + 1] + carry + (left[i] - '0') * (right[j] - '0');
      digits[i + j + 1] = static_cast<char>(sum % 10);
      carry = sum / 10;
    }
    digits[i] = static_cast<char>(digits[i] + carry);
  }
  for (char& digit : digits) {
    digit = static_cast<char>(digit + '0');
  }
  size_t const first = digits.find_first_not_of('0');
  return first == std::string::npos ? "0" : digits.substr(first);
}

Result<BigDecimal> Big(char op, BigDecimal left, BigDecimal right) {
  if (op == '*') {
    BigDecimal product;
    product.digits = MultiplyDigits(left.digits, right.digits);
    product.scale = left.scale + right.scale;
    product.negative = left.negative != right.negative && !product.zero();
    return product;
  }
  right.negative = op == '-' && !right.zero() ? !right.negative : right.negative;
  return AddBigDecimals(left, right);
}

Result<Value> AddTime(char op, const Type& type, const std::string& value,
                      const std::string& duration_bytes) {
  RETURN_IF_ERROR(ValidateValue(type, AsBytes(value)));
  ASSIGN_OR_RETURN(DurationParts const duration, DecodeDuration(AsBytes(duration_bytes)));
  int64_t const times = op == '+' ? 1 : -1;
  std::string out;
  if (type.kind == TypeKind::kTimestamp) {
    if (duration.nanos % kNanosPerMilli != 0) {
      return Status::InvalidArgument(
          StrCat("The duration must have a millisecond precision. Was: ", DurationText(duration)));
    }
    ASSIGN_OR_RETURN(int64_t const moved,
                     AddDuration(LoadBigEndian<int64_t>(AsBytes(value)), duration, times));
    AppendBigEndian(out, moved);
    return Value(std::move(out));
  }
  if (duration.nanos != 0) {
    return Status::InvalidArgument(
        StrCat("The duration must have a day precision. Was: ", DurationText(duration)));
  }
  int64_t const days = int64_t{LoadBigEndian<uint32_t>(AsBytes(value))} - kDateEpoch;
  ASSIGN_OR_RETURN(int64_t const moved, AddDuration(days * kMillisPerDay, duration, times));
  AppendBigEndian(out, static_cast<uint32_t>(moved / kMillisPerDay + kDateEpoch));
  return Value(std::move(out));
}

// A number as the operand of one whose result is of type `to`. What is neither varint nor decimal
// becomes a decimal by way of a double, so 7 is 7.0 there, as in Cassandra.
Result<Value> Operand(const Type& from, const Type& to, const std::string& value) {
  bool const is_big = from.kind == TypeKind::kVarint || from.kind == TypeKind::kDecimal;
  if (to.kind != TypeKind::kDecimal || is_big) {
    return ConvertValue(from, to, value);
  }
  TypeRef const real = SimpleType(TypeKind::kDouble);
  ASSIGN_OR_RETURN(Value const number, ConvertValue(from, *real, value));
  return number.has_value() ? ConvertValue(*real, to, *number) : Value();
}

Result<Value> Apply(char op, const Type& left, const std::string& left_value, const Type& right,
                    const std::string& right_value, const Type& result) {
  if (result.kind == TypeKind::kTimestamp || result.kind == TypeKind::kDate) {
    return AddTime(op, result, left_value, right_value);
  }
  ASSIGN_OR_RETURN(Value const a, Operand(left, result, left_value));
  ASSIGN_OR_RETURN(Value const b, Operand(right, result, right_value));
  if (!a.has_value() || !b.has_value()) {
    return Value();
  }
  bool const is_whole = result.kind != TypeKind::kFloat && result.kind != TypeKind::kDouble;
  if (is_whole && (op == '/' || op == '%') && b->find_first_not_of('\0') == std::string::npos) {
    return Status::InvalidArgument("/ by zero");
  }
  switch (result.kind) {
    case TypeKind::kTinyint:
      return Whole<int8_t>(op, *a, *b);
    case TypeKind::kSmallint:
      return Whole<int16_t>(op, *a, *b);
    case TypeKind::kInt:
      return Whole<int32_t>(op, *a, *b);
    case TypeKind::kBigint:
      return Whole<int64_t>(op, *a, *b);
    case TypeKind::kFloat:
      return Floating<float, uint32_t>(op, *a, *b);
    case TypeKind::kDouble:
      return Floating<double, uint64_t>(op, *a, *b);
    case TypeKind::kVarint: {
      ASSIGN_OR_RETURN(BigDecimal const number,
                       Big(op, DecodeVarint(AsBytes(*a)), DecodeVarint(AsBytes(*b))));
      return Value(EncodeVarint(number));
    }
    default: {
      ASSIGN_OR_RETURN(BigDecimal const first, DecodeDecimal(AsBytes(*a)));
      ASSIGN_OR_RETURN(BigDecimal const second, DecodeDecimal(AsBytes(*b)));
      ASSIGN_OR_RETURN(BigDecimal const number, Big(op, first, second));
      return Value(EncodeDecimal(number));
    }
  }
}

}  // namespace

Result<TypeRef> OperatorType(char op, const Type& left, const Type& right) {
  bool const is_moment = left.kind == TypeKind::kTimestamp || left.kind == TypeKind::kDate;
  if (is_moment && right.kind == TypeKind::kDuration && (op == '+' || op == '-')) {
    return SimpleType(left.kind);
  }
  auto const a = ShapeOf(left.kind);
  auto const b = ShapeOf(right.kind);
  if (!a.has_value() || !b.has_value()) {
    return Status::InvalidArgument(StrCat("the '", std::string(1, op),
                                          "' operation is not supported between ", CqlName(left),
                                          " and ", CqlName(right)));
  }
  TypeKind const kind = KindOf({.size_bytes = std::max(a->size_bytes, b->size_bytes),
                                .is_float = a->is_float || b->is_float});
  bool const is_big = kind == TypeKind::kVarint || kind == TypeKind::kDecimal;
  if (is_big && (op == '/' || op == '%')) {
    return Status::Unsupported(StrCat("the '", std::string(1, op), "' operation between ",
                                      CqlName(left), " and ", CqlName(right),
                                      " is not there; cast them to double"));
  }
  return SimpleType(kind);
}

Result<Value> ApplyOperator(char op, const Type& left, const Value& left_value, const Type& right,
                            const Value& right_value, const Type& result) {
  if (!left_value.has_value() || !right_value.has_value() || left_value->empty() ||
      right_value->empty()) {
    return Value();
  }
  Result<Value> value = Apply(op, left, *left_value, right, *right_value, result);
  if (value.status().code() == StatusCode::kInvalidArgument) {
    return Status::InvalidArgument(StrCat("the operation '", CqlName(left), " ", std::string(1, op),
                                          " ", CqlName(right),
                                          "' failed: ", value.status().message()));
  }
  return value;
}

}  // namespace orochi::sstable
