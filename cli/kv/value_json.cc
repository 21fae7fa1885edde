#include "cli/kv/value_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/str_cat.h"

namespace orochi::cli {

using kv::client::Bytes;
using kv::client::FieldDefinition;
using kv::client::Object;
using kv::client::SchemaDefinition;
using kv::client::Value;

namespace {

std::string UuidText(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (size_t index = 0; index < bytes.size(); ++index) {
    auto const byte = static_cast<uint8_t>(bytes[index]);
    text += index == 4 || index == 6 || index == 8 || index == 10 ? "-" : "";
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

Value PresentableField(const FieldDefinition& field, const Value& value) {
  if (value.AsBytes() == nullptr || value.AsText() != nullptr) {
    return value;
  }
  const std::string& bytes = *value.AsBytes();
  if (field.type == "uuid" && bytes.size() == 16) {
    return UuidText(bytes);
  }
  std::string text = Base64Of(bytes);
  if (field.type == "text") {
    return Object{{"base64", std::move(text)}};
  }
  return text;
}

std::string DoubleText(double number) {
  if (std::isnan(number)) {
    return "\"NaN\"";
  }
  if (std::isinf(number)) {
    return number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
  return number == 0 && std::signbit(number) ? "-0.0" : StrCat(number);
}

}  // namespace

std::string JsonString(std::string_view text) {
  using Handler = nlohmann::json::error_handler_t;
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, Handler::replace);
}

std::string Base64Of(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    size_t const count = std::min<size_t>(3, bytes.size() - at);
    uint32_t three = 0;
    for (size_t index = 0; index < 3; ++index) {
      three = three << 8 | (index < count ? static_cast<uint8_t>(bytes[at + index]) : 0U);
    }
    for (size_t index = 0; index < 4; ++index) {
      text += index <= count ? kLetters[three >> (18 - 6 * index) & 63] : '=';
    }
  }
  return text;
}

std::string JsonOf(const Value& value) {
  if (value.is_null()) {
    return "null";
  }
  if (const bool* const flag = value.AsBool()) {
    return *flag ? "true" : "false";
  }
  if (auto const number = value.AsInt64()) {
    return StrCat(*number);
  }
  if (auto const number = value.AsUint64()) {
    return StrCat(*number);
  }
  if (auto const number = value.AsDouble()) {
    return DoubleText(*number);
  }
  if (const std::string* const text = value.AsText()) {
    return JsonString(*text);
  }
  if (const std::string* const bytes = value.AsBytes()) {
    return StrCat("\"", Base64Of(*bytes), "\"");
  }
  std::string out;
  if (const Value::Array* const items = value.AsArray()) {
    for (const Value& item : *items) {
      out += StrCat(out.empty() ? "" : ",", JsonOf(item));
    }
    return StrCat("[", out, "]");
  }
  for (const auto& [name, member] : *value.AsObject()) {
    out += StrCat(out.empty() ? "" : ",", JsonString(name), ":", JsonOf(member));
  }
  return StrCat("{", out, "}");
}

Status CheckJson(std::string_view text, std::string_view name) {
  try {
    nlohmann::json const parsed = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    size_t const at = std::min<size_t>(error.byte, text.size());
    auto const line = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n') + 1;
    return Status::InvalidArgument(
        StrCat(name, ": no JSON, in line ", line, ", at byte ", error.byte));
  }
  return Status::Ok();
}

char FirstOfJson(std::string_view text) {
  size_t const at = text.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? '\0' : text[at];
}

bool JsonObjectHas(std::string_view text, std::string_view name) {
  auto const parsed = nlohmann::json::parse(text, nullptr, false);
  return parsed.is_object() && parsed.contains(std::string(name));
}

Value Presentable(const SchemaDefinition& schema, const Value& record) {
  if (record.AsObject() == nullptr) {
    return record;
  }
  Object presentable;
  for (const auto& [name, value] : *record.AsObject()) {
    const FieldDefinition* const field = schema.FindField(name);
    presentable.emplace_back(name, field != nullptr ? PresentableField(*field, value) : value);
  }
  return presentable;
}

std::string CellOf(const Value& value) {
  if (value.is_null()) {
    return "null";
  }
  const std::string* const text = value.AsText();
  if (text == nullptr) {
    return JsonOf(value);
  }
  bool const is_plain = text->find_first_of("\n\r\t\x1b") == std::string::npos;
  return is_plain ? *text : JsonString(*text);
}

}  // namespace orochi::cli
