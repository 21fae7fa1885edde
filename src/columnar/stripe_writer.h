#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/memory_budget.h"
#include "base/result.h"
#include "columnar/column.h"
#include "codec/compression.h"
#include "io/file.h"

namespace orochi::columnar {

inline constexpr uint32_t kStripeRowsMax = 1u << 20;
inline constexpr uint32_t kRowGroupRowsMax = 1u << 16;
inline constexpr uint32_t kRowGroupRowsDefault = 8192;
inline constexpr uint32_t kStripeRowsDefault = 16 * kRowGroupRowsDefault;

struct StripeOptions {
  uint32_t row_group_rows = kRowGroupRowsDefault;
  uint32_t stripe_rows = kStripeRowsDefault;
  /// Tried on every chunk after its encoding, kept when it saves at least an eighth.
  codec::Compression compression = codec::Compression::kZstd;
  int compression_level = 3;
  /// A row group closes early once its raw values pass this, so that long values do not pile up.
  uint64_t row_group_raw_bytes_max = 32u << 20;
};

/// Where a finished stripe is, relative to the first byte given to the sink.
struct StripeLocation {
  uint64_t size_bytes = 0;         // footer included
  uint32_t footer_size_bytes = 0;  // the last bytes of the stripe
  uint32_t row_count = 0;
  uint32_t row_group_count = 0;
};

/// Writes one columnar stripe: at most options.stripe_rows rows, one chunk per column and row
/// group. Row groups are encoded as they fill, so only encoded bytes pile up.
///
/// Life:    Append* -> Finish, or destroyed. Nothing reaches a sink before Finish.
/// Threads: none.    Borrows: `schema`, `budget`, which outlive the writer.
/// Bounds:  what it buffers is charged to `budget`. Past it Append answers kResourceExhausted and
///          does not take the row; Finish still works. Encoding takes, uncharged and for the call
///          only, a few times the size of the largest column of one row group.
class StripeWriter {
 public:
  StripeWriter(const Schema& schema, const StripeOptions& options, MemoryBudget& budget);
  ~StripeWriter();

  /// Adds one row and copies what it borrows. kOutOfRange for a kBytes value past 2^30 bytes.
  /// REQUIRES: cells.size() == schema.column_count(); !full(); not finished.
  Status Append(std::span<const Cell> cells);

  /// Encodes what is open and writes chunks, then the footer. On error the stripe does not exist.
  /// REQUIRES: row_count() > 0; not finished.
  Result<StripeLocation> Finish(io::ByteSink& sink);

  uint32_t row_count() const;
  bool full() const;  // stripe_rows reached
  uint64_t buffered_bytes() const;

  /// Decodes rows [first_row, first_row + vector.row_count) of a column of what is not yet
  /// finished: a transaction reads its own unflushed rows by position.
  /// REQUIRES: row < row_count(). `cell.data` stays valid until the next call on this writer.
  Result<Cell> ReadBack(uint32_t row, uint32_t column);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orochi::columnar
