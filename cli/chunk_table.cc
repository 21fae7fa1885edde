#include "cli/chunk_table.h"

#include <fmt/format.h>

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/text_table.h"

namespace orochi::cli {

namespace {

constexpr int kRowsShownMax = 16;
constexpr int kRowsShownEachEnd = 6;

/// "2024-01-01 00:00:00+00" is "2024-01-01" when all it adds is midnight.
std::string ShortTime(std::string_view text) {
  size_t const midnight = text.find(" 00:00:00");
  return std::string(text.substr(0, midnight));
}

}  // namespace

Status PrintChunkTable(const std::string& table, Connection& connection, const Terminal& terminal) {
  ASSIGN_OR_RETURN(
      QueryResult const chunks,
      // Bounds are text in the view; those of whole numbers sort as numbers.
      connection.Query("SELECT chunk::text, range_start, range_end, place, row_estimate, bytes"
                       " FROM orochi.chunks WHERE hypertable = $1::regclass ORDER BY"
                       " CASE WHEN range_start ~ '^-?[0-9]+$' THEN range_start::numeric END"
                       " NULLS FIRST, range_start",
                       {table}));
  TextTable text({{"chunk"},
                  {"from"},
                  {"to"},
                  {"place"},
                  {"rows", TextTable::Align::kRight},
                  {"size", TextTable::Align::kRight}});
  int64_t bytes_total = 0;
  int64_t rows_total = 0;
  for (int row = 0; row < chunks.row_count(); ++row) {
    bytes_total += chunks.Int(row, 5);
    rows_total += chunks.Int(row, 4);
  }
  int const count = chunks.row_count();
  bool const elide = count > kRowsShownMax;
  for (int row = 0; row < count; ++row) {
    if (elide && row == kRowsShownEachEnd) {
      int const hidden = count - 2 * kRowsShownEachEnd;
      text.AddAside({fmt::format("{} {} more", terminal.Choose("\u2026", "..."), hidden), "", "",
                     "", "", ""});
      row += hidden;
    }
    text.AddRow({std::string(chunks.Text(row, 0)), ShortTime(chunks.Text(row, 1)),
                 ShortTime(chunks.Text(row, 2)), std::string(chunks.Text(row, 3)),
                 chunks.IsNull(row, 4) ? "" : FormatCount(chunks.Int(row, 4)),
                 FormatBytes(static_cast<uint64_t>(chunks.Int(row, 5)))});
  }
  text.AddAside({FormatQuantity(count, "chunk"), "", "", "", FormatCount(rows_total),
                 FormatBytes(static_cast<uint64_t>(bytes_total))});
  text.Print(terminal);
  return Status::Ok();
}

}  // namespace orochi::cli
