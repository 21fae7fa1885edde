#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace orochi::cli {

/// Rows and columns aligned for reading: a header, a rule, the rows, two spaces between columns.
/// When the table is wider than the terminal its widest left-aligned column is shortened.
class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// REQUIRES: one cell per column, in UTF-8, without line breaks.
  void AddRow(std::vector<std::string> cells);
  /// A row that stands for others: shown dim.
  void AddAside(std::vector<std::string> cells);

  /// The lines to print, each without its line break.
  std::vector<std::string> Render(const Terminal& terminal) const;
  void Print(const Terminal& terminal) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool aside = false;
  };
  std::vector<int> ColumnWidths(int width_max) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace orochi::cli
