#include "sstable/change/json_value.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/str_cat.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

namespace orochi::sstable {

namespace {

using Kind = JsonValue::Kind;
using Value = std::optional<std::string>;
constexpr size_t kNestingMax = 64;

/// Builds a JsonValue from the parser's events. Numbers too large for the machine arrive as floats
/// with their text.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Add({}); }
  bool boolean(bool value) override {
    return Add(
        {.kind = Kind::kBoolean, .text = value ? "true" : "false", .items = {}, .names = {}});
  }
  bool number_integer(number_integer_t value) override { return Number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return Number(text); }
  bool string(string_t& text) override {
    return Add({.kind = Kind::kString, .text = std::move(text), .items = {}, .names = {}});
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(Kind::kObject); }
  bool key(string_t& name) override {
    open_.back().names.push_back(std::move(name));
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(Kind::kArray); }
  bool end_array() override { return Close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    error_ = StrCat("character ", position, ": this is no JSON");
    return false;
  }

  const std::string& error() const { return error_; }
  JsonValue& root() { return root_; }

 private:
  bool Number(std::string text) {
    return Add({.kind = Kind::kNumber, .text = std::move(text), .items = {}, .names = {}});
  }
  bool Add(JsonValue value) {
    (open_.empty() ? root_ : open_.back().items.emplace_back()) = std::move(value);
    return true;
  }
  bool Open(Kind kind) {
    if (open_.size() == kNestingMax) {
      error_ = StrCat("JSON is nested more than ", kNestingMax, " deep");
      return false;
    }
    open_.push_back({.kind = kind, .text = {}, .items = {}, .names = {}});
    return true;
  }
  bool Close() {
    JsonValue value = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(value));
  }

  JsonValue root_;
  std::vector<JsonValue> open_;
  std::string error_;
};

std::string_view KindName(Kind kind) {
  constexpr std::string_view kNames[] = {"null",     "a boolean", "a number",
                                         "a string", "a list",    "a map"};
  return kNames[static_cast<size_t>(kind)];
}

Status Mismatch(const Type& type, const JsonValue& json) {
  bool const shown = json.kind != Kind::kArray && json.kind != Kind::kObject;
  return Status::InvalidArgument(StrCat("Expected a value of type ", CqlName(type), ", but got ",
                                        KindName(json.kind), shown ? ": " : "",
                                        std::string_view(json.text).substr(0, 100)));
}

bool IsWhole(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

/// Which numbers and booleans a type takes as such; all take strings.
bool Takes(TypeKind type, const JsonValue& json) {
  switch (type) {
    case TypeKind::kBoolean:
      return json.kind == Kind::kBoolean;
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kVarint:
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      return json.kind == Kind::kNumber && IsWhole(json.text);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return json.kind == Kind::kNumber;
    default:
      return false;
  }
}

Result<Value> ScalarFromJson(const Type& type, const JsonValue& json) {
  if (json.kind != Kind::kString && !Takes(type.kind, json)) {
    return Mismatch(type, json);
  }
  std::string_view text = json.text;
  if (type.kind == TypeKind::kBlob || type.kind == TypeKind::kCustom) {
    if (!text.starts_with("0x") && !text.starts_with("0X")) {
      return Status::InvalidArgument("Value is not a valid blob: expected 0x and hex digits");
    }
    text.remove_prefix(2);
  }
  ASSIGN_OR_RETURN(std::string value, ParseScalar(type, text));
  return Value(std::move(value));
}

Result<std::string> ElementFromJson(const Type& type, const JsonValue& json) {
  ASSIGN_OR_RETURN(Value value, ValueFromJson(type, json));
  if (!value.has_value()) {
    return Status::InvalidArgument("Invalid null element in a collection");
  }
  return *std::move(value);
}

Result<Value> MapFromJson(const Type& type, const JsonValue& json) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (size_t index = 0; index < json.items.size(); ++index) {
    JsonValue const name = {
        .kind = Kind::kString, .text = json.names[index], .items = {}, .names = {}};
    ASSIGN_OR_RETURN(std::string key, ElementFromJson(type.element(), name));
    ASSIGN_OR_RETURN(std::string value, ElementFromJson(type.map_value(), json.items[index]));
    entries.emplace_back(std::move(key), std::move(value));
  }
  return Value(BuildMap(type, std::move(entries)));
}

Result<Value> UserTypeFromJson(const Type& type, const JsonValue& json) {
  std::vector<Value> fields(type.parameters.size());
  for (size_t index = 0; index < json.items.size(); ++index) {
    auto const field = std::find(type.field_names.begin(), type.field_names.end(),
                                 ColumnFromJsonName(json.names[index]));
    if (field == type.field_names.end()) {
      return Status::InvalidArgument(
          StrCat("Found unexpected field '", json.names[index], "' for type ", type.name));
    }
    auto const at = static_cast<size_t>(field - type.field_names.begin());
    ASSIGN_OR_RETURN(fields[at], ValueFromJson(*type.parameters[at], json.items[index]));
  }
  return Value(BuildTuple(fields));
}

Result<Value> TupleFromJson(const Type& type, const JsonValue& json) {
  if (json.items.size() > type.parameters.size()) {
    return Status::InvalidArgument(StrCat("Tuple contains extra items (expected ",
                                          type.parameters.size(), ", got ", json.items.size(),
                                          ")"));
  }
  std::vector<Value> fields;
  for (size_t index = 0; index < json.items.size(); ++index) {
    ASSIGN_OR_RETURN(Value field, ValueFromJson(*type.parameters[index], json.items[index]));
    fields.push_back(std::move(field));
  }
  return Value(BuildTuple(fields));
}

Result<Value> ListFromJson(const Type& type, const JsonValue& json) {
  std::vector<std::string> elements;
  for (const JsonValue& item : json.items) {
    ASSIGN_OR_RETURN(std::string element, ElementFromJson(type.element(), item));
    elements.push_back(std::move(element));
  }
  if (type.kind == TypeKind::kVector) {
    ASSIGN_OR_RETURN(std::string value, BuildVector(type, elements));
    return Value(std::move(value));
  }
  return Value(type.kind == TypeKind::kSet ? BuildSet(type, std::move(elements))
                                           : BuildList(elements));
}

}  // namespace

Result<JsonValue> ParseJson(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return Status::InvalidArgument(builder.error());
  }
  return std::move(builder.root());
}

Result<Value> ValueFromJson(const Type& type, const JsonValue& json) {
  if (json.kind == Kind::kNull) {
    return Value();
  }
  bool const is_object = type.kind == TypeKind::kMap || type.kind == TypeKind::kUdt;
  bool const is_list =
      type.is_collection() || type.kind == TypeKind::kTuple || type.kind == TypeKind::kVector;
  if (!is_object && !is_list) {
    return ScalarFromJson(type, json);
  }
  if (json.kind == Kind::kString) {  // JSON in a string, as in the keys of maps
    ASSIGN_OR_RETURN(JsonValue const inner, ParseJson(json.text));
    return inner.kind == Kind::kString ? Result<Value>(Mismatch(type, inner))
                                       : ValueFromJson(type, inner);
  }
  if (json.kind != (is_object ? Kind::kObject : Kind::kArray)) {
    return Mismatch(type, json);
  }
  switch (type.kind) {
    case TypeKind::kMap:
      return MapFromJson(type, json);
    case TypeKind::kUdt:
      return UserTypeFromJson(type, json);
    case TypeKind::kTuple:
      return TupleFromJson(type, json);
    default:
      return ListFromJson(type, json);
  }
}

std::string ColumnFromJsonName(std::string_view name) {
  if (name.size() > 2 && name.starts_with('"') && name.ends_with('"')) {
    return std::string(name.substr(1, name.size() - 2));
  }
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace orochi::sstable
