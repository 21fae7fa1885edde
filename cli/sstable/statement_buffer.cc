#include "cli/sstable/statement_buffer.h"

#include <utility>

namespace orochi::cli {

namespace {

constexpr char kDollars = '$';

}  // namespace

void StatementBuffer::AddLine(std::string_view line) {
  text_ += line;
  text_ += '\n';
}

// Moves scanned_ on to the next semicolon that ends a statement, or to the end.
void StatementBuffer::Scan() {
  while (scanned_ < text_.size()) {
    char const c = text_[scanned_];
    std::string_view const two = std::string_view(text_).substr(scanned_, 2);
    if (open_ == '*') {
      scanned_ += two == "*/" ? 2 : 1;
      open_ = two == "*/" ? '\0' : open_;
    } else if (open_ == kDollars) {
      scanned_ += two == "$$" ? 2 : 1;
      open_ = two == "$$" ? '\0' : open_;
    } else if (open_ != '\0') {
      open_ = c == open_ ? '\0' : open_;  // a doubled quote closes and opens again
      ++scanned_;
    } else if (two == "--" || two == "//") {
      size_t const end = text_.find('\n', scanned_);
      scanned_ = end == std::string::npos ? text_.size() : end;
    } else if (two == "/*") {
      open_ = '*';
      scanned_ += 2;
    } else if (c == ';') {
      return;
    } else {
      bool const is_dollars = two == "$$";
      open_ = is_dollars ? kDollars : (c == '\'' || c == '"') ? c : '\0';
      has_content_ = has_content_ || (c != ' ' && c != '\t' && c != '\n' && c != '\r');
      scanned_ += is_dollars ? 2 : 1;
    }
  }
}

std::optional<std::string> StatementBuffer::Take() {
  while (true) {
    Scan();
    if (scanned_ == text_.size()) {
      if (!has_content_ && open_ == '\0') {
        Clear();
      }
      return std::nullopt;
    }
    std::string statement = text_.substr(0, scanned_);
    text_.erase(0, scanned_ + 1);
    scanned_ = 0;
    if (std::exchange(has_content_, false)) {
      return statement;
    }
  }
}

std::string StatementBuffer::TakeRest() {
  Scan();
  std::string rest = has_content_ ? std::move(text_) : "";
  Clear();
  return rest;
}

bool StatementBuffer::empty() const {
  return text_.find_first_not_of(" \t\r\n") == std::string::npos;
}

void StatementBuffer::Clear() {
  text_.clear();
  scanned_ = 0;
  open_ = '\0';
  has_content_ = false;
}

}  // namespace orochi::cli
