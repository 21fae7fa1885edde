#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orochi::cli {

/// Gathers lines until they make a statement: up to a semicolon that is in no quotes and no
/// comment.
///
/// Life: (AddLine -> Take*)*.    Threads: none.
class StatementBuffer {
 public:
  void AddLine(std::string_view line);
  /// The next whole statement without its semicolon; nothing when there is none yet. Statements of
  /// nothing but blanks and comments are passed over.
  std::optional<std::string> Take();
  /// What has no semicolon yet, and forgets it.
  std::string TakeRest();
  /// True when nothing is begun: the next line starts a statement.
  bool empty() const;
  /// What is still open: ' or " or * for a comment, nothing otherwise.
  char open() const { return open_; }
  void Clear();

 private:
  void Scan();

  std::string text_;
  size_t scanned_ = 0;  // bytes of text_ that open_ and has_content_ know of
  char open_ = 0;
  bool has_content_ = false;  // something but blanks and comments
};

}  // namespace orochi::cli
