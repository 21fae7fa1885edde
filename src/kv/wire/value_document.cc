#include "kv/wire/value_document.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/record/utf8.h"
#include "kv/wire/json.h"

namespace orochi::kv {

namespace {

using Kind = Document::Kind;

constexpr uint64_t kExactDoubleMax = (uint64_t{1} << 53) - 1;
constexpr std::string_view kBase64 = "base64";

Document IntegerDocument(Document number, uint64_t magnitude, std::string digits, WireForm form) {
  if (form == WireForm::kJsonIntegersAsStrings && magnitude > kExactDoubleMax) {
    return Document::String(std::move(digits));
  }
  return number;
}

Document FloatDocument(double value, bool wide, WireForm form) {
  if (form != WireForm::kMessagePack && !std::isfinite(value)) {
    return Document::String(std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
  }
  return wide ? Document::Double(value) : Document::Float(static_cast<float>(value));
}

Document TextDocument(const std::string& text, WireForm form) {
  if (IsUtf8(text)) {
    return Document::String(text);
  }
  if (form == WireForm::kMessagePack) {
    return Document::Bytes(text);
  }
  Document document = Document::Object();
  document.Add(std::string(kBase64), Document::String(EncodeBase64(text)));
  return document;
}

std::string UuidText(const Uuid& uuid) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t index = 0; index < uuid.size(); ++index) {
    if (index == 4 || index == 6 || index == 8 || index == 10) {
      text += '-';
    }
    text += kDigits[uuid[index] >> 4];
    text += kDigits[uuid[index] & 15];
  }
  return text;
}

bool ParseUuid(std::string_view text, Uuid& uuid) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
      text[23] != '-') {
    return false;
  }
  size_t at = 0;
  for (uint8_t& byte : uuid) {
    at += text[at] == '-' ? 1 : 0;
    auto const [end, error] = std::from_chars(&text[at], &text[at] + 2, byte, 16);
    if (error != std::errc() || end != &text[at] + 2) {
      return false;
    }
    at += 2;
  }
  return true;
}

template <class Integer>
Result<Integer> ReadInteger(const Place& place, std::string_view expected) {
  const Document& document = place.document();
  if (document.kind == Kind::kString) {
    Integer value = 0;
    const std::string& text = document.text;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) {
      return value;
    }
    return place.Fail(StrCat("found '", text.substr(0, 40), "', expected ", expected));
  }
  if constexpr (std::is_same_v<Integer, int64_t>) {
    return place.Signed(INT64_MIN, INT64_MAX);
  } else {
    return place.Unsigned(UINT64_MAX);
  }
}

// As the type's own width: text that JSON had is rounded once.
template <class Float>
Result<Float> ReadFloat(const Place& place, FieldType type) {
  const Document& document = place.document();
  switch (document.kind) {
    case Kind::kSigned:
      return static_cast<Float>(document.signed_number);
    case Kind::kUnsigned:
      return static_cast<Float>(document.unsigned_number);
    case Kind::kString:
      if (document.text == "NaN") {
        return std::numeric_limits<Float>::quiet_NaN();
      }
      if (document.text == "Infinity" || document.text == "-Infinity") {
        Float const infinity = std::numeric_limits<Float>::infinity();
        return document.text[0] == '-' ? -infinity : infinity;
      }
      return place.Fail(StrCat("found '", document.text.substr(0, 40),
                               "', expected a number, NaN, Infinity or -Infinity"));
    case Kind::kFloat:
    case Kind::kDouble:
      break;
    default:
      return place.FailKind(FieldTypeName(type));
  }
  auto value = static_cast<Float>(document.number);
  if (!document.text.empty()) {
    const std::string& text = document.text;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range && std::abs(document.number) < 1) {
      value = static_cast<Float>(document.number);  // towards zero
    }
  }
  if (std::isinf(value) && std::isfinite(document.number)) {
    return place.Fail(StrCat("found ", document.number, ", which is past ", FieldTypeName(type)));
  }
  return value;
}

Result<Value> ReadDecimal(const Place& place) {
  const Document& document = place.document();
  std::string text = document.text;
  if (document.kind == Kind::kSigned) {
    text = StrCat(document.signed_number);
  } else if (document.kind == Kind::kUnsigned) {
    text = StrCat(document.unsigned_number);
  } else if (document.kind != Kind::kString && document.kind != Kind::kDouble) {
    return place.FailKind("a decimal as a string");
  }
  auto decimal = Decimal::Parse(text);
  if (!decimal.ok()) {
    return place.Fail(decimal.status().message());
  }
  return Value(*std::move(decimal));
}

Result<Value> ReadText(const Place& place, WireForm form) {
  if (place.kind() == Kind::kString ||
      (form == WireForm::kMessagePack && place.kind() == Kind::kBytes)) {
    return Value(place.document().text);
  }
  if (form == WireForm::kMessagePack || place.kind() != Kind::kObject) {
    return place.FailKind("text");
  }
  RETURN_IF_ERROR(place.CheckObject({kBase64}));
  ASSIGN_OR_RETURN(Place const base64, place.Member(kBase64));
  ASSIGN_OR_RETURN(std::string const text, base64.Text());
  auto bytes = DecodeBase64(text);
  if (!bytes.ok()) {
    return base64.Fail(bytes.status().message());
  }
  return Value(*std::move(bytes));
}

Result<Value> ReadBytes(const Place& place, WireForm form) {
  if (form == WireForm::kMessagePack) {
    if (place.kind() != Kind::kBytes) {
      return place.FailKind("bytes");
    }
    return Value(place.document().text);
  }
  if (place.kind() != Kind::kString) {
    return place.FailKind("bytes as base64");
  }
  auto bytes = DecodeBase64(place.document().text);
  if (!bytes.ok()) {
    return place.Fail(bytes.status().message());
  }
  return Value(*std::move(bytes));
}

Result<Value> ReadUuid(const Place& place) {
  Uuid uuid{};
  const std::string& text = place.document().text;
  if (place.kind() == Kind::kBytes && text.size() == uuid.size()) {
    std::copy(text.begin(), text.end(), uuid.begin());
    return Value(uuid);
  }
  if (place.kind() != Kind::kString || !ParseUuid(text, uuid)) {
    return place.FailKind("a uuid like 00112233-4455-6677-8899-aabbccddeeff");
  }
  return Value(uuid);
}

Result<Value> ReadFieldType(const Place& place) {
  if (place.kind() != Kind::kString) {
    ASSIGN_OR_RETURN(uint64_t const code, place.Unsigned(UINT8_MAX));
    return Value(code);
  }
  auto const type = FieldTypeFromName(place.document().text);
  if (!type) {
    return place.Fail(
        StrCat("found '", place.document().text.substr(0, 40), "', expected the name of a type"));
  }
  return Value(uint64_t{FieldTypeCode(*type)});
}

Result<Value> ReadKind(FieldType type, const Place& place, WireForm form) {
  switch (TraitsOf(type).kind) {
    case ValueKind::kBool: {
      ASSIGN_OR_RETURN(bool const value, place.Bool());
      return Value(value);
    }
    case ValueKind::kSigned: {
      ASSIGN_OR_RETURN(int64_t const value, ReadInteger<int64_t>(place, FieldTypeName(type)));
      return Value(value);
    }
    case ValueKind::kUnsigned: {
      if (type == FieldType::kFieldType) {
        return ReadFieldType(place);
      }
      ASSIGN_OR_RETURN(uint64_t const value, ReadInteger<uint64_t>(place, FieldTypeName(type)));
      return Value(value);
    }
    case ValueKind::kFloat: {
      ASSIGN_OR_RETURN(float const value, ReadFloat<float>(place, type));
      return Value(value);
    }
    case ValueKind::kDouble: {
      ASSIGN_OR_RETURN(double const value, ReadFloat<double>(place, type));
      return Value(value);
    }
    case ValueKind::kDecimal:
      return ReadDecimal(place);
    case ValueKind::kString:
      return type == FieldType::kText ? ReadText(place, form) : ReadBytes(place, form);
    case ValueKind::kUuid:
      return ReadUuid(place);
  }
  ASSERT(false);
  return Value();
}

}  // namespace

Document ValueToDocument(FieldType type, const Value& value, WireForm form) {
  if (IsNull(value)) {
    return {};
  }
  switch (TraitsOf(type).kind) {
    case ValueKind::kBool:
      return Document::Bool(std::get<bool>(value));
    case ValueKind::kSigned: {
      auto const number = std::get<int64_t>(value);
      uint64_t const magnitude =
          number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
      return IntegerDocument(Document::Signed(number), magnitude, StrCat(number), form);
    }
    case ValueKind::kUnsigned: {
      auto const number = std::get<uint64_t>(value);
      auto const code = type == FieldType::kFieldType ? FieldTypeFromCode(number) : std::nullopt;
      if (code) {
        return Document::String(std::string(FieldTypeName(*code)));
      }
      return IntegerDocument(Document::Unsigned(number), number, StrCat(number), form);
    }
    case ValueKind::kFloat:
      return FloatDocument(double{std::get<float>(value)}, false, form);
    case ValueKind::kDouble:
      return FloatDocument(std::get<double>(value), true, form);
    case ValueKind::kDecimal:
      return Document::String(std::get<Decimal>(value).ToText());
    case ValueKind::kString: {
      const auto& text = std::get<std::string>(value);
      if (type == FieldType::kText) {
        return TextDocument(text, form);
      }
      return form == WireForm::kMessagePack ? Document::Bytes(text)
                                            : Document::String(EncodeBase64(text));
    }
    case ValueKind::kUuid: {
      const auto& uuid = std::get<Uuid>(value);
      return form == WireForm::kMessagePack ? Document::Bytes(std::string(uuid.begin(), uuid.end()))
                                            : Document::String(UuidText(uuid));
    }
  }
  ASSERT(false);
  return {};
}

Result<Value> ValueFromDocument(FieldType type, const Place& place, WireForm form) {
  if (place.is_null()) {
    return Value();
  }
  ASSIGN_OR_RETURN(Value value, ReadKind(type, place, form));
  if (Status status = CheckValue(type, value); !status.ok()) {
    return place.Fail(status.message());
  }
  return value;
}

}  // namespace orochi::kv
