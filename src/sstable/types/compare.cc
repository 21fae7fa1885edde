#include "sstable/types/compare.h"

#include <bit>
#include <cmath>

#include "sstable/types/big_decimal.h"
#include "sstable/types/elements.h"

namespace orochi::sstable {

namespace {

template <class Number>
int ThreeWay(Number left, Number right) {
  return left < right ? -1 : static_cast<int>(right < left);
}

/// Where a value stands before its content is looked at.
enum class Shape { kEmpty, kValue, kMalformed };

/// Orders values of different shape, and malformed ones by their bytes; true when that decided.
template <class IsValue>
bool DecidedByShape(Bytes left, Bytes right, IsValue is_value, int& order) {
  auto const shape = [&](Bytes bytes) {
    return bytes.empty() ? Shape::kEmpty : is_value(bytes) ? Shape::kValue : Shape::kMalformed;
  };
  Shape const left_shape = shape(left);
  Shape const right_shape = shape(right);
  if (left_shape == Shape::kValue && right_shape == Shape::kValue) {
    return false;
  }
  order =
      left_shape != right_shape ? ThreeWay(left_shape, right_shape) : CompareUnsigned(left, right);
  return true;
}

template <class Integer>
int CompareIntegers(const Type&, Bytes left, Bytes right) {
  int order = 0;
  auto const is_value = [](Bytes bytes) { return bytes.size() == sizeof(Integer); };
  return DecidedByShape(left, right, is_value, order)
             ? order
             : ThreeWay(LoadBigEndian<Integer>(left), LoadBigEndian<Integer>(right));
}

/// As Java orders them: NaN above all and equal to itself, -0.0 below 0.0.
template <class Float, class Word>
int CompareFloats(const Type&, Bytes left, Bytes right) {
  int order = 0;
  auto const is_value = [](Bytes bytes) { return bytes.size() == sizeof(Word); };
  if (DecidedByShape(left, right, is_value, order)) {
    return order;
  }
  auto const a = std::bit_cast<Float>(LoadBigEndian<Word>(left));
  auto const b = std::bit_cast<Float>(LoadBigEndian<Word>(right));
  if (std::isnan(a) || std::isnan(b)) {
    return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  if (a != b) {
    return a < b ? -1 : 1;
  }
  return static_cast<int>(std::signbit(b)) - static_cast<int>(std::signbit(a));
}

int CompareBooleans(const Type&, Bytes left, Bytes right) {
  int order = 0;
  auto const is_value = [](Bytes bytes) { return bytes.size() == 1; };
  return DecidedByShape(left, right, is_value, order)
             ? order
             : ThreeWay(left[0] != std::byte{0}, right[0] != std::byte{0});
}

int CompareBytes(const Type&, Bytes left, Bytes right) {
  return CompareUnsigned(left, right);
}

int CompareNothing(const Type&, Bytes left, Bytes right) {
  return CompareUnsigned(left, right);  // well-formed ones are empty, hence equal
}

bool IsUuid(Bytes bytes) {
  return bytes.size() == 16;
}

/// The 60 bits of time of a version 1 UUID in order, from the halves as they are stored.
uint64_t TimestampFirst(uint64_t high) {
  return (high << 48) | ((high << 16) & 0xFFFF'0000'0000) | (high >> 32);
}

int CompareUuids(const Type&, Bytes left, Bytes right) {
  int order = 0;
  if (DecidedByShape(left, right, IsUuid, order)) {
    return order;
  }
  auto const a = LoadBigEndian<uint64_t>(left);
  auto const b = LoadBigEndian<uint64_t>(right);
  uint64_t const a_version = (a >> 12) & 15;
  uint64_t const b_version = (b >> 12) & 15;
  if (a_version != b_version) {
    return ThreeWay(a_version, b_version);
  }
  order = a_version == 1 ? ThreeWay(TimestampFirst(a), TimestampFirst(b)) : ThreeWay(a, b);
  return order != 0 ? order : CompareUnsigned(left.subspan(8), right.subspan(8));
}

int CompareTimeuuids(const Type&, Bytes left, Bytes right) {
  int order = 0;
  if (DecidedByShape(left, right, IsUuid, order)) {
    return order;
  }
  // Signed, as Cassandra has it: only version 1 belongs here, whose top bit is clear.
  order = ThreeWay(static_cast<int64_t>(TimestampFirst(LoadBigEndian<uint64_t>(left))),
                   static_cast<int64_t>(TimestampFirst(LoadBigEndian<uint64_t>(right))));
  if (order != 0) {
    return order;
  }
  // The bytes of the low half are compared as signed ones.
  constexpr uint64_t kSignBits = 0x0080'8080'8080'8080;
  return ThreeWay(static_cast<int64_t>(LoadBigEndian<uint64_t>(left.subspan(8)) ^ kSignBits),
                  static_cast<int64_t>(LoadBigEndian<uint64_t>(right.subspan(8)) ^ kSignBits));
}

int CompareLexicalUuids(const Type&, Bytes left, Bytes right) {
  int order = 0;
  if (DecidedByShape(left, right, IsUuid, order)) {
    return order;
  }
  order = ThreeWay(LoadBigEndian<int64_t>(left), LoadBigEndian<int64_t>(right));
  return order != 0 ? order
                    : ThreeWay(LoadBigEndian<int64_t>(left.subspan(8)),
                               LoadBigEndian<int64_t>(right.subspan(8)));
}

/// Two's complement of any length, with or without redundant sign bytes.
int CompareVarints(const Type&, Bytes left, Bytes right) {
  if (left.empty() || right.empty()) {
    return ThreeWay(!left.empty(), !right.empty());
  }
  auto const is_negative = [](Bytes bytes) { return (bytes[0] & std::byte{0x80}) != std::byte{0}; };
  bool const negative = is_negative(left);
  if (negative != is_negative(right)) {
    return negative ? -1 : 1;
  }
  // Without the sign bytes the rest are magnitudes (or their complements) of a known sign.
  auto const strip = [&](Bytes bytes) {
    std::byte const sign{static_cast<uint8_t>(negative ? 0xFF : 0x00)};
    while (!bytes.empty() && bytes[0] == sign) {
      bytes = bytes.subspan(1);
    }
    return bytes;
  };
  Bytes const a = strip(left);
  Bytes const b = strip(right);
  if (a.size() != b.size()) {
    return (a.size() < b.size()) != negative ? -1 : 1;
  }
  return CompareUnsigned(a, b);
}

int CompareDecimals(const Type& type, Bytes left, Bytes right) {
  int order = 0;
  auto const is_value = [](Bytes bytes) { return bytes.size() >= sizeof(int32_t); };
  if (DecidedByShape(left, right, is_value, order)) {
    return order;
  }
  if (LoadBigEndian<int32_t>(left) == LoadBigEndian<int32_t>(right)) {
    auto const unscaled = [](Bytes bytes) {
      return bytes.size() == sizeof(int32_t) ? AsBytes(std::string_view("\0", 1))
                                             : bytes.subspan(sizeof(int32_t));
    };
    return CompareVarints(type, unscaled(left), unscaled(right));
  }
  Result<BigDecimal> const a = DecodeDecimal(left);
  Result<BigDecimal> const b = DecodeDecimal(right);
  return CompareBigDecimals(*a, *b);
}

/// Element by element; where all that both have is equal, the shorter first. `missing_is_null`:
/// what a tuple does not say is null.
int CompareElements(const Type& type, Bytes left, Bytes right, bool missing_is_null) {
  if (left.empty() || right.empty()) {
    return ThreeWay(!left.empty(), !right.empty());
  }
  ElementReader left_reader(type, left);
  ElementReader right_reader(type, right);
  while (true) {
    auto const a = left_reader.Next();
    auto const b = right_reader.Next();
    if (!a.has_value() && !b.has_value()) {
      break;
    }
    bool const a_absent = !a.has_value() || a->is_null;
    bool const b_absent = !b.has_value() || b->is_null;
    if (!missing_is_null && a.has_value() != b.has_value()) {
      return a.has_value() ? 1 : -1;
    }
    if (a_absent || b_absent) {
      if (a_absent != b_absent) {
        return a_absent ? -1 : 1;
      }
      continue;
    }
    if (int const order = CompareValues(*a->type, a->bytes, b->bytes); order != 0) {
      return order;
    }
  }
  if (left_reader.malformed() || right_reader.malformed()) {
    return left_reader.malformed() != right_reader.malformed()
               ? ThreeWay(left_reader.malformed(), right_reader.malformed())
               : CompareUnsigned(left, right);
  }
  return 0;
}

int CompareSequences(const Type& type, Bytes left, Bytes right) {
  return CompareElements(type, left, right, /*missing_is_null=*/false);
}

int CompareTuples(const Type& type, Bytes left, Bytes right) {
  return CompareElements(type, left, right, /*missing_is_null=*/true);
}

ValueComparator ComparatorOfKind(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
      return CompareIntegers<int64_t>;
    case TypeKind::kInt:
      return CompareIntegers<int32_t>;
    case TypeKind::kSmallint:
      return CompareIntegers<int16_t>;
    case TypeKind::kTinyint:
      return CompareIntegers<int8_t>;
    case TypeKind::kFloat:
      return CompareFloats<float, uint32_t>;
    case TypeKind::kDouble:
      return CompareFloats<double, uint64_t>;
    case TypeKind::kBoolean:
      return CompareBooleans;
    case TypeKind::kDecimal:
      return CompareDecimals;
    case TypeKind::kVarint:
      return CompareVarints;
    case TypeKind::kUuid:
      return CompareUuids;
    case TypeKind::kTimeuuid:
      return CompareTimeuuids;
    case TypeKind::kLexicalUuid:
      return CompareLexicalUuids;
    case TypeKind::kEmpty:
      return CompareNothing;
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kMap:
    case TypeKind::kVector:
    case TypeKind::kComposite:
      return CompareSequences;
    case TypeKind::kTuple:
    case TypeKind::kUdt:
      return CompareTuples;
    case TypeKind::kAscii:
    case TypeKind::kBlob:
    case TypeKind::kCounter:
    case TypeKind::kDate:
    case TypeKind::kDuration:
    case TypeKind::kInet:
    case TypeKind::kText:
    case TypeKind::kTime:
    case TypeKind::kLegacyDate:
    case TypeKind::kCustom:
      return CompareBytes;
  }
  return CompareBytes;
}

int CompareReversed(const Type& type, Bytes left, Bytes right) {
  return ComparatorOfKind(type.kind)(type, right, left);
}

}  // namespace

int CompareValues(const Type& type, Bytes left, Bytes right) {
  return ComparatorOf(type)(type, left, right);
}

ValueComparator ComparatorOf(const Type& type) {
  return type.reversed ? CompareReversed : ComparatorOfKind(type.kind);
}

}  // namespace orochi::sstable
