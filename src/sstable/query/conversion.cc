#include "sstable/query/conversion.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/str_cat.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/bytes.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

namespace orochi::sstable {

namespace {

constexpr int64_t kMillisPerDay = 86'400'000;
constexpr int64_t kDateEpoch = int64_t{1} << 31;

bool IsNumber(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kVarint:
    case TypeKind::kDecimal:
      return true;
    default:
      return false;
  }
}

bool IsText(TypeKind kind) {
  return kind == TypeKind::kText || kind == TypeKind::kAscii;
}

bool IsMoment(TypeKind kind) {
  return kind == TypeKind::kTimestamp || kind == TypeKind::kDate || kind == TypeKind::kTimeuuid;
}

/// Milliseconds since 1970 of a moment. REQUIRES: a well-formed value.
int64_t MillisOf(TypeKind kind, Bytes value) {
  if (kind == TypeKind::kDate) {
    return (int64_t{LoadBigEndian<uint32_t>(value)} - kDateEpoch) * kMillisPerDay;
  }
  if (kind == TypeKind::kTimestamp) {
    return LoadBigEndian<int64_t>(value);
  }
  // 100-nanosecond steps since 1582-10-15.
  constexpr int64_t kGregorianMillis = 12'219'292'800'000;
  auto const high = LoadBigEndian<uint64_t>(value);
  uint64_t const steps = ((high & 0xFFF) << 48) | ((high << 16) & 0xFFFF'0000'0000) | (high >> 32);
  return static_cast<int64_t>(steps / 10'000) - kGregorianMillis;
}

Value MomentValue(TypeKind kind, int64_t millis) {
  std::string out;
  if (kind == TypeKind::kDate) {
    // Before 1970 Cassandra, too, takes the day after, of all moments but midnight.
    AppendBigEndian(out, static_cast<uint32_t>(millis / kMillisPerDay + kDateEpoch));
  } else {
    AppendBigEndian(out, millis);
  }
  return out;
}

/// Java's narrowing of a floating-point number: NaN is 0, too large ones saturate.
int64_t Saturated(double number) {
  if (std::isnan(number)) {
    return 0;
  }
  if (number >= 9223372036854775807.0) {
    return std::numeric_limits<int64_t>::max();
  }
  return number <= -9223372036854775808.0 ? std::numeric_limits<int64_t>::min()
                                          : static_cast<int64_t>(number);
}

int64_t Clamped(int64_t value, int64_t min, int64_t max) {
  return value < min ? min : value > max ? max : value;
}

/// The digits before the point, without rounding.
BigDecimal Truncated(BigDecimal value) {
  if (value.scale > 0) {
    auto const cut = static_cast<size_t>(value.scale);
    value.digits =
        value.digits.size() > cut ? value.digits.substr(0, value.digits.size() - cut) : "0";
  } else if (value.scale < 0 && !value.zero()) {
    value.digits.append(static_cast<size_t>(-value.scale), '0');
  }
  value.scale = 0;
  value.negative = value.negative && !value.zero();
  return value;
}

/// The number as digits; of floats their shortest text.
Result<BigDecimal> ToBig(const Type& from, Bytes value) {
  if (from.kind == TypeKind::kDecimal) {
    ASSIGN_OR_RETURN(BigDecimal number, DecodeDecimal(value));
    if (number.scale < -100'000) {
      return Status::OutOfRange(
          StrCat("a decimal of scale ", number.scale, " is too large to be cast"));
    }
    return number;
  }
  ASSIGN_OR_RETURN(std::string const text, ScalarText(from, value));
  Result<BigDecimal> number = ParseBigDecimal(text);
  if (!number.ok()) {
    return Status::InvalidArgument(StrCat(text == "NaN" ? "A NaN" : "An infinite number",
                                          " cannot be converted into a decimal"));
  }
  return number;
}

/// The low 64 bits, as Java's longValue keeps them.
int64_t LowBits(const BigDecimal& value) {
  std::string const bytes = EncodeVarint(Truncated(value));
  uint64_t word = (static_cast<uint8_t>(bytes[0]) & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (char const c : bytes) {
    word = (word << 8) | static_cast<uint8_t>(c);
  }
  return static_cast<int64_t>(word);
}

struct Numbers {
  bool is_float = false;
  int64_t integer = 0;
  double floating = 0;
};

Result<Numbers> DecodeNumber(const Type& from, Bytes value) {
  Numbers numbers;
  switch (from.kind) {
    case TypeKind::kTinyint:
      numbers.integer = LoadBigEndian<int8_t>(value);
      break;
    case TypeKind::kSmallint:
      numbers.integer = LoadBigEndian<int16_t>(value);
      break;
    case TypeKind::kInt:
      numbers.integer = LoadBigEndian<int32_t>(value);
      break;
    case TypeKind::kBigint:
      numbers.integer = LoadBigEndian<int64_t>(value);
      break;
    case TypeKind::kFloat:
      numbers.is_float = true;
      numbers.floating = std::bit_cast<float>(LoadBigEndian<uint32_t>(value));
      break;
    case TypeKind::kDouble:
      numbers.is_float = true;
      numbers.floating = std::bit_cast<double>(LoadBigEndian<uint64_t>(value));
      break;
    default: {
      ASSIGN_OR_RETURN(BigDecimal const big, ToBig(from, value));
      numbers.integer = LowBits(big);
      numbers.floating = std::strtod(BigDecimalText(big).c_str(), nullptr);
      return numbers;
    }
  }
  if (!numbers.is_float) {
    numbers.floating = static_cast<double>(numbers.integer);
  }
  return numbers;
}

template <class Integer>
Value EncodeInteger(const Numbers& numbers) {
  // Floats go through 32 bits where the target is no wider, and saturate; integers keep low bits.
  int64_t value = numbers.integer;
  if (numbers.is_float) {
    value = Saturated(numbers.floating);
    if (sizeof(Integer) <= sizeof(int32_t)) {
      value =
          Clamped(value, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    }
  }
  std::string out;
  AppendBigEndian(out, static_cast<Integer>(value));
  return out;
}

Result<Value> ConvertNumber(const Type& from, const Type& to, Bytes value) {
  if (to.kind == TypeKind::kVarint || to.kind == TypeKind::kDecimal) {
    ASSIGN_OR_RETURN(BigDecimal const big, ToBig(from, value));
    return Value(to.kind == TypeKind::kDecimal ? EncodeDecimal(big) : EncodeVarint(Truncated(big)));
  }
  ASSIGN_OR_RETURN(Numbers const numbers, DecodeNumber(from, value));
  std::string out;
  switch (to.kind) {
    case TypeKind::kTinyint:
      return EncodeInteger<int8_t>(numbers);
    case TypeKind::kSmallint:
      return EncodeInteger<int16_t>(numbers);
    case TypeKind::kInt:
      return EncodeInteger<int32_t>(numbers);
    case TypeKind::kBigint:
      return EncodeInteger<int64_t>(numbers);
    case TypeKind::kFloat:
      AppendBigEndian(out, std::bit_cast<uint32_t>(static_cast<float>(numbers.floating)));
      return Value(std::move(out));
    default:
      AppendBigEndian(out, std::bit_cast<uint64_t>(numbers.floating));
      return Value(std::move(out));
  }
}

}  // namespace

bool CanConvert(const Type& from, const Type& to) {
  if (from.kind == to.kind && from.parameters.empty()) {
    return true;
  }
  if (IsNumber(from.kind) && IsNumber(to.kind)) {
    return true;
  }
  if (IsMoment(from.kind) && (to.kind == TypeKind::kTimestamp || to.kind == TypeKind::kDate ||
                              to.kind == TypeKind::kBigint)) {
    return true;
  }
  return IsText(to.kind) && from.parameters.empty() && from.kind != TypeKind::kBlob &&
         from.kind != TypeKind::kCustom && !(from.kind == TypeKind::kText && !IsText(to.kind));
}

Result<Value> ConvertValue(const Type& from, const Type& to, std::string_view value) {
  Bytes const bytes = AsBytes(value);
  RETURN_IF_ERROR(ValidateValue(from, bytes));
  if (IsText(to.kind)) {
    ASSIGN_OR_RETURN(std::string text, ScalarText(from, bytes));
    return Value(std::move(text));
  }
  if (value.empty()) {
    return Value();
  }
  if (from.kind == to.kind) {
    return Value(std::string(value));
  }
  if (IsMoment(from.kind)) {
    return MomentValue(to.kind, MillisOf(from.kind, bytes));
  }
  return ConvertNumber(from, to, bytes);
}

std::optional<TypeKind> ConversionFunction(std::string_view name) {
  struct Function {
    std::string_view name;
    TypeKind target;
  };
  constexpr std::array<Function, 8> kFunctions = {{{"totimestamp", TypeKind::kTimestamp},
                                                   {"to_timestamp", TypeKind::kTimestamp},
                                                   {"dateof", TypeKind::kTimestamp},
                                                   {"todate", TypeKind::kDate},
                                                   {"to_date", TypeKind::kDate},
                                                   {"tounixtimestamp", TypeKind::kBigint},
                                                   {"to_unix_timestamp", TypeKind::kBigint},
                                                   {"unixtimestampof", TypeKind::kBigint}}};
  for (const Function& function : kFunctions) {
    if (function.name == name) {
      return function.target;
    }
  }
  return std::nullopt;
}

}  // namespace orochi::sstable
