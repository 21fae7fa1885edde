#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace orochi::sstable {

/// JSON text piece by piece, in the layout of sstabledump (two blanks a level, small objects on one
/// line) or without any blanks.
///
/// The text is in text(), which the user empties as it grows. REQUIRES: calls that make well-formed
/// JSON; a name before each value inside an object.
class JsonWriter {
 public:
  enum class Style : uint8_t { kPretty, kDense };
  explicit JsonWriter(Style style) : style_(style) {}

  std::string& text() { return text_; }

  /// `one_line`: this object or array and all in it stay on the line.
  void BeginObject(bool one_line = false) { Begin('{', one_line); }
  void EndObject() { End('}'); }
  void BeginArray(bool one_line = false) { Begin('[', one_line); }
  void EndArray() { End(']'); }
  /// `name` needs no escapes.
  void Name(std::string_view name);
  void String(std::string_view plain);  // needs no escapes
  /// Any text. kCorruption when it is not UTF-8.
  Status EscapedString(std::string_view text);
  void Number(int64_t value);
  void Boolean(bool value);
  /// JSON as it is, made by somebody else.
  void Raw(std::string_view json);

 private:
  struct Level {
    bool one_line = false;
    bool empty = true;
  };
  void Begin(char bracket, bool one_line);
  void End(char bracket);
  void BeforeValue();
  void Separate();
  void NewLine();

  Style style_;
  std::string text_;
  std::vector<Level> levels_;
  bool after_name_ = false;
};

}  // namespace orochi::sstable
