#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/sstable/result_writer.h"
#include "cli/sstable/shell_tables.h"

namespace orochi::cli {

/// What one run of the shell remembers, and what its statements and commands do.
///
/// Threads: none.    Borrows: the tables.
class ShellSession {
 public:
  struct Settings {
    ResultFormat format = ResultFormat::kTable;
    int64_t now_s = 0;  // 0: the clock's
    bool timing = false;
    bool pager = true;  // where standard output is a terminal
  };

  ShellSession(ShellTables& tables, const Settings& settings)
      : tables_(tables), settings_(settings) {}

  /// A CQL statement, or one of cqlsh's words (DESCRIBE, EXPAND, SOURCE, ...), without its
  /// semicolon. While it runs Ctrl-C ends it with kCancelled.
  Status RunStatement(std::string_view statement);
  /// A line that begins with a backslash.
  Status RunCommand(std::string_view line);
  /// True for lines that are whole without a semicolon: commands, and help, exit and quit.
  static bool IsCommand(std::string_view line);

  bool ended() const { return ended_; }

 private:
  Status RunWords(std::string_view words, bool& known);
  Status RunSelect(std::string_view statement);
  Status RunFile(const std::string& path);
  Status DescribeAll();
  Status DescribeOne(std::string_view name);
  Status SetFormat(std::string_view name);
  Status SetNow(std::string_view text);
  Status Switch(std::string_view text, bool& setting, std::string_view name);
  Status SwitchExpand(std::string_view text);

  ShellTables& tables_;
  Settings settings_;
  ResultFormat format_before_expand_ = ResultFormat::kTable;
  bool ended_ = false;
  int depth_ = 0;  // of \i in files of \i
};

}  // namespace orochi::cli
