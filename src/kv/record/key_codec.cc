#include "kv/record/key_codec.h"

#include <bit>
#include <cmath>
#include <concepts>
#include <limits>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {

namespace {

constexpr char kNullFirst = 0x01;
constexpr char kPresent = 0x02;
constexpr char kNullLast = 0x03;

// Strings: 00 becomes 00 FF, the end is 00 01.
constexpr char kEscape = 0x00;
constexpr char kEscapedZero = static_cast<char>(0xFF);
constexpr char kEnd = 0x01;

constexpr uint8_t kDecimalNegative = 0x40;
constexpr uint8_t kDecimalZero = 0x80;
constexpr uint8_t kDecimalPositive = 0xC0;

template <std::unsigned_integral Unsigned>
void AppendBigEndian(std::string& out, Unsigned value) {
  for (int shift = static_cast<int>(sizeof(value)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

template <std::unsigned_integral Unsigned>
bool TakeBigEndian(std::string_view& rest, Unsigned& value, uint8_t mask = 0) {
  if (rest.size() < sizeof(value)) {
    return false;
  }
  value = 0;
  for (size_t index = 0; index < sizeof(value); ++index) {
    value = static_cast<Unsigned>(value << 8 | (static_cast<uint8_t>(rest[index]) ^ mask));
  }
  rest.remove_prefix(sizeof(value));
  return true;
}

template <class Float>
struct FloatBits;
template <>
struct FloatBits<float> {
  using Type = uint32_t;
};
template <>
struct FloatBits<double> {
  using Type = uint64_t;
};

// Positive numbers get their top bit set, negative ones all bits flipped.
template <class Float>
auto SortableBits(Float value) {
  using Bits = typename FloatBits<Float>::Type;
  constexpr Bits kTop = Bits{1} << (sizeof(Bits) * 8 - 1);
  auto const bits = std::bit_cast<Bits>(value);
  return (bits & kTop) != 0 ? static_cast<Bits>(~bits) : static_cast<Bits>(bits | kTop);
}

template <class Float>
Float FromSortableBits(typename FloatBits<Float>::Type bits) {
  using Bits = typename FloatBits<Float>::Type;
  constexpr Bits kTop = Bits{1} << (sizeof(Bits) * 8 - 1);
  return std::bit_cast<Float>((bits & kTop) != 0 ? static_cast<Bits>(bits & ~kTop)
                                                 : static_cast<Bits>(~bits));
}

template <class Float>
Float Canonical(Float value) {
  if (std::isnan(value)) {
    return std::numeric_limits<Float>::quiet_NaN();
  }
  return value == 0 ? Float{0} : value;
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (char const byte : text) {
    out.push_back(byte);
    if (byte == kEscape) {
      out.push_back(kEscapedZero);
    }
  }
}

void Complement(std::string& out, size_t from) {
  for (size_t index = from; index < out.size(); ++index) {
    out[index] = static_cast<char>(~out[index]);
  }
}

void AppendSigned(std::string& out, size_t width_bytes, int64_t value) {
  uint64_t const flipped = static_cast<uint64_t>(value) ^ (uint64_t{1} << (width_bytes * 8 - 1));
  std::string all;
  AppendBigEndian(all, flipped);
  out.append(all, sizeof(flipped) - width_bytes);
}

void AppendUnsigned(std::string& out, size_t width_bytes, uint64_t value) {
  std::string all;
  AppendBigEndian(all, value);
  out.append(all, sizeof(value) - width_bytes);
}

void AppendPresent(std::string& out, FieldType type, const Value& value) {
  const FieldTypeTraits& traits = TraitsOf(type);
  switch (traits.kind) {
    case ValueKind::kBool:
      out.push_back(std::get<bool>(value) ? 1 : 0);
      return;
    case ValueKind::kSigned:
      return AppendSigned(out, traits.width_bytes, std::get<int64_t>(value));
    case ValueKind::kUnsigned:
      return AppendUnsigned(out, traits.width_bytes, std::get<uint64_t>(value));
    case ValueKind::kFloat:
      return AppendBigEndian(out, SortableBits(Canonical(std::get<float>(value))));
    case ValueKind::kDouble:
      return AppendBigEndian(out, SortableBits(Canonical(std::get<double>(value))));
    case ValueKind::kDecimal:
      return AppendDecimal(out, std::get<Decimal>(value));
    case ValueKind::kString:
      AppendEscaped(out, std::get<std::string>(value));
      out.push_back(kEscape);
      out.push_back(kEnd);
      return;
    case ValueKind::kUuid:
      for (uint8_t const byte : std::get<Uuid>(value)) {
        out.push_back(static_cast<char>(byte));
      }
      return;
  }
}

Status Bad(FieldType type, std::string_view what) {
  return Status::Corruption(StrCat("key field of type ", FieldTypeName(type), " ", what));
}

Status EndsEarly(FieldType type) {
  return Bad(type, "ends early");
}

// Bytes of the field with descending undone, without copying the rest of the key.
class MaskedBytes {
 public:
  MaskedBytes(std::string_view& rest, uint8_t mask) : rest_(rest), mask_(mask) {}

  bool Take(uint8_t& byte) {
    if (rest_.empty()) {
      return false;
    }
    byte = static_cast<uint8_t>(rest_.front()) ^ mask_;
    rest_.remove_prefix(1);
    return true;
  }
  template <class Unsigned>
  bool TakeNumber(Unsigned& value) {
    return TakeBigEndian(rest_, value, mask_);
  }

 private:
  std::string_view& rest_;
  uint8_t mask_;
};

Status ReadNumber(MaskedBytes bytes, FieldType type, Value& value) {
  const FieldTypeTraits& traits = TraitsOf(type);
  uint64_t number = 0;
  for (size_t index = 0; index < traits.width_bytes; ++index) {
    uint8_t byte = 0;
    if (!bytes.Take(byte)) {
      return EndsEarly(type);
    }
    number = number << 8 | byte;
  }
  if (traits.kind == ValueKind::kUnsigned) {
    value = number;
    return Status::Ok();
  }
  auto const unused_bits = static_cast<int>(64 - traits.width_bytes * 8);
  number ^= uint64_t{1} << (traits.width_bytes * 8 - 1);
  value = static_cast<int64_t>(number << unused_bits) >> unused_bits;
  return Status::Ok();
}

template <class Float>
Status ReadFloat(MaskedBytes bytes, FieldType type, Value& value) {
  typename FloatBits<Float>::Type bits = 0;
  if (!bytes.TakeNumber(bits)) {
    return EndsEarly(type);
  }
  auto const number = FromSortableBits<Float>(bits);
  if (SortableBits(Canonical(number)) != bits) {
    return Bad(type, "is a -0 or a NaN that no key has");
  }
  value = number;
  return Status::Ok();
}

Status ReadString(MaskedBytes bytes, FieldType type, Value& value) {
  std::string text;
  for (;;) {
    uint8_t byte = 0;
    if (!bytes.Take(byte)) {
      return EndsEarly(type);
    }
    if (byte != static_cast<uint8_t>(kEscape)) {
      text.push_back(static_cast<char>(byte));
      continue;
    }
    if (!bytes.Take(byte)) {
      return EndsEarly(type);
    }
    if (byte == static_cast<uint8_t>(kEnd)) {
      break;
    }
    if (byte != static_cast<uint8_t>(kEscapedZero)) {
      return Bad(type, StrCat("has byte ", int{byte}, " after a zero, expected 255 or 1"));
    }
    text.push_back(0);
  }
  value = std::move(text);
  return Status::Ok();
}

Status ReadMaskedDecimal(MaskedBytes outer, std::string_view& rest, uint8_t mask, Decimal& value) {
  auto const bad = [](std::string_view what) {
    return Status::Corruption(StrCat("decimal ", what));
  };
  uint8_t sign = 0;
  if (!outer.Take(sign)) {
    return bad("ends early");
  }
  if (sign == kDecimalZero) {
    value = Decimal();
    return Status::Ok();
  }
  if (sign != kDecimalNegative && sign != kDecimalPositive) {
    return bad(StrCat("has first byte ", int{sign}, ", expected 64, 128 or 192"));
  }
  bool const negative = sign == kDecimalNegative;
  MaskedBytes bytes(rest, negative ? static_cast<uint8_t>(~mask) : mask);
  uint32_t biased = 0;
  if (!bytes.TakeNumber(biased)) {
    return bad("ends early");
  }
  std::string digits;
  for (;;) {
    uint8_t pair = 0;
    if (!bytes.Take(pair)) {
      return bad("ends early");
    }
    if (pair == 0) {
      break;
    }
    if (pair > 100) {
      return bad(StrCat("has byte ", int{pair}, " for two digits, at most 100"));
    }
    digits.push_back(static_cast<char>('0' + (pair - 1) / 10));
    digits.push_back(static_cast<char>('0' + (pair - 1) % 10));
  }
  bool const canonical = !digits.empty() && digits.front() != '0' && !(digits.ends_with("00"));
  if (!canonical) {
    return bad("has zeros at an end of its digits");
  }
  auto const exponent = static_cast<int32_t>(biased ^ 0x80000000u);
  auto made = Decimal::FromDigits(negative, digits, exponent);
  if (!made.ok()) {
    return bad(StrCat("has exponent ", exponent));
  }
  value = *std::move(made);
  return Status::Ok();
}

Status ReadPresent(std::string_view& rest, const FieldOrder& order, Value& value) {
  uint8_t const mask = order.descending ? 0xFF : 0x00;
  MaskedBytes bytes(rest, mask);
  switch (TraitsOf(order.type).kind) {
    case ValueKind::kBool: {
      uint8_t byte = 0;
      if (!bytes.Take(byte)) {
        return EndsEarly(order.type);
      }
      if (byte > 1) {
        return Bad(order.type, StrCat("has byte ", int{byte}, ", expected 0 or 1"));
      }
      value = byte == 1;
      return Status::Ok();
    }
    case ValueKind::kSigned:
    case ValueKind::kUnsigned:
      return ReadNumber(bytes, order.type, value);
    case ValueKind::kFloat:
      return ReadFloat<float>(bytes, order.type, value);
    case ValueKind::kDouble:
      return ReadFloat<double>(bytes, order.type, value);
    case ValueKind::kDecimal: {
      Decimal decimal;
      RETURN_IF_ERROR(ReadMaskedDecimal(bytes, rest, mask, decimal));
      value = std::move(decimal);
      if (Status status = CheckValue(order.type, value); !status.ok()) {
        return Status::Corruption(StrCat("key field: ", status.message()));
      }
      return Status::Ok();
    }
    case ValueKind::kString:
      return ReadString(bytes, order.type, value);
    case ValueKind::kUuid: {
      Uuid uuid{};
      for (uint8_t& byte : uuid) {
        if (!bytes.Take(byte)) {
          return EndsEarly(order.type);
        }
      }
      value = uuid;
      return Status::Ok();
    }
  }
  ASSERT(false);
  return Status::Ok();
}

}  // namespace

std::strong_ordering CompareInOrder(const FieldOrder& order, const Value& left,
                                    const Value& right) {
  if (IsNull(left) || IsNull(right)) {
    auto const nulls_first = IsNull(right) <=> IsNull(left);
    return order.nulls_last ? 0 <=> nulls_first : nulls_first;
  }
  auto const ascending = CompareValues(order.type, left, right);
  return order.descending ? 0 <=> ascending : ascending;
}

Value CanonicalKeyValue(const Value& value) {
  if (const auto* number = std::get_if<float>(&value)) {
    return Canonical(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return Canonical(*number);
  }
  return value;
}

void AppendDecimal(std::string& out, const Decimal& value) {
  if (value.zero()) {
    out.push_back(static_cast<char>(kDecimalZero));
    return;
  }
  out.push_back(static_cast<char>(value.negative() ? kDecimalNegative : kDecimalPositive));
  size_t const from = out.size();
  AppendBigEndian(out, static_cast<uint32_t>(value.exponent()) ^ 0x80000000u);
  const std::string& digits = value.digits();
  for (size_t index = 0; index < digits.size(); index += 2) {
    int const tens = digits[index] - '0';
    int const ones = index + 1 < digits.size() ? digits[index + 1] - '0' : 0;
    out.push_back(static_cast<char>(tens * 10 + ones + 1));
  }
  out.push_back(0);
  if (value.negative()) {
    Complement(out, from);
  }
}

Status ReadDecimal(std::string_view& rest, Decimal& value) {
  return ReadMaskedDecimal(MaskedBytes(rest, 0), rest, 0, value);
}

void AppendKeyField(std::string& out, const FieldOrder& order, const Value& value) {
  ASSERT_SLOW(CheckValue(order.type, value).ok());
  if (IsNull(value)) {
    out.push_back(order.nulls_last ? kNullLast : kNullFirst);
    return;
  }
  out.push_back(kPresent);
  size_t const from = out.size();
  AppendPresent(out, order.type, value);
  if (order.descending) {
    Complement(out, from);
  }
}

void AppendKeyFieldPrefix(std::string& out, const FieldOrder& order, std::string_view prefix) {
  ASSERT(TraitsOf(order.type).kind == ValueKind::kString);
  out.push_back(kPresent);
  size_t const from = out.size();
  AppendEscaped(out, prefix);
  if (order.descending) {
    Complement(out, from);
  }
}

Status ReadKeyField(std::string_view& rest, const FieldOrder& order, Value& value) {
  if (rest.empty()) {
    return EndsEarly(order.type);
  }
  char const tag = rest.front();
  rest.remove_prefix(1);
  if (tag == (order.nulls_last ? kNullLast : kNullFirst)) {
    value = Null();
    return Status::Ok();
  }
  if (tag != kPresent) {
    return Bad(order.type, StrCat("begins with byte ", int{static_cast<uint8_t>(tag)}));
  }
  return ReadPresent(rest, order, value);
}

}  // namespace orochi::kv
