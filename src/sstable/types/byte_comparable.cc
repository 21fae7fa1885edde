#include "sstable/types/byte_comparable.h"

#include <bit>

#include "base/assert.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/elements.h"

namespace orochi::sstable {

namespace {

constexpr char kNextComponent = 0x40;
constexpr char kNextNull = 0x3E;
constexpr char kNextEmpty = 0x3F;
constexpr char kNextEmptyReversed = 0x41;
constexpr char kTerminator = 0x38;

char ToChar(uint64_t value) {
  return static_cast<char>(value & 0xFF);
}

/// Every byte as it is, but zeros marked so that the end sorts before any byte that could follow:
/// 00 FE .. for each further zero, 00 FF before another byte, 00 (or FE after a zero) at the end.
void AppendEscaped(Bytes value, std::string& out) {
  bool after_zero = false;
  for (std::byte const byte : value) {
    bool const zero = byte == std::byte{0};
    if (after_zero && zero) {
      out += ToChar(0xFE);
      continue;
    }
    if (after_zero) {
      out += ToChar(0xFF);
    }
    out += static_cast<char>(byte);
    after_zero = zero;
  }
  out += ToChar(after_zero ? 0xFE : 0x00);
}

/// One to nine bytes: the inverted sign bit, then as many copies of it as bytes follow.
void AppendVariableInteger(int64_t value, std::string& out) {
  bool const negative = value < 0;
  auto word = static_cast<uint64_t>(negative ? ~value : value);
  int const bits = 64 - std::countl_zero(word | 1);
  int const size_bytes = bits / 7 + 1;
  if (size_bytes >= 9) {        // 56 to 63 bits
    word |= uint64_t{1} << 63;  // the length's last bit, which the first byte has no room for
    out += ToChar(negative ? 0x00 : 0xFF);
  } else {
    word |= static_cast<uint64_t>((-0x100 >> size_bytes) & 0xFF) << (8 * (size_bytes - 1));
  }
  word = negative ? ~word : word;
  for (int index = std::min(size_bytes, 8); index-- > 0;) {
    out += ToChar(word >> (8 * index));
  }
}

/// Seven bits a byte, leading ones for the bytes that follow.
void AppendVariableUnsigned(uint64_t value, std::string& out, bool invert) {
  int const extra = (63 - std::countl_zero(value | 1)) / 7;
  for (int index = extra; index >= 0; --index) {
    uint64_t byte = value >> (8 * index);
    byte |= index == extra ? static_cast<uint64_t>(-256 >> extra) : 0;
    out += ToChar(invert ? ~byte : byte);
  }
}

void AppendVarint(Bytes value, std::string& out) {
  constexpr size_t kFullFormBytesMin = 7;
  bool const negative = (value[0] & std::byte{0x80}) != std::byte{0};
  std::byte const sign{static_cast<uint8_t>(negative ? 0xFF : 0x00)};
  Bytes rest = value;
  while (rest.size() > 1 && rest[0] == sign) {
    rest = rest.subspan(1);
  }
  if (rest.size() < kFullFormBytesMin) {
    uint64_t word = negative ? ~uint64_t{0} : 0;
    for (std::byte const byte : rest) {
      word = (word << 8) | std::to_integer<uint64_t>(byte);
    }
    AppendVariableInteger(static_cast<int64_t>(word), out);
    return;
  }
  out += ToChar(negative ? 0x00 : 0xFF);
  AppendVariableUnsigned(rest.size() - kFullFormBytesMin, out, negative);
  AppendBytes(out, rest);
}

/// A header with the sign and the exponent's sign and length, the exponent to base 100, then pairs
/// of digits as 0x80 + pair, then 0. Of a negative number the first pair is rounded down and
/// negative, the others are what makes up for it.
void AppendDecimal(const BigDecimal& value, std::string& out) {
  if (value.zero()) {
    out += ToChar(0x80);
    return;
  }
  int64_t const magnitude = static_cast<int64_t>(value.digits.size()) - value.scale;
  bool const odd = (magnitude & 1) != 0;
  int64_t const exponent = (magnitude + (odd ? 1 : 0)) / 2;
  int64_t const modulated = value.negative ? -exponent : exponent;
  auto const absolute = static_cast<uint32_t>(std::abs(modulated));
  int const exponent_bytes = (32 - std::countl_zero(absolute) + 7) / 8;
  out += ToChar((value.negative ? 0x00 : 0x80) + 0x40 +
                (modulated < 0 ? -exponent_bytes : exponent_bytes));
  for (int index = exponent_bytes; index-- > 0;) {
    out += ToChar(static_cast<uint64_t>(modulated >> (8 * index)));
  }
  std::string digits = (odd ? "0" : "") + value.digits;
  digits.resize(digits.find_last_not_of('0') + 1);
  digits.resize((digits.size() + 1) / 2 * 2, '0');
  for (size_t index = 0; index < digits.size(); index += 2) {
    int pair = (digits[index] - '0') * 10 + (digits[index + 1] - '0');
    if (value.negative) {
      bool const last = index + 2 == digits.size();
      pair = index == 0 ? -(pair + (last ? 0 : 1)) : (last ? 100 : 99) - pair;
    }
    out += ToChar(static_cast<uint64_t>(0x80 + pair));
  }
  out += '\0';
}

/// Negative: all bits inverted. Otherwise: the sign bit set.
void AppendFloat(Bytes value, std::string& out) {
  bool const negative = (value[0] & std::byte{0x80}) != std::byte{0};
  size_t const begin = out.size();
  AppendBytes(out, value);
  for (size_t index = begin; negative && index < out.size(); ++index) {
    out[index] = static_cast<char>(~out[index]);
  }
  if (!negative) {
    out[begin] = ToChar(static_cast<uint8_t>(out[begin]) | 0x80u);
  }
}

void AppendSignFlipped(Bytes value, std::string& out) {
  size_t const begin = out.size();
  AppendBytes(out, value);
  out[begin] = ToChar(static_cast<uint8_t>(out[begin]) ^ 0x80u);
}

void AppendUuid(const Type& type, Bytes value, std::string& out) {
  if (value.size() != 16) {
    AppendEscaped(value, out);
    return;
  }
  if (type.kind == TypeKind::kLexicalUuid) {
    AppendSignFlipped(value.first(8), out);
    AppendSignFlipped(value.subspan(8), out);
    return;
  }
  auto const high = LoadBigEndian<uint64_t>(value);
  auto const low = LoadBigEndian<uint64_t>(value.subspan(8));
  uint64_t const version = (high >> 12) & 15;
  bool const by_time = type.kind == TypeKind::kTimeuuid || version == 1;
  AppendBigEndian(
      out, by_time ? (high << 48) | ((high << 16) & 0xFFFF'0000'0000) | (high >> 32)
                   : (version << 60) | ((high >> 4) & 0x0FFF'FFFF'FFFF'F000) | (high & 0xFFF));
  AppendBigEndian(out, type.kind == TypeKind::kTimeuuid ? low ^ 0x8080'8080'8080'8080 : low);
}

void AppendComponents(const Type& type, Bytes value, std::string& out) {
  ElementReader reader(type, value);
  bool const fields = type.kind == TypeKind::kTuple || type.kind == TypeKind::kUdt;
  size_t end_without_nulls = out.size();
  while (auto const element = reader.Next()) {
    size_t const separator = out.size();
    out += kNextComponent;
    if (element->is_null || !AppendByteComparable(*element->type, element->bytes, out)) {
      out[separator] = kNextNull;
    }
    if (!fields || !element->is_null) {
      end_without_nulls = out.size();
    }
  }
  out.resize(end_without_nulls);
  out += kTerminator;
}

void AppendUnreversed(const Type& type, Bytes value, std::string& out) {
  switch (type.kind) {
    case TypeKind::kInt:
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kTimestamp:
      return AppendSignFlipped(value, out);
    case TypeKind::kBigint:
      return value.size() == sizeof(int64_t)
                 ? AppendVariableInteger(LoadBigEndian<int64_t>(value), out)
                 : AppendEscaped(value, out);
    case TypeKind::kVarint:
      return AppendVarint(value, out);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return AppendFloat(value, out);
    case TypeKind::kDecimal: {
      Result<BigDecimal> const number = DecodeDecimal(value);
      return number.ok() ? AppendDecimal(*number, out) : AppendEscaped(value, out);
    }
    case TypeKind::kBoolean:
      out += value[0] == std::byte{0} ? '\0' : '\1';
      return;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kLegacyDate:
      return AppendBytes(out, value);
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kLexicalUuid:
      return AppendUuid(type, value, out);
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kMap:
    case TypeKind::kTuple:
    case TypeKind::kUdt:
    case TypeKind::kVector:
      return AppendComponents(type, value, out);
    default:
      return AppendEscaped(value, out);
  }
}

bool EmptyHasEncoding(TypeKind kind) {
  switch (kind) {
    case TypeKind::kText:
    case TypeKind::kAscii:
    case TypeKind::kBlob:
    case TypeKind::kInet:
    case TypeKind::kDuration:
    case TypeKind::kCounter:
    case TypeKind::kCustom:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool AppendByteComparable(const Type& type, Bytes value, std::string& out) {
  if (value.empty() && !EmptyHasEncoding(type.kind)) {
    return false;
  }
  size_t const begin = out.size();
  AppendUnreversed(type, value, out);
  for (size_t index = begin; type.reversed && index < out.size(); ++index) {
    out[index] = static_cast<char>(~out[index]);
  }
  return true;
}

void AppendComparableKey(Partitioner partitioner, const Type& key_type, Token token, Bytes key,
                         std::string& out) {
  size_t const separator = out.size();
  out += kNextComponent;
  switch (partitioner) {
    case Partitioner::kMurmur3:
      AppendBigEndian(out, static_cast<uint64_t>(token.position));
      break;
    case Partitioner::kRandom: {
      unsigned __int128 const position = token.position;
      std::string number(1, '\0');
      AppendBigEndian(number, static_cast<uint64_t>(position >> 64));
      AppendBigEndian(number, static_cast<uint64_t>(position));
      AppendVarint(AsBytes(number), out);
      break;
    }
    case Partitioner::kByteOrdered:
      AppendEscaped(key, out);
      break;
    case Partitioner::kLocal:
      if (!AppendByteComparable(key_type, key, out)) {
        out[separator] = kNextNull;
      }
      break;
  }
  out += kNextComponent;
  AppendEscaped(key, out);
  out += kTerminator;
}

void AppendComparableClustering(std::span<const TypeRef> types,
                                std::span<const ComparableComponent> components, ComparableEnd end,
                                std::string& out) {
  ASSERT(components.size() <= types.size());
  for (size_t index = 0; index < components.size(); ++index) {
    const Type& type = *types[index];
    size_t const separator = out.size();
    out += kNextComponent;
    if (components[index].is_null) {
      out[separator] = kNextNull;
    } else if (!AppendByteComparable(type, components[index].bytes, out)) {
      out[separator] = type.reversed ? kNextEmptyReversed : kNextEmpty;
    }
  }
  out += static_cast<char>(end);
}

}  // namespace orochi::sstable
