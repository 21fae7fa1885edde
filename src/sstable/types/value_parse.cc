// ParseScalar: text to values of types without parameters.
#include <arpa/inet.h>

#include <array>
#include <bit>
#include <charconv>
#include <limits>

#include "base/str_cat.h"
#include "codec/varint.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/bytes.h"
#include "sstable/types/cassandra_vint.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

namespace orochi::sstable {

namespace {

Status Unable(std::string_view text, const Type& type) {
  return Status::InvalidArgument(StrCat("unable to make a value of type ", CqlName(type), " from '",
                                        text.substr(0, 100), "'"));
}

template <class Integer>
Result<std::string> ParseInteger(std::string_view text, const Type& type) {
  std::string_view digits = text;
  if (digits.starts_with('+') && !digits.starts_with("+-")) {
    digits.remove_prefix(1);
  }
  Integer value = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Unable(text, type);
  }
  std::string out;
  AppendBigEndian(out, value);
  return out;
}

template <class Float, class Word>
Result<std::string> ParseFloat(std::string_view text, const Type& type) {
  std::string_view digits = text;
  bool const negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  Float value = 0;
  if (digits == "Infinity" || digits == "infinity") {
    value = std::numeric_limits<Float>::infinity();
  } else if (digits == "NaN" || digits == "nan") {
    value = std::numeric_limits<Float>::quiet_NaN();
  } else {
    bool const number =
        !digits.empty() && (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'));
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (!number || end != digits.data() + digits.size() || error == std::errc::invalid_argument) {
      return Unable(text, type);
    }
    if (error == std::errc::result_out_of_range) {
      // from_chars says so of what is too large and of what is too small: the exponent decides.
      value = digits.find("e-") == std::string_view::npos &&
                      digits.find("E-") == std::string_view::npos && digits[0] != '0'
                  ? std::numeric_limits<Float>::infinity()
                  : Float{0};
    }
  }
  std::string out;
  AppendBigEndian(out, std::bit_cast<Word>(negative ? -value : value));
  return out;
}

Result<std::string> ParseHex(std::string_view text, const Type& type) {
  std::string_view hex = text;
  if (hex.starts_with("0x") || hex.starts_with("0X")) {
    hex.remove_prefix(2);
  }
  std::string out;
  for (size_t index = 0; index < hex.size(); index += 2) {
    uint8_t byte = 0;
    const char* const begin = hex.data() + index;
    if (index + 2 > hex.size() || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) {
      return Unable(text, type);
    }
    out += static_cast<char>(byte);
  }
  return out;
}

Result<std::string> ParseUuid(std::string_view text, const Type& type) {
  std::string hex;
  for (size_t index = 0; index < text.size(); ++index) {
    bool const dash = index == 8 || index == 13 || index == 18 || index == 23;
    if (dash != (text[index] == '-')) {
      return Unable(text, type);
    }
    if (!dash) {
      hex += text[index];
    }
  }
  Result<std::string> bytes = ParseHex(hex, type);
  if (!bytes.ok() || bytes->size() != 16 || text.size() != 36) {
    return Unable(text, type);
  }
  if (type.kind == TypeKind::kTimeuuid && (static_cast<uint8_t>((*bytes)[6]) >> 4) != 1) {
    return Status::InvalidArgument(
        StrCat("'", text, "' is not a version 1 UUID, which a timeuuid is"));
  }
  return bytes;
}

Result<std::string> ParseInet(std::string_view text, const Type& type) {
  std::array<char, 16> address{};
  std::string const name(text);
  if (inet_pton(AF_INET, name.c_str(), address.data()) == 1) {
    return std::string(address.data(), 4);
  }
  if (inet_pton(AF_INET6, name.c_str(), address.data()) == 1) {
    return std::string(address.data(), 16);
  }
  return Unable(text, type);
}

struct DurationUnit {
  std::string_view name;
  int64_t months;
  int64_t days;
  int64_t nanos;
};

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::array<DurationUnit, 11> kDurationUnits = {{{"mo", 1, 0, 0},
                                                          {"ms", 0, 0, 1'000'000},
                                                          {"us", 0, 0, 1000},
                                                          {"\xC2\xB5s", 0, 0, 1000},
                                                          {"ns", 0, 0, 1},
                                                          {"y", 12, 0, 0},
                                                          {"w", 0, 7, 0},
                                                          {"d", 0, 1, 0},
                                                          {"h", 0, 0, 3600 * kNanosPerSecond},
                                                          {"m", 0, 0, 60 * kNanosPerSecond},
                                                          {"s", 0, 0, kNanosPerSecond}}};

/// 1y2mo3w4d5h6m7s8ms9us10ns, or P1Y2M3DT4H5M6S and P1W, with '-' in front of a negative one.
Result<std::string> ParseDuration(std::string_view text, const Type& type) {
  std::string lower;
  for (char const c : text) {
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  std::string_view rest = lower;
  bool const negative = rest.starts_with('-');
  rest.remove_prefix(negative ? 1 : 0);
  bool const iso = rest.starts_with('p');
  rest.remove_prefix(iso ? 1 : 0);
  bool in_time = !iso;
  std::array<int64_t, 3> total{};
  bool any = false;
  while (!rest.empty()) {
    if (iso && !in_time && rest.starts_with('t')) {
      in_time = true;
      rest.remove_prefix(1);
      continue;
    }
    int64_t count = 0;
    auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (error != std::errc() || count < 0 || end == rest.data()) {
      return Unable(text, type);
    }
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const DurationUnit* found = nullptr;
    for (const DurationUnit& unit : kDurationUnits) {
      if (found == nullptr && rest.starts_with(unit.name) && (!iso || unit.name.size() == 1)) {
        found = &unit;
      }
    }
    if (found == nullptr) {
      return Unable(text, type);
    }
    rest.remove_prefix(found->name.size());
    DurationUnit const unit =
        iso && !in_time && found->name == "m" ? kDurationUnits[0] : *found;  // months before T
    std::array<int64_t, 3> const sizes = {unit.months, unit.days, unit.nanos};
    for (size_t part = 0; part < total.size(); ++part) {
      int64_t added = 0;
      if (__builtin_mul_overflow(count, sizes[part], &added) ||
          __builtin_add_overflow(total[part], added, &total[part])) {
        return Unable(text, type);
      }
    }
    any = true;
  }
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (!any || total[0] > kMax || total[1] > kMax) {
    return Unable(text, type);
  }
  std::vector<std::byte> out;
  for (int64_t const part : total) {
    AppendSignedVint(out, negative ? -part : part);
  }
  return std::string(AsText(out));
}

Result<std::string> ParseDateText(std::string_view text, const Type& type) {
  constexpr int64_t kEpoch = int64_t{1} << 31;
  int64_t raw = 0;  // days as they are stored, epoch at 2^31
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), raw);
  if (error != std::errc() || end != text.data() + text.size()) {
    std::optional<int64_t> const days = ParseDate(text);
    if (!days.has_value()) {
      return Unable(text, type);
    }
    raw = *days + kEpoch;
  }
  if (raw < 0 || raw > std::numeric_limits<uint32_t>::max()) {
    return Unable(text, type);
  }
  std::string out;
  AppendBigEndian(out, static_cast<uint32_t>(raw));
  return out;
}

/// A number of milliseconds, or a date and time.
Result<std::string> ParseTimestampText(std::string_view text, const Type& type) {
  int64_t millis = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), millis);
  if (error != std::errc() || end != text.data() + text.size()) {
    std::optional<int64_t> const parsed = ParseTimestamp(text);
    if (!parsed.has_value()) {
      return Unable(text, type);
    }
    millis = *parsed;
  }
  std::string out;
  AppendBigEndian(out, millis);
  return out;
}

Result<std::string> ParseTimeText(std::string_view text, const Type& type) {
  constexpr int64_t kNanosPerDay = 86'400 * kNanosPerSecond;
  int64_t nanos = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), nanos);
  if (error != std::errc() || end != text.data() + text.size()) {
    std::optional<int64_t> const parsed = ParseTime(text);
    if (!parsed.has_value()) {
      return Unable(text, type);
    }
    nanos = *parsed;
  }
  if (nanos < 0 || nanos >= kNanosPerDay) {
    return Unable(text, type);
  }
  std::string out;
  AppendBigEndian(out, nanos);
  return out;
}

Result<std::string> ParseBoolean(std::string_view text, const Type& type) {
  std::string lower;
  for (char const c : text) {
    lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (lower != "true" && lower != "false") {
    return Unable(text, type);
  }
  return std::string(1, lower == "true" ? '\1' : '\0');
}

Result<std::string> ParseText(std::string_view text, const Type& type) {
  bool const ascii = type.kind == TypeKind::kAscii;
  for (char const c : text) {
    if (ascii && (static_cast<uint8_t>(c) & 0x80) != 0) {
      return Unable(text, type);
    }
  }
  return ascii || IsUtf8(text) ? Result<std::string>(std::string(text)) : Unable(text, type);
}

Result<std::string> ParseNumber(std::string_view text, const Type& type) {
  Result<BigDecimal> const number = ParseBigDecimal(text);
  if (!number.ok()) {
    return Unable(text, type);
  }
  if (type.kind == TypeKind::kDecimal) {
    return EncodeDecimal(*number);
  }
  if (number->scale != 0) {
    return Unable(text, type);
  }
  return EncodeVarint(*number);
}

}  // namespace

Result<std::string> ParseScalar(const Type& type, std::string_view text) {
  switch (type.kind) {
    case TypeKind::kAscii:
    case TypeKind::kText:
      return ParseText(text, type);
    case TypeKind::kBlob:
    case TypeKind::kCustom:
    case TypeKind::kComposite:
      return ParseHex(text, type);
    default:
      break;
  }
  if (text.empty()) {
    return std::string();
  }
  switch (type.kind) {
    case TypeKind::kTinyint:
      return ParseInteger<int8_t>(text, type);
    case TypeKind::kSmallint:
      return ParseInteger<int16_t>(text, type);
    case TypeKind::kInt:
      return ParseInteger<int32_t>(text, type);
    case TypeKind::kBigint:
    case TypeKind::kCounter:
      return ParseInteger<int64_t>(text, type);
    case TypeKind::kVarint:
    case TypeKind::kDecimal:
      return ParseNumber(text, type);
    case TypeKind::kFloat:
      return ParseFloat<float, uint32_t>(text, type);
    case TypeKind::kDouble:
      return ParseFloat<double, uint64_t>(text, type);
    case TypeKind::kBoolean:
      return ParseBoolean(text, type);
    case TypeKind::kDate:
      return ParseDateText(text, type);
    case TypeKind::kTime:
      return ParseTimeText(text, type);
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      return ParseTimestampText(text, type);
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kLexicalUuid:
      return ParseUuid(text, type);
    case TypeKind::kInet:
      return ParseInet(text, type);
    case TypeKind::kDuration:
      return ParseDuration(text, type);
    default:
      return Unable(text, type);
  }
}

}  // namespace orochi::sstable
