#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "codec/compression.h"
#include "columnar/cell_shortcut.h"
#include "columnar/column.h"
#include "columnar/encoding.h"
#include "columnar/statistics.h"
#include "io/file.h"

namespace orochi::columnar {

/// What the footer says of one column over one row group.
struct ChunkInfo {
  uint64_t offset_bytes = 0;  // from the start of the stripe
  uint64_t size_bytes = 0;    // as stored
  Encoding encoding = Encoding::kPlain;
  codec::Compression compression = codec::Compression::kNone;
  uint32_t row_count = 0;
  uint32_t null_count = 0;
  ChunkStatistics statistics;
};

/// Scratch space of reads. Whoever reads several stripes, one at a time, lets them share one.
class ReadScratch {
 public:
  ReadScratch();
  ~ReadScratch();
  ReadScratch(const ReadScratch&) = delete;
  ReadScratch& operator=(const ReadScratch&) = delete;

  size_t memory_bytes() const;

 private:
  friend class StripeReader;
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

/// Reads one stripe through its footer. Survives any bytes: kCorruption names stripe offset,
/// column and row group.
///
/// Threads: none. Borrows: `file` and `scratch`, which outlive the reader.
/// Memory: the decoded footer, and one chunk's stored bytes at a time in the scratch space.
class StripeReader {
 public:
  struct Location {
    uint64_t offset_bytes = 0;  // of the stripe in the file
    uint64_t size_bytes = 0;
    uint32_t footer_size_bytes = 0;
  };

  /// Reads and checks the footer. Without `scratch` the reader has its own.
  static Result<StripeReader> Open(const io::RandomAccessFile& file, const Location& location,
                                   ReadScratch* scratch = nullptr);

  StripeReader(StripeReader&&) noexcept;
  StripeReader& operator=(StripeReader&&) noexcept;
  ~StripeReader();

  const Schema& schema() const;
  uint32_t row_count() const;
  uint32_t row_group_count() const;
  uint32_t row_group_rows(uint32_t row_group) const;
  /// Index in the stripe of the row group's first row.
  uint32_t row_group_first_row(uint32_t row_group) const;
  /// The row group that holds the row. REQUIRES: row < row_count().
  uint32_t RowGroupOf(uint32_t row) const;

  /// REQUIRES: row_group < row_group_count(), column < schema().column_count().
  const ChunkInfo& chunk(uint32_t row_group, uint32_t column) const;

  /// Reads, checks (CRC-32C) and decodes one chunk into `out`, replacing what it held.
  Status ReadChunk(uint32_t row_group, uint32_t column, ColumnVector& out) const;

  /// Reads and checks a chunk, and decodes of it only what one row needs. `row` counts from the row
  /// group's first. A cell of bytes borrows from the scratch space until the next read with it.
  /// `shortcut` is the chunk's own, or null; then the cell may borrow from it instead.
  /// REQUIRES: row < row_group_rows(row_group).
  Status ReadCell(uint32_t row_group, uint32_t column, uint32_t row, CellShortcut* shortcut,
                  Cell& cell) const;

 private:
  class Impl;
  explicit StripeReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace orochi::columnar
