// Values taken apart and made.
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "bindings/c/internal/call.h"
#include "bindings/c/internal/handles.h"
#include "sstable/cql/bind.h"
#include "sstable/cql/parser.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/elements.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"
#include "sstable/types/value_text.h"

struct orochi_sst_parts {
  const orochi_sst_type* type = nullptr;
  orochi::sstable::ElementReader reader;
  size_t next_part = 0;
};

namespace orochi::cabi {

namespace {

using sstable::AppendBigEndian;
using sstable::AsText;
using sstable::Bytes;
using sstable::LoadBigEndian;
using sstable::Type;
using sstable::TypeKind;

/// Dates count days from 2^31 below 1970.
constexpr int64_t kDateOfEpoch = int64_t{1} << 31;

/// How many bytes a whole number of the type has; 0 for types that are none.
size_t NumberSizeBytes(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyint:
      return 1;
    case TypeKind::kSmallint:
      return 2;
    case TypeKind::kInt:
    case TypeKind::kDate:
      return 4;
    case TypeKind::kBigint:
    case TypeKind::kCounter:
    case TypeKind::kLegacyDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
      return 8;
    default:
      return 0;
  }
}

Status NoNumber(const Type& type) {
  return Status::InvalidArgument(StrCat("type ", CqlName(type), " has no numbers of that kind"));
}

Status EmptyNumber(const Type& type) {
  return Status::OutOfRange(StrCat("the empty value of type ", CqlName(type), " is no number"));
}

Result<int64_t> VarintOf(const Type& type, Bytes value) {
  // Longer forms of a small number are legal: what is in front only repeats the sign.
  while (value.size() > sizeof(int64_t)) {
    bool const negative = std::to_integer<int>(value[1]) >= 0x80;
    if (std::to_integer<int>(value[0]) != (negative ? 0xFF : 0x00)) {
      return Status::OutOfRange(StrCat("a number of type ", CqlName(type), " with ", value.size(),
                                       " bytes does not fit into 64 bits"));
    }
    value = value.subspan(1);
  }
  uint64_t bits = std::to_integer<int>(value[0]) >= 0x80 ? ~uint64_t{0} : 0;
  for (std::byte const byte : value) {
    bits = bits << 8 | std::to_integer<uint64_t>(byte);
  }
  return static_cast<int64_t>(bits);
}

Result<std::string> ParseValue(const orochi_sst_type& type, std::string_view text, int32_t format) {
  const Type& given = *type.type;
  sstable::TypeRef const frozen = sstable::Frozen(type.type);
  if (format == OROCHI_SST_FORMAT_TEXT) {
    if (!given.parameters.empty() || KindOf(given) == OROCHI_SST_TYPE_OTHER) {
      return Status::InvalidArgument(
          StrCat("values of type ", type.name, " are read from CQL literals"));
    }
    return ParseScalar(*frozen, text);
  }
  if (format != OROCHI_SST_FORMAT_CQL) {
    return Status::InvalidArgument(
        StrCat("format is ", format, ": values are read from text and from CQL"));
  }
  ASSIGN_OR_RETURN(sstable::cql::Term const term, sstable::cql::ParseTerm(text));
  ASSIGN_OR_RETURN(auto value, sstable::cql::BindTerm(term, *frozen, "value"));
  if (!value.has_value()) {
    return Status::InvalidArgument("null has no bytes");
  }
  return *std::move(value);
}

}  // namespace

Result<int64_t> Int64Of(const Type& type, Bytes value) {
  if (type.kind == TypeKind::kVarint) {
    return value.empty() ? Result<int64_t>(EmptyNumber(type)) : VarintOf(type, value);
  }
  size_t const size_bytes = NumberSizeBytes(type.kind);
  if (size_bytes == 0) {
    return NoNumber(type);
  }
  if (value.empty()) {
    return EmptyNumber(type);
  }
  if (value.size() != size_bytes) {
    return Status::Corruption(StrCat("a value of type ", CqlName(type), " has ", value.size(),
                                     " bytes, expected ", size_bytes));
  }
  switch (type.kind) {
    case TypeKind::kBoolean:
      return int64_t{value[0] != std::byte{0}};
    case TypeKind::kTinyint:
      return int64_t{LoadBigEndian<int8_t>(value)};
    case TypeKind::kSmallint:
      return int64_t{LoadBigEndian<int16_t>(value)};
    case TypeKind::kInt:
      return int64_t{LoadBigEndian<int32_t>(value)};
    case TypeKind::kDate:
      return int64_t{LoadBigEndian<uint32_t>(value)} - kDateOfEpoch;
    default:
      return LoadBigEndian<int64_t>(value);
  }
}

Result<double> DoubleOf(const Type& type, Bytes value) {
  bool const is_float = type.kind == TypeKind::kFloat;
  if (is_float || type.kind == TypeKind::kDouble) {
    size_t const size_bytes = is_float ? sizeof(float) : sizeof(double);
    if (value.empty()) {
      return EmptyNumber(type);
    }
    if (value.size() != size_bytes) {
      return Status::Corruption(StrCat("a value of type ", CqlName(type), " has ", value.size(),
                                       " bytes, expected ", size_bytes));
    }
    return is_float ? double{std::bit_cast<float>(LoadBigEndian<uint32_t>(value))}
                    : std::bit_cast<double>(LoadBigEndian<uint64_t>(value));
  }
  if (type.kind == TypeKind::kDecimal || type.kind == TypeKind::kVarint) {
    if (value.empty()) {
      return EmptyNumber(type);
    }
    sstable::BigDecimal decimal;
    if (type.kind == TypeKind::kVarint) {
      decimal = sstable::DecodeVarint(value);
    } else {
      ASSIGN_OR_RETURN(decimal, sstable::DecodeDecimal(value));
    }
    // Not BigDecimalText, which spells out scales of millions.
    std::string const text =
        StrCat(decimal.negative ? "-" : "", decimal.digits, "e", -decimal.scale);
    double number = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc::result_out_of_range) {
      bool const tiny = decimal.scale > static_cast<int64_t>(decimal.digits.size());
      number = tiny ? 0.0 : std::numeric_limits<double>::infinity();
      number = decimal.negative ? -number : number;
    }
    return number;
  }
  ASSIGN_OR_RETURN(int64_t const whole, Int64Of(type, value));
  return static_cast<double>(whole);
}

Result<std::string> FormatValue(const Type& type, Bytes value, int32_t format) {
  std::string text;
  switch (format) {
    case OROCHI_SST_FORMAT_TEXT:
      if (type.kind == TypeKind::kText || type.kind == TypeKind::kAscii) {
        return std::string(AsText(value));
      }
      RETURN_IF_ERROR(AppendCqlshText(type, value, text));
      return text;
    case OROCHI_SST_FORMAT_JSON:
      RETURN_IF_ERROR(AppendJson(type, value, text));
      return text;
    case OROCHI_SST_FORMAT_CQL:
      RETURN_IF_ERROR(AppendCqlLiteral(type, value, text));
      return text;
    default:
      return Status::InvalidArgument(StrCat("format is ", format, ", expected 0 to 2"));
  }
}

Result<std::string> BytesOfInt64(const Type& type, int64_t number) {
  std::string bytes;
  if (type.kind == TypeKind::kVarint) {
    ASSIGN_OR_RETURN(sstable::BigDecimal const decimal,
                     sstable::ParseBigDecimal(std::to_string(number)));
    return EncodeVarint(decimal);
  }
  size_t const size_bytes = NumberSizeBytes(type.kind);
  if (size_bytes == 0) {
    return NoNumber(type);
  }
  int64_t stored = number;
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
  if (type.kind == TypeKind::kBoolean) {
    min = 0;
    max = 1;
  } else if (type.kind == TypeKind::kDate) {
    min = -kDateOfEpoch;
    max = kDateOfEpoch - 1;
  } else if (type.kind == TypeKind::kTime) {
    min = 0;
    max = 86'400'000'000'000 - 1;
  } else if (size_bytes < sizeof(int64_t)) {
    max = (int64_t{1} << (8 * size_bytes - 1)) - 1;
    min = -max - 1;
  }
  if (number < min || number > max) {
    return Status::OutOfRange(
        StrCat(number, " is no value of type ", CqlName(type), ": ", min, " to ", max));
  }
  if (type.kind == TypeKind::kDate) {
    stored += kDateOfEpoch;
  }
  for (size_t at = size_bytes; at-- > 0;) {
    bytes.push_back(static_cast<char>(static_cast<uint64_t>(stored) >> (8 * at)));
  }
  return bytes;
}

Result<std::string> BytesOfDouble(const Type& type, double number) {
  std::string bytes;
  if (type.kind == TypeKind::kDouble) {
    AppendBigEndian(bytes, std::bit_cast<uint64_t>(number));
    return bytes;
  }
  if (type.kind != TypeKind::kFloat) {
    return NoNumber(type);
  }
  if (std::isfinite(number) && std::abs(number) > double{std::numeric_limits<float>::max()}) {
    return Status::OutOfRange(StrCat(number, " is no value of type float"));
  }
  AppendBigEndian(bytes, std::bit_cast<uint32_t>(static_cast<float>(number)));
  return bytes;
}

}  // namespace orochi::cabi

using orochi::Result;
using orochi::Status;
using orochi::cabi::BytesOf;
using orochi::cabi::Call;
using orochi::cabi::GiveText;
using orochi::cabi::TextOf;

const char* orochi_sst_string_data(const orochi_sst_string* string, size_t* size) {
  return GiveText(string == nullptr ? std::string_view() : string->text, size);
}

void orochi_sst_string_free(orochi_sst_string* string) {
  delete string;
}

int32_t orochi_sst_value_format(const orochi_sst_type* type, const void* data, size_t size,
                                int32_t format, orochi_sst_string** string,
                                orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(string);
    *string = nullptr;
    REQUIRE_ARGUMENT(type);
    ASSIGN_OR_RETURN(auto const value, BytesOf(data, size, "data"));
    ASSIGN_OR_RETURN(std::string text, orochi::cabi::FormatValue(*type->type, value, format));
    *string = new orochi_sst_string{std::move(text)};
    return Status::Ok();
  });
}

int32_t orochi_sst_value_parse(const orochi_sst_type* type, const char* text, size_t size,
                               int32_t format, orochi_sst_string** value,
                               orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(value);
    *value = nullptr;
    REQUIRE_ARGUMENT(type);
    ASSIGN_OR_RETURN(std::string_view const given, TextOf(text, size, "text"));
    ASSIGN_OR_RETURN(std::string bytes, orochi::cabi::ParseValue(*type, given, format));
    *value = new orochi_sst_string{std::move(bytes)};
    return Status::Ok();
  });
}

int32_t orochi_sst_value_int64(const orochi_sst_type* type, const void* data, size_t size,
                               int64_t* number, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(number);
    *number = 0;
    REQUIRE_ARGUMENT(type);
    ASSIGN_OR_RETURN(auto const value, BytesOf(data, size, "data"));
    ASSIGN_OR_RETURN(*number, orochi::cabi::Int64Of(*type->type, value));
    return Status::Ok();
  });
}

int32_t orochi_sst_value_double(const orochi_sst_type* type, const void* data, size_t size,
                                double* number, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(number);
    *number = 0;
    REQUIRE_ARGUMENT(type);
    ASSIGN_OR_RETURN(auto const value, BytesOf(data, size, "data"));
    ASSIGN_OR_RETURN(*number, orochi::cabi::DoubleOf(*type->type, value));
    return Status::Ok();
  });
}

int32_t orochi_sst_parts_open(const orochi_sst_type* type, const void* data, size_t size,
                              orochi_sst_parts** parts, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(parts);
    *parts = nullptr;
    REQUIRE_ARGUMENT(type);
    if (type->parameters.empty()) {
      return Status::InvalidArgument(orochi::StrCat("type ", type->name, " has no parts"));
    }
    ASSIGN_OR_RETURN(auto const value, BytesOf(data, size, "data"));
    *parts = new orochi_sst_parts{
        .type = type, .reader = orochi::sstable::ElementReader(*type->type, value), .next_part = 0};
    return Status::Ok();
  });
}

int32_t orochi_sst_parts_next(orochi_sst_parts* parts, orochi_sst_value* value,
                              const orochi_sst_type** type, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(parts);
    REQUIRE_ARGUMENT(value);
    *value = orochi::cabi::GiveValue(std::nullopt);
    const auto& parameters = parts->type->parameters;
    int32_t const kind = orochi::cabi::KindOf(*parts->type->type);
    bool const has_fields = kind == OROCHI_SST_TYPE_TUPLE || kind == OROCHI_SST_TYPE_UDT ||
                            kind == OROCHI_SST_TYPE_OTHER;
    auto const element = parts->reader.Next();
    if (parts->reader.malformed()) {
      return Status::Corruption(
          orochi::StrCat("the bytes are no value of type ", parts->type->name));
    }
    size_t const index = has_fields ? parts->next_part : parts->next_part % parameters.size();
    bool const left_out = !element.has_value() && has_fields && index < parameters.size() &&
                          kind != OROCHI_SST_TYPE_OTHER;
    if (!element.has_value() && !left_out) {
      return 0;
    }
    ++parts->next_part;
    if (element.has_value() && !element->is_null) {
      *value = orochi::cabi::GiveValue(element->bytes);
    }
    if (type != nullptr) {
      *type = parameters[index].get();
    }
    return 1;
  });
}

void orochi_sst_parts_free(orochi_sst_parts* parts) {
  delete parts;
}
