#include "cli/text_table.h"

#include <algorithm>
#include <numeric>

#include "base/assert.h"

namespace orochi::cli {

namespace {

constexpr int kGapWidth = 2;
constexpr int kShortenedWidthMin = 8;

std::string Pad(std::string_view text, int width, TextTable::Align align) {
  std::string const space(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
  return align == TextTable::Align::kLeft ? std::string(text) + space : space + std::string(text);
}

std::string WithoutTrailingSpaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

void TextTable::AddRow(std::vector<std::string> cells) {
  ASSERT(cells.size() == columns_.size());
  rows_.push_back({std::move(cells), false});
}

void TextTable::AddAside(std::vector<std::string> cells) {
  ASSERT(cells.size() == columns_.size());
  rows_.push_back({std::move(cells), true});
}

std::vector<int> TextTable::ColumnWidths(int width_max) const {
  std::vector<int> widths;
  for (size_t column = 0; column < columns_.size(); ++column) {
    int width = DisplayWidth(columns_[column].title);
    for (const Row& row : rows_) {
      width = std::max(width, DisplayWidth(row.cells[column]));
    }
    widths.push_back(width);
  }
  int const gaps = kGapWidth * (static_cast<int>(columns_.size()) - 1);
  int excess = std::accumulate(widths.begin(), widths.end(), gaps) - width_max;
  while (excess > 0) {
    size_t widest = columns_.size();
    for (size_t column = 0; column < columns_.size(); ++column) {
      bool const can_shrink =
          columns_[column].align == Align::kLeft && widths[column] > kShortenedWidthMin;
      if (can_shrink && (widest == columns_.size() || widths[column] > widths[widest])) {
        widest = column;
      }
    }
    if (widest == columns_.size()) {
      break;  // only numbers are left: a long line is better than a wrong number
    }
    --widths[widest];
    --excess;
  }
  return widths;
}

std::vector<std::string> TextTable::Render(const Terminal& terminal) const {
  std::vector<int> const widths = ColumnWidths(terminal.width());
  auto const render_cells = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t column = 0; column < columns_.size(); ++column) {
      line += column == 0 ? "" : std::string(kGapWidth, ' ');
      line += Pad(Shorten(cells[column], widths[column], terminal.unicode()), widths[column],
                  columns_[column].align);
    }
    return WithoutTrailingSpaces(std::move(line));
  };
  std::vector<std::string> titles;
  std::vector<std::string> rules;
  for (size_t column = 0; column < columns_.size(); ++column) {
    titles.push_back(columns_[column].title);
    std::string rule;
    for (int i = 0; i < widths[column]; ++i) {
      rule += terminal.Choose("\u2500", "-");
    }
    rules.push_back(std::move(rule));
  }
  std::vector<std::string> lines;
  lines.push_back(terminal.Paint(Ink::kBold, render_cells(titles)));
  lines.push_back(terminal.Paint(Ink::kDim, render_cells(rules)));
  for (const Row& row : rows_) {
    lines.push_back(terminal.Paint(row.aside ? Ink::kDim : Ink::kPlain, render_cells(row.cells)));
  }
  return lines;
}

void TextTable::Print(const Terminal& terminal) const {
  for (const std::string& line : Render(terminal)) {
    terminal.Line(line);
  }
}

}  // namespace orochi::cli
