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
  pg_atomic_uint64 next_group;  // over row groups of all visible stripes, then row pages
};

/// Walks the visible rows of a columnar relation: forward, backward, shared with parallel workers,
/// or by position. Row order is stripe order, then row order, then that of row pages.
///
/// A group is a row group of a stripe or one row page. `row` and `row_count` are open to the
/// per-row callback, which only comes to Advance when a group is used up, and must pass over rows
/// that IsHidden.
class ScanCursor {
 public:
  /// `parallel` may be null.
  static Result<std::unique_ptr<ScanCursor>> Open(Relation relation, Snapshot snapshot,
                                                  ColumnarParallelScan* parallel);
  ScanCursor(const ScanCursor&) = delete;
  ScanCursor& operator=(const ScanCursor&) = delete;

  /// Goes to the next group, or the one before. False at the end.
  Result<bool> Advance(bool forward);
  /// Back to before the first row.
  void Restart();

  /// Whether the group is a row page, and which.
  bool on_row_page() const { return on_row_page_; }
  BlockNumber block() const { return block_; }

  bool IsHidden(int64_t row_in_group) const {
    return !on_row_page_ && hidden_.Hides(static_cast<uint32_t>(row_in_group));
  }
  /// Makes `slot` stand for the current row. Plain frame.
  void Store(TupleTableSlot* slot);

  /// Aims at the `ordinal`-th row of the visible stripes, which may be hidden.
  /// REQUIRES: ordinal < reader().row_count().
  Status SeekOrdinal(uint64_t ordinal);
  /// Aims at a row of a stripe by its number; false when it is not visible.
  Result<bool> SeekRowNumber(uint64_t row_number);
  /// Whether a visible stripe has a row of that number, hidden or not.
  bool HoldsRowNumber(uint64_t row_number) const;
  /// One past the largest row number in a visible stripe.
  uint64_t end_row_number() const;
  /// Aims before the first visible row of a block that may be a row page. row_count is how many.
  Status EnterBlock(BlockNumber block);

  const ColumnarReader& reader() const { return *reader_; }

  int64_t row = -1;
  int64_t row_count = 0;  // of the current group; 0 when there is none

 private:
  ScanCursor(std::unique_ptr<ColumnarReader> reader, ColumnarParallelScan* parallel);
  Status Enter(size_t stripe, uint32_t row_group);
  Result<bool> AdvanceOne(bool forward);
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
  HiddenRows hidden_;  // in the row group entered
  bool on_row_page_ = false;
  BlockNumber block_ = InvalidBlockNumber;
  std::unique_ptr<row_pages::RowPage> page_ = std::make_unique<row_pages::RowPage>();
};

/// The cursor of a scan begun by the access method. Lives as long as the scan.
ScanCursor* CursorOf(TableScanDesc scan);

}  // namespace orochi::pg
