#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// JSON as it is written. Numbers keep their digits.
struct JsonValue {
  enum class Kind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;                // true or false, the number, the string
  std::vector<JsonValue> items;    // of arrays, and the values of objects
  std::vector<std::string> names;  // of objects
};

/// One JSON text. kInvalidArgument says at which character it is none, or is nested too deeply.
Result<JsonValue> ParseJson(std::string_view text);

/// `json` as bytes of `type`, by the rules of INSERT JSON: nullopt is null, strings may stand for
/// any value, the keys of objects for those of a map or the fields of a user type.
/// kInvalidArgument says what was expected.
Result<std::optional<std::string>> ValueFromJson(const Type& type, const JsonValue& json);

/// The column that a JSON name means: itself without the quotes inside it, otherwise in lower case.
std::string ColumnFromJsonName(std::string_view name);

}  // namespace orochi::sstable
