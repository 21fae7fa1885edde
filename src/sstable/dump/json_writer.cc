#include "sstable/dump/json_writer.h"

#include "base/str_cat.h"
#include "sstable/types/scalar_text.h"

namespace orochi::sstable {

void JsonWriter::NewLine() {
  if (style_ == Style::kDense) {
    return;
  }
  if (!levels_.empty() && levels_.back().one_line) {
    text_ += ' ';
    return;
  }
  text_ += '\n';
  text_.append(2 * levels_.size(), ' ');
}

/// What stands between the last thing of this level and the next.
void JsonWriter::Separate() {
  if (levels_.empty()) {
    return;
  }
  if (!levels_.back().empty) {
    text_ += ',';
  }
  levels_.back().empty = false;
  NewLine();
}

void JsonWriter::BeforeValue() {
  if (after_name_) {
    after_name_ = false;
  } else {
    Separate();
  }
}

void JsonWriter::Begin(char bracket, bool one_line) {
  BeforeValue();
  text_ += bracket;
  levels_.push_back({.one_line = one_line || (!levels_.empty() && levels_.back().one_line)});
}

void JsonWriter::End(char bracket) {
  Level const level = levels_.back();
  if (level.one_line && !level.empty) {
    NewLine();  // a blank
    levels_.pop_back();
  } else {
    levels_.pop_back();
    if (level.empty && style_ == Style::kPretty) {
      text_ += ' ';
    } else if (!level.empty) {
      NewLine();
    }
  }
  text_ += bracket;
}

void JsonWriter::Name(std::string_view name) {
  Separate();
  text_ += '"';
  text_ += name;
  text_ += style_ == Style::kPretty ? "\" : " : "\":";
  after_name_ = true;
}

void JsonWriter::String(std::string_view plain) {
  BeforeValue();
  text_ += '"';
  text_ += plain;
  text_ += '"';
}

Status JsonWriter::EscapedString(std::string_view text) {
  BeforeValue();
  return AppendJsonString(text, text_);
}

void JsonWriter::Number(int64_t value) {
  BeforeValue();
  text_ += StrCat(value);
}

void JsonWriter::Boolean(bool value) {
  BeforeValue();
  text_ += value ? "true" : "false";
}

void JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  text_ += json;
}

}  // namespace orochi::sstable
