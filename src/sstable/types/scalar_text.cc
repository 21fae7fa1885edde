#include "sstable/types/scalar_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/varint.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/cassandra_vint.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/elements.h"

namespace orochi::sstable {

namespace {

/// Java writes plain digits from 10^-3 up to 10^7, and d.dddE+x elsewhere.
template <class Float>
std::string JavaText(Float value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  std::string const sign = std::signbit(value) ? "-" : "";
  Float const magnitude = std::abs(value);
  if (std::isinf(magnitude)) {
    return sign + "Infinity";
  }
  if (magnitude == 0) {
    return sign + "0.0";
  }
  char buffer[64];
  auto const end =
      std::to_chars(buffer, buffer + sizeof(buffer), magnitude, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  if (text.find('.') == std::string_view::npos) {
    // Java never writes one digit alone, and of two digits takes the nearest: 4.9E-324, not 5.0.
    int const length = snprintf(buffer, sizeof(buffer), "%.1e", static_cast<double>(magnitude));
    text = std::string_view(buffer, static_cast<size_t>(length));
  }
  size_t const e = text.find('e');
  std::string digits(text.substr(0, e));
  digits.erase(1, 1);  // the point
  std::string_view exponent_text = text.substr(e + 1);
  if (exponent_text.starts_with('+')) {
    exponent_text.remove_prefix(1);
  }
  int exponent = 0;
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  if (exponent < -3 || exponent >= 7) {
    return StrCat(sign, digits.substr(0, 1), ".", digits.substr(1), "E", exponent);
  }
  digits.resize(std::max(digits.find_last_not_of('0') + 1, size_t{1}));
  if (exponent < 0) {
    return StrCat(sign, "0.", std::string(static_cast<size_t>(-exponent - 1), '0'), digits);
  }
  auto const whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    return StrCat(sign, digits, std::string(whole - digits.size(), '0'), ".0");
  }
  return StrCat(sign, digits.substr(0, whole), ".", digits.substr(whole));
}

Status WrongSize(const Type& type, Bytes value, std::string_view expected) {
  return Status::Corruption(StrCat("a value of type ", CqlName(type), " has ", value.size(),
                                   " bytes, expected ", expected));
}

struct Duration {
  int64_t months = 0;
  int64_t days = 0;
  int64_t nanos = 0;
};

Result<Duration> DecodeDuration(const Type& type, Bytes value) {
  int64_t parts[3];
  const std::byte* at = value.data();
  const std::byte* const end = at + value.size();
  for (int64_t& part : parts) {
    uint64_t zigzag = 0;
    at = ReadVint(at, end, zigzag);
    if (at == nullptr) {
      return WrongSize(type, value, "three variable-length integers");
    }
    part = codec::ZigZagDecode(zigzag);
  }
  Duration const duration{.months = parts[0], .days = parts[1], .nanos = parts[2]};
  if (at != end || duration.months != static_cast<int32_t>(duration.months) ||
      duration.days != static_cast<int32_t>(duration.days)) {
    return WrongSize(type, value, "months and days of 32 bits and nanoseconds");
  }
  bool const any_negative = duration.months < 0 || duration.days < 0 || duration.nanos < 0;
  bool const any_positive = duration.months > 0 || duration.days > 0 || duration.nanos > 0;
  if (any_negative && any_positive) {
    return Status::Corruption(StrCat("a duration of ", duration.months, " months, ", duration.days,
                                     " days and ", duration.nanos,
                                     " nanoseconds, expected one sign"));
  }
  return duration;
}

/// The lengths that a non-empty value may have; {0, 0} is any.
struct Sizes {
  size_t one = 0;
  size_t other = 0;
  bool may_be_empty = true;
};

Sizes SizesOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return {1, 1};
    case TypeKind::kTinyint:
      return {1, 1};
    case TypeKind::kSmallint:
      return {2, 2};
    case TypeKind::kInt:
    case TypeKind::kFloat:
      return {4, 4};
    case TypeKind::kDate:
      return {4, 4};
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
    case TypeKind::kTime:
      return {8, 8};
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kLexicalUuid:
      return {16, 16};
    case TypeKind::kInet:
      return {4, 16};
    default:
      return {};
  }
}

Status ValidateElements(const Type& type, Bytes value) {
  ElementReader reader(type, value);
  while (auto const element = reader.Next()) {
    if (!element->is_null) {
      RETURN_IF_ERROR(ValidateValue(*element->type, element->bytes));
    }
  }
  if (reader.malformed()) {
    return Status::Corruption(StrCat("a value of type ", CqlName(type), " of ", value.size(),
                                     " bytes does not hold the elements it announces"));
  }
  return Status::Ok();
}

}  // namespace

std::string JavaFloatText(float value) {
  return JavaText(value);
}

std::string JavaDoubleText(double value) {
  return JavaText(value);
}

std::string HexText(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (std::byte const byte : bytes) {
    out += kDigits[std::to_integer<size_t>(byte) >> 4];
    out += kDigits[std::to_integer<size_t>(byte) & 15];
  }
  return out;
}

std::string UuidText(Bytes sixteen_bytes) {
  ASSERT(sixteen_bytes.size() == 16);
  std::string text = HexText(sixteen_bytes);
  for (size_t const dash : {20, 16, 12, 8}) {
    text.insert(dash, 1, '-');
  }
  return text;
}

std::string DurationText(int64_t months, int64_t days, int64_t nanos) {
  struct Unit {
    uint64_t size;
    std::string_view name;
  };
  std::string out = months < 0 || days < 0 || nanos < 0 ? "-" : "";
  auto const add = [&](int64_t value, std::initializer_list<Unit> units) {
    uint64_t rest = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
    for (const Unit& unit : units) {
      if (rest >= unit.size) {
        out += StrCat(rest / unit.size, unit.name);
        rest %= unit.size;
      }
    }
  };
  add(months, {{12, "y"}, {1, "mo"}});
  add(days, {{1, "d"}});
  add(nanos, {{3'600'000'000'000, "h"},
              {60'000'000'000, "m"},
              {1'000'000'000, "s"},
              {1'000'000, "ms"},
              {1'000, "us"},
              {1, "ns"}});
  return out;
}

std::string InetText(Bytes address, bool compressed) {
  ASSERT(address.size() == 4 || address.size() == 16);
  // Java turns IPv4-mapped addresses into IPv4.
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  Bytes const bytes = AsText(address).starts_with(kMapped) ? address.subspan(12) : address;
  if (bytes.size() == 4 || compressed) {
    char text[INET6_ADDRSTRLEN];
    const char* const done =
        inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
    ASSERT(done != nullptr);
    return text;
  }
  std::string out;
  for (size_t group = 0; group < 8; ++group) {
    char text[8];
    auto const value = LoadBigEndian<uint16_t>(bytes.subspan(2 * group));
    auto const end = std::to_chars(text, text + sizeof(text), value, 16).ptr;
    out += StrCat(group == 0 ? "" : ":", std::string_view(text, static_cast<size_t>(end - text)));
  }
  return out;
}

Result<int64_t> CounterTotal(Bytes context) {
  constexpr size_t kShardSizeBytes = 32;
  if (context.empty()) {
    return int64_t{0};
  }
  if (context.size() < sizeof(int16_t)) {
    return Status::Corruption("a counter of one byte, expected at least two");
  }
  auto const header = LoadBigEndian<int16_t>(context);
  size_t const header_count = static_cast<size_t>(header < 0 ? -header : header);
  size_t const header_size_bytes = sizeof(int16_t) * (1 + header_count);
  if (context.size() < header_size_bytes ||
      (context.size() - header_size_bytes) % kShardSizeBytes != 0) {
    return Status::Corruption(StrCat("a counter of ", context.size(), " bytes with ", header_count,
                                     " header entries, expected shards of 32 bytes after them"));
  }
  uint64_t total = 0;  // wraps, as in Java
  for (size_t at = header_size_bytes; at < context.size(); at += kShardSizeBytes) {
    total += LoadBigEndian<uint64_t>(context.subspan(at + kShardSizeBytes - sizeof(int64_t)));
  }
  return static_cast<int64_t>(total);
}

bool IsUtf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t eight = 0;
    while (text.size() - at >= sizeof(eight)) {  // most text is ASCII
      std::memcpy(&eight, text.data() + at, sizeof(eight));
      if ((eight & 0x8080'8080'8080'8080) != 0) {
        break;
      }
      at += sizeof(eight);
    }
    if (at == text.size()) {
      return true;
    }
    auto const lead = static_cast<uint8_t>(text[at]);
    size_t const size = lead < 0x80   ? 1
                        : lead < 0xC2 ? 0
                        : lead < 0xE0 ? 2
                        : lead < 0xF0 ? 3
                        : lead < 0xF5 ? 4
                                      : 0;
    if (size == 0 || text.size() - at < size) {
      return false;
    }
    for (size_t index = 1; index < size; ++index) {
      auto const next = static_cast<uint8_t>(text[at + index]);
      uint8_t min = 0x80;
      uint8_t max = 0xBF;
      if (index == 1) {  // no overlong forms, no surrogates, nothing above U+10FFFF
        min = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        max = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
      }
      if (next < min || next > max) {
        return false;
      }
    }
    at += size;
  }
  return true;
}

namespace {

// Of a quote, a backslash or a control character.
void AppendJsonEscape(char c, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kNamed = "\b\t\n\f\r";
  constexpr std::string_view kNames = "btnfr";
  out += '\\';
  if (c == '"' || c == '\\') {
    out += c;
  } else if (size_t const named = kNamed.find(c); named != std::string_view::npos) {
    out += kNames[named];
  } else {
    out += "u00";
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
}

}  // namespace

Status AppendJsonString(std::string_view text, std::string& out) {
  if (!IsUtf8(text)) {
    return Status::Corruption(
        StrCat("the text 0x", HexText(AsBytes(text.substr(0, 100))), " is not UTF-8"));
  }
  out += '"';
  size_t done = 0;  // what is before has been appended; plain stretches go at once
  for (size_t index = 0; index < text.size(); ++index) {
    auto const byte = static_cast<uint8_t>(text[index]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') {
      continue;
    }
    out.append(text, done, index - done);
    AppendJsonEscape(text[index], out);
    done = index + 1;
  }
  out.append(text, done);
  out += '"';
  return Status::Ok();
}

Status ValidateValue(const Type& type, Bytes value) {
  if (value.empty()) {
    return Status::Ok();
  }
  Sizes const sizes = SizesOf(type.kind);
  if (sizes.one != 0 && value.size() != sizes.one && value.size() != sizes.other) {
    return WrongSize(
        type, value,
        sizes.one == sizes.other ? StrCat(sizes.one) : StrCat(sizes.one, " or ", sizes.other));
  }
  switch (type.kind) {
    case TypeKind::kAscii:
    case TypeKind::kText:
      if (!IsUtf8(AsText(value))) {
        return Status::Corruption(StrCat("the text 0x",
                                         HexText(value.first(std::min<size_t>(value.size(), 100))),
                                         " is not UTF-8"));
      }
      return Status::Ok();
    case TypeKind::kTime:
      if (LoadBigEndian<uint64_t>(value) >= 86'400'000'000'000) {
        return Status::Corruption(StrCat("a time of ", LoadBigEndian<int64_t>(value),
                                         " nanoseconds, expected less than a day"));
      }
      return Status::Ok();
    case TypeKind::kDecimal:
      return DecodeDecimal(value).status();
    case TypeKind::kDuration:
      return DecodeDuration(type, value).status();
    case TypeKind::kCounter:
      return CounterTotal(value).status();
    case TypeKind::kEmpty:
      return WrongSize(type, value, "0");
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kMap:
    case TypeKind::kTuple:
    case TypeKind::kUdt:
    case TypeKind::kVector:
    case TypeKind::kComposite:
      return ValidateElements(type, value);
    default:
      return Status::Ok();
  }
}

Result<std::string> ScalarText(const Type& type, Bytes value) {
  if (value.empty()) {
    return std::string();
  }
  RETURN_IF_ERROR(ValidateValue(type, value));
  switch (type.kind) {
    case TypeKind::kAscii:
    case TypeKind::kText:
      return std::string(AsText(value));
    case TypeKind::kBoolean:
      return std::string(value[0] == std::byte{0} ? "false" : "true");
    case TypeKind::kTinyint:
      return StrCat(static_cast<int32_t>(LoadBigEndian<int8_t>(value)));
    case TypeKind::kSmallint:
      return StrCat(LoadBigEndian<int16_t>(value));
    case TypeKind::kInt:
      return StrCat(LoadBigEndian<int32_t>(value));
    case TypeKind::kBigint:
      return StrCat(LoadBigEndian<int64_t>(value));
    case TypeKind::kCounter: {
      ASSIGN_OR_RETURN(int64_t const total, CounterTotal(value));
      return StrCat(total);
    }
    case TypeKind::kFloat:
      return JavaFloatText(std::bit_cast<float>(LoadBigEndian<uint32_t>(value)));
    case TypeKind::kDouble:
      return JavaDoubleText(std::bit_cast<double>(LoadBigEndian<uint64_t>(value)));
    case TypeKind::kVarint:
      return BigDecimalText(DecodeVarint(value));
    case TypeKind::kDecimal: {
      ASSIGN_OR_RETURN(BigDecimal const number, DecodeDecimal(value));
      return BigDecimalText(number);
    }
    case TypeKind::kDate:
      return DateText(int64_t{LoadBigEndian<uint32_t>(value)} - (int64_t{1} << 31));
    case TypeKind::kTime:
      return TimeText(LoadBigEndian<int64_t>(value));
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      return TimestampText(LoadBigEndian<int64_t>(value), {.separator = 'T'});
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kLexicalUuid:
      return UuidText(value);
    case TypeKind::kInet:
      return InetText(value, /*compressed=*/false);
    case TypeKind::kDuration: {
      ASSIGN_OR_RETURN(Duration const duration, DecodeDuration(type, value));
      return DurationText(duration.months, duration.days, duration.nanos);
    }
    default:
      return HexText(value);
  }
}

}  // namespace orochi::sstable
