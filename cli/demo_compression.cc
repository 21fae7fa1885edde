#include "cli/demo_compression.h"

#include <fmt/format.h>

#include <chrono>
#include <vector>

#include "cli/number_format.h"
#include "cli/progress.h"
#include "cli/text_table.h"

namespace orochi::cli {

namespace {

double SecondsSince(std::chrono::steady_clock::time_point started) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

/// Bytes of one chunk, or of several.
struct ChunkSize {
  int64_t table_bytes = 0;
  int64_t index_bytes = 0;

  void Add(const ChunkSize& other) {
    table_bytes += other.table_bytes;
    index_bytes += other.index_bytes;
  }
};

struct DemoChunk {
  std::string name;
  ChunkSize size;
  int64_t row_count = 0;
};

Result<std::vector<DemoChunk>> AllButTheNewest(const std::string& table, Connection& connection) {
  ASSIGN_OR_RETURN(QueryResult const found,
                   connection.Query("SELECT chunk::text, pg_table_size(chunk),"
                                    " pg_indexes_size(chunk), k.reltuples::bigint"
                                    " FROM orochi.chunks JOIN pg_class k ON k.oid = chunk"
                                    " WHERE hypertable = $1::regclass ORDER BY range_start",
                                    {table}));
  std::vector<DemoChunk> chunks;
  for (int row = 0; row + 1 < found.row_count(); ++row) {
    chunks.push_back({.name = std::string(found.Text(row, 0)),
                      .size = {.table_bytes = found.Int(row, 1), .index_bytes = found.Int(row, 2)},
                      .row_count = found.Int(row, 3)});
  }
  return chunks;
}

Result<ChunkSize> CompressChunk(const std::string& chunk, Connection& connection) {
  RETURN_IF_ERROR(connection.Query("SELECT orochi.compress_chunk($1::regclass)", {chunk}).status());
  ASSIGN_OR_RETURN(
      QueryResult const size,
      connection.Query("SELECT pg_table_size($1::regclass), pg_indexes_size($1::regclass)",
                       {chunk}));
  return ChunkSize{.table_bytes = size.Int(0, 0), .index_bytes = size.Int(0, 1)};
}

std::vector<std::string> SizeCells(std::string name, int64_t heap_bytes, int64_t columnar_bytes,
                                   std::string took) {
  return {std::move(name), FormatBytes(static_cast<uint64_t>(heap_bytes)),
          FormatBytes(static_cast<uint64_t>(columnar_bytes)),
          FormatRatio(static_cast<double>(heap_bytes) / static_cast<double>(columnar_bytes)),
          std::move(took)};
}

}  // namespace

Status CompressAllButTheNewest(const std::string& table, Connection& connection,
                               const Terminal& terminal) {
  ASSIGN_OR_RETURN(std::vector<DemoChunk> const chunks, AllButTheNewest(table, connection));
  if (chunks.empty()) {
    terminal.Line("There is only one chunk, and it is the newest.");
    return Status::Ok();
  }
  TextTable text({{"chunk"},
                  {"heap", TextTable::Align::kRight},
                  {"columnar", TextTable::Align::kRight},
                  {"ratio", TextTable::Align::kRight},
                  {"took", TextTable::Align::kRight}});
  constexpr size_t kRowsShownMax = 6;
  ChunkSize heap;
  for (const DemoChunk& chunk : chunks) {
    heap.Add(chunk.size);
  }
  ChunkSize columnar;
  ChunkSize heap_done;
  int64_t rows_done = 0;
  auto const started = std::chrono::steady_clock::now();
  Progress progress("compressing", static_cast<uint64_t>(heap.table_bytes));
  for (size_t index = 0; index < chunks.size(); ++index) {
    const DemoChunk& chunk = chunks[index];
    auto const chunk_started = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(ChunkSize const after, CompressChunk(chunk.name, connection));
    columnar.Add(after);
    heap_done.Add(chunk.size);
    rows_done += chunk.row_count;
    if (index < kRowsShownMax || chunks.size() <= kRowsShownMax + 1) {
      text.AddRow(SizeCells(chunk.name, chunk.size.table_bytes, after.table_bytes,
                            FormatDuration(SecondsSince(chunk_started))));
    }
    progress.Update(rows_done, static_cast<uint64_t>(heap_done.table_bytes));
  }
  progress.Finish();
  if (chunks.size() > kRowsShownMax + 1) {
    text.AddAside(
        {fmt::format("{} {} more", terminal.Choose("\u2026", "..."), chunks.size() - kRowsShownMax),
         "", "", "", ""});
  }
  text.AddRow(SizeCells(fmt::format("all {}", chunks.size()), heap.table_bytes,
                        columnar.table_bytes, FormatDuration(SecondsSince(started))));
  text.AddRow(SizeCells("with indexes", heap.table_bytes + heap.index_bytes,
                        columnar.table_bytes + columnar.index_bytes, ""));
  text.Print(terminal);
  terminal.Line(
      terminal.Paint(Ink::kDim, "Rows are compressed; the index on (host, time) is not."));
  return Status::Ok();
}

}  // namespace orochi::cli
