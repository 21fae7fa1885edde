#include "cli/kv/record_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/str_cat.h"
#include "cli/kv/value_json.h"

namespace orochi::cli {

using kv::client::FieldDefinition;
using kv::client::SchemaDefinition;
using kv::client::Target;

namespace {

std::string FieldNames(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += StrCat(text.empty() ? "" : ", ", name);
  }
  return text;
}

std::string AllFields(const SchemaDefinition& schema) {
  std::vector<std::string> names;
  for (const FieldDefinition& field : schema.fields) {
    names.push_back(StrCat(field.name, " ", field.type));
  }
  return FieldNames(names);
}

Result<std::string> AssignedJson(const FieldDefinition& field, const Assignment& assignment) {
  if (!assignment.is_json) {
    return FieldJson(field, assignment.text);
  }
  RETURN_IF_ERROR(CheckJson(assignment.text, field.name));
  return assignment.text;
}

}  // namespace

Result<Target> ParseTarget(const std::string& text) {
  size_t const slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    return Status::InvalidArgument(
        StrCat("--in '", text, "': expected COLLECTION/SCHEMA, as in shop/item"));
  }
  Target target{.collection = text.substr(0, slash), .schema = text.substr(slash + 1)};
  size_t const at = target.schema.rfind('@');
  if (at != std::string::npos) {
    std::string const version = target.schema.substr(at + 1);
    uint32_t number = 0;
    auto const parsed = std::from_chars(version.data(), version.data() + version.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != version.data() + version.size()) {
      return Status::InvalidArgument(
          StrCat("--in '", text, "': expected the number of a version after @"));
    }
    target.version = number;
    target.schema.resize(at);
  }
  return target;
}

Result<std::string> FieldJson(const FieldDefinition& field, const std::string& text) {
  if (field.type == "bool") {
    if (text != "true" && text != "false") {
      return Status::InvalidArgument(
          StrCat("field ", field.name, ": found '", text, "', expected true or false"));
    }
    return text;
  }
  if (field.type == "float" || field.type == "double") {
    if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
      return JsonString(text);
    }
    double number = 0;
    auto const parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
        !std::isfinite(number)) {
      return Status::InvalidArgument(
          StrCat("field ", field.name, ": found '", text, "', expected a number"));
    }
    return StrCat(number);
  }
  // Of all other types nodes take text: digits of integers, decimals, base64 of bytes.
  return JsonString(text);
}

Assignment ParseAssignment(const std::string& argument, const SchemaDefinition& schema) {
  size_t const equals = argument.find('=');
  if (equals == std::string::npos || equals == 0) {
    return {.text = argument};
  }
  bool const is_json = argument[equals - 1] == ':';
  std::string name = argument.substr(0, is_json ? equals - 1 : equals);
  if (schema.FindField(name) == nullptr) {
    return {.text = argument};
  }
  return {.name = std::move(name), .text = argument.substr(equals + 1), .is_json = is_json};
}

Result<std::string> KeyJson(const SchemaDefinition& schema,
                            const std::vector<std::string>& arguments) {
  std::vector<std::string> const keys = schema.KeyFields();
  auto const refuse = [&] {
    return Status::InvalidArgument(StrCat("found ", arguments.size(), " values, the key of ",
                                          schema.name, " has ", keys.size(), ": ",
                                          FieldNames(keys)))
        .WithHint("give them in this order, or as NAME=VALUE");
  };
  if (arguments.size() != keys.size()) {
    return refuse();
  }
  std::string out;
  std::vector<std::string> given;
  for (size_t index = 0; index < arguments.size(); ++index) {
    Assignment assignment = ParseAssignment(arguments[index], schema);
    if (assignment.name.empty()) {
      assignment.name = keys[index];
    }
    bool const is_key = std::find(keys.begin(), keys.end(), assignment.name) != keys.end();
    if (!is_key || std::find(given.begin(), given.end(), assignment.name) != given.end()) {
      return refuse();
    }
    given.push_back(assignment.name);
    ASSIGN_OR_RETURN(std::string const json,
                     AssignedJson(*schema.FindField(assignment.name), assignment));
    out += StrCat(out.empty() ? "" : ",", JsonString(assignment.name), ":", json);
  }
  return StrCat("{", out, "}");
}

Result<std::string> KeyValuesJson(const SchemaDefinition& schema,
                                  const std::vector<std::string>& arguments) {
  std::vector<std::string> const keys = schema.KeyFields();
  if (arguments.size() > keys.size()) {
    return Status::InvalidArgument(StrCat("found ", arguments.size(), " values, the key of ",
                                          schema.name, " has ", keys.size(), ": ",
                                          FieldNames(keys)));
  }
  std::string out;
  for (size_t index = 0; index < arguments.size(); ++index) {
    Assignment const assignment = ParseAssignment(arguments[index], schema);
    if (!assignment.name.empty() && assignment.name != keys[index]) {
      return Status::InvalidArgument(StrCat("found '", arguments[index], "', expected a value of ",
                                            keys[index], ": the first fields of the key"));
    }
    ASSIGN_OR_RETURN(std::string const json,
                     AssignedJson(*schema.FindField(keys[index]), assignment));
    out += StrCat(index == 0 ? "" : ",", json);
  }
  return StrCat("[", out, "]");
}

Result<std::string> RecordJson(const SchemaDefinition& schema,
                               const std::vector<std::string>& arguments, bool only_given) {
  std::vector<std::string> values(schema.fields.size());
  for (const std::string& argument : arguments) {
    Assignment const assignment = ParseAssignment(argument, schema);
    if (assignment.name.empty()) {
      return Status::InvalidArgument(StrCat("found '", argument,
                                            "', expected FIELD=VALUE with a field of ", schema.name,
                                            ": ", AllFields(schema)));
    }
    const FieldDefinition& field = *schema.FindField(assignment.name);
    std::string& value = values[static_cast<size_t>(&field - schema.fields.data())];
    if (!value.empty()) {
      return Status::InvalidArgument(StrCat("field ", field.name, " is given twice"));
    }
    ASSIGN_OR_RETURN(value, AssignedJson(field, assignment));
  }
  std::string out;
  for (size_t index = 0; index < values.size(); ++index) {
    if (values[index].empty() && only_given) {
      continue;
    }
    out += StrCat(out.empty() ? "" : ",", JsonString(schema.fields[index].name), ":",
                  values[index].empty() ? "null" : values[index]);
  }
  return StrCat("{", out, "}");
}

std::string TargetMembers(const Target& target) {
  return StrCat("\"collection\":", JsonString(target.collection),
                ",\"schema\":", JsonString(target.schema),
                target.version ? StrCat(",\"version\":", *target.version) : std::string());
}

}  // namespace orochi::cli
