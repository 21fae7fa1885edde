#pragma once

#include <string>
#include <string_view>

namespace orochi::cli {

/// Builds rows in PostgreSQL's COPY text format: values separated by tabs, \N for NULL, a line feed
/// after each row. Every record takes exactly one line, so that the server's line numbers count
/// records.
class CopyTextWriter {
 public:
  void AddNull() {
    Separate();
    out_ += "\\N";
  }
  void AddValue(std::string_view text);
  void EndRow() {
    out_.push_back('\n');
    at_row_start_ = true;
  }

  std::string_view text() const { return out_; }
  void Clear() { out_.clear(); }

 private:
  void Separate() {
    if (!at_row_start_) {
      out_.push_back('\t');
    }
    at_row_start_ = false;
  }

  std::string out_;
  bool at_row_start_ = true;
};

}  // namespace orochi::cli
