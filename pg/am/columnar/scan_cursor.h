#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/row_group_view.h"

extern "C" {
#include "access/relscan.h"
#include "port/atomics.h"
}

namespace orochi::pg {

/// What the workers of a parallel scan share, behind PostgreSQL's own part.
struct ColumnarParallelScan {
  ParallelTableScanDescData base;
  pg_atomic_uint64 next_row_group;  // over all visible stripes, in order
};

/// Walks the visible rows of a columnar relation: forward, backward, shared with parallel workers,
/// or by position. Row order is stripe order, then row order.
///
/// `row` and `row_count` are open to the per-row callback, which only comes to Advance when a row
/// group is used up.
class ScanCursor {
 public:
  /// `parallel` may be null.
  static Result<std::unique_ptr<ScanCursor>> Open(Relation relation, Snapshot snapshot,
                                                  ColumnarParallelScan* parallel);
  ScanCursor(const ScanCursor&) = delete;
  ScanCursor& operator=(const ScanCursor&) = delete;

  /// Goes to the next row group, or the one before. False at the end.
  Result<bool> Advance(bool forward);
  /// Back to before the first row.
  void Restart();

  /// Aims at the `ordinal`-th visible row. REQUIRES: ordinal < reader().row_count().
  Status SeekOrdinal(uint64_t ordinal);
  /// Aims at a row by its number; false when it is not visible.
  Result<bool> SeekRowNumber(uint64_t row_number);
  bool HoldsRowNumber(uint64_t row_number) const;
  /// One past the largest row number of a visible row.
  uint64_t end_row_number() const;

  const ColumnarReader& reader() const { return *reader_; }
  RowGroupView& view() { return view_; }

  int64_t row = -1;
  int64_t row_count = 0;  // of the current row group; 0 when there is none

 private:
  ScanCursor(std::unique_ptr<ColumnarReader> reader, ColumnarParallelScan* parallel);
  Status Enter(size_t stripe, uint32_t row_group);
  Status SeekInStripe(size_t stripe, uint32_t row_in_stripe);
  std::optional<size_t> StripeOfRowNumber(uint64_t row_number) const;

  std::unique_ptr<ColumnarReader> reader_;
  RowGroupView view_;
  ColumnarParallelScan* parallel_;
  // group_ends_[i], row_ends_[i]: row groups and rows in stripes up to and including stripe i.
  std::vector<uint64_t> group_ends_;
  std::vector<uint64_t> row_ends_;
  int64_t group_ = -1;  // over all stripes; -1 before the first, the count behind the last
  std::optional<std::pair<size_t, uint32_t>> entered_;
};

}  // namespace orochi::pg
