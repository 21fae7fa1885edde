#include "kv/wire/chogori_decimal.h"

#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv::chogori {

namespace {

constexpr size_t kPrefixSizeBytes = 10;
constexpr size_t kLimbDigits = 8;
constexpr uint32_t kLimbMax = 99'999'999;
constexpr int32_t kExponentMax = 67'108'864;

size_t LimbCount(FieldType type) {
  switch (type) {
    case FieldType::kDecimal25:
      return 7;
    case FieldType::kDecimal50:
      return 10;
    default:
      ASSERT(type == FieldType::kDecimal100);
      return 16;
  }
}

template <class Number>
void Append(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class Number>
Number Take(std::string_view& rest) {
  Number value = 0;
  std::memcpy(&value, rest.data(), sizeof(value));
  rest.remove_prefix(sizeof(value));
  return value;
}

// Rounds digits without leading zeros to `count_max` of them. true: a digit more came in front.
bool Round(std::string& digits, size_t count_max) {
  if (digits.size() <= count_max) {
    return false;
  }
  bool const up = digits[count_max] >= '5';
  digits.resize(count_max);
  if (!up) {
    return false;
  }
  size_t const last = digits.find_last_not_of('9');
  if (last == std::string::npos) {
    digits = "1";
    return true;
  }
  digits.resize(last + 1);
  ++digits[last];
  return false;
}

}  // namespace

Result<std::string> EncodeDecimal(FieldType type, const Decimal& value) {
  size_t const limb_count = LimbCount(type);
  if (value.exponent() > kExponentMax || value.exponent() < -kExponentMax) {
    return Status::Unsupported(StrCat("a decimal has exponent ", value.exponent(),
                                      ", in this dialect at most ", kExponentMax, " either way"));
  }
  std::string bytes(kPrefixSizeBytes, '\0');
  // So many of the number's digits are in the first limb that its exponent is a multiple of 8.
  int32_t const in_first = value.zero() ? 0 : ((value.exponent() - 1) % 8 + 8) % 8 + 1;
  std::string digits = value.digits();
  if (!value.zero()) {
    digits.insert(0, kLimbDigits - static_cast<size_t>(in_first), '0');
  }
  ASSERT(digits.size() <= limb_count * kLimbDigits);
  digits.resize(limb_count * kLimbDigits, '0');
  for (size_t limb = 0; limb < limb_count; ++limb) {
    uint32_t number = 0;
    for (char const digit : digits.substr(limb * kLimbDigits, kLimbDigits)) {
      number = number * 10 + static_cast<uint32_t>(digit - '0');
    }
    Append(bytes, number);
  }
  Append(bytes, value.zero() ? 0 : value.exponent() - in_first);
  Append(bytes, static_cast<uint8_t>(value.negative() ? 1 : 0));
  Append(bytes, int32_t{0});
  Append(bytes, static_cast<int32_t>(limb_count));
  return bytes;
}

Result<Decimal> DecodeDecimal(FieldType type, std::string_view bytes) {
  size_t const limb_count = LimbCount(type);
  size_t const expected_size_bytes = kPrefixSizeBytes + limb_count * 4 + 13;
  auto const refuse = [&](std::string_view what) {
    return Status::InvalidArgument(StrCat(FieldTypeName(type), " ", what));
  };
  if (bytes.size() != expected_size_bytes) {
    return refuse(StrCat("has ", bytes.size(), " bytes, expected ", expected_size_bytes));
  }
  if (bytes.find_first_not_of('\0') < kPrefixSizeBytes) {
    return refuse("does not begin with ten zero bytes");
  }
  std::string_view rest = bytes.substr(kPrefixSizeBytes);
  std::string digits;
  for (size_t limb = 0; limb < limb_count; ++limb) {
    auto const number = Take<uint32_t>(rest);
    if (number > kLimbMax) {
      return refuse(StrCat("has a limb ", number, ", at most ", kLimbMax));
    }
    std::string const text = StrCat(number);
    digits += std::string(kLimbDigits - text.size(), '0') + text;
  }
  auto const exponent = Take<int32_t>(rest);
  auto const negative = Take<uint8_t>(rest);
  auto const kind = Take<int32_t>(rest);
  auto const precision = Take<int32_t>(rest);
  if (kind != 0) {
    return refuse("is an infinity or NaN");
  }
  if (negative > 1 || precision != static_cast<int32_t>(limb_count) || exponent % 8 != 0 ||
      exponent > kExponentMax || exponent < -kExponentMax) {
    return refuse("is damaged");
  }
  size_t const zeros = digits.find_first_not_of('0');
  if (zeros == std::string::npos) {
    return Decimal();
  }
  digits.erase(0, zeros);
  int64_t first_exponent = int64_t{exponent} + int64_t{kLimbDigits} - static_cast<int64_t>(zeros);
  first_exponent += Round(digits, TraitsOf(type).digits_max) ? 1 : 0;
  return Decimal::FromDigits(negative == 1, digits, first_exponent);
}

}  // namespace orochi::kv::chogori
