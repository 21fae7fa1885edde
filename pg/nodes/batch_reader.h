#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/relation_reader.h"
#include "pg/nodes/row_page_batch.h"
#include "vexec/column_filter.h"
#include "vexec/selection.h"

extern "C" {
#include "port/atomics.h"
}

namespace orochi::pg {

/// Reads a columnar relation batch by batch, in the order of the access method's own scans. First
/// the row groups of stripes: those that the filters' statistics rule out are skipped, rows that
/// were updated or deleted are never selected. Then the rows of row pages. Only the filtered
/// columns are decoded until a row remains, and every other column when somebody asks for it.
///
/// Life:    Open, SetFilters, Next*, Rewind, Next*, ...    Threads: none.
/// Borrows: relation and snapshot, as ColumnarReader.
class BatchReader {
 public:
  struct Filter {
    AttrNumber attribute;
    vexec::ColumnFilter filter;
  };
  struct Counters {
    uint64_t row_groups_total = 0;  // of stripes reached so far
    uint64_t row_groups_read = 0;
    uint64_t row_groups_skipped = 0;
    uint64_t row_pages_read = 0;
    uint64_t rows_removed = 0;  // visible rows, in row groups and row pages read
    uint64_t rows_skipped = 0;  // in row groups skipped
  };

  static Result<std::unique_ptr<BatchReader>> Open(Relation relation, Snapshot snapshot);

  /// Conjuncts. Takes effect with the next Rewind or before the first Next.
  void SetFilters(std::vector<Filter> filters) { filters_ = std::move(filters); }

  /// Several processes share one scan through shared memory: each stripe, and each run of row
  /// pages, goes to one of them.
  void ShareUnits(pg_atomic_uint64* next_unit) { next_shared_unit_ = next_unit; }

  /// Lets rows_skipped count visible rows only, at the price of looking for hidden ones.
  void CountSkippedExactly() { counts_skipped_exactly_ = true; }

  /// Goes to the next batch with a selected row; false at the end, when hardly any memory is held
  /// on to. Cancels when asked to.
  Result<bool> Next();
  /// Starts over. Does not look for new stripes. The shared counter is its owner's to reset.
  void Rewind();

  /// Of the current batch. REQUIRES: the last Next answered true.
  uint32_t row_count() const { return selection_.row_count(); }
  const vexec::Selection& selection() const { return selection_; }
  ItemPointerData tid(uint32_t row) const {
    return unit_ == Unit::kRowPages ? row_pages_.tid(row) : TidOfRow(first_row_number_ + row);
  }
  /// The number of the batch's first row, for a row group of a stripe.
  std::optional<uint64_t> first_row_number() const {
    return unit_ == Unit::kStripe ? std::optional(first_row_number_) : std::nullopt;
  }
  /// Decoded on the first call for this batch; valid until the next Next or Rewind.
  Result<const columnar::ColumnVector*> Column(AttrNumber attribute);
  /// The same for the selected rows, listed in `rows`, as Datums. Those by reference are valid as
  /// long as the batch and `out`.
  Status ReadDatums(AttrNumber attribute, std::span<const uint32_t> rows, DatumColumn& out);
  /// Null for rows of row pages, and when the stripe is older than the column.
  const columnar::ChunkInfo* Chunk(AttrNumber attribute) const {
    return unit_ == Unit::kRowPages ? nullptr : reader_->Chunk(row_group_, attribute);
  }
  /// True when every row of the batch is selected; of a row group that is all its rows, so none is
  /// hidden.
  bool AllSelected() const { return all_selected_; }

  const Counters& counters() const { return counters_; }
  /// Rows of the relation when the catalog knows: none was updated or deleted, none is on a row
  /// page.
  std::optional<uint64_t> KnownRowCount() const;
  /// Whether the snapshot sees any row. Reads until it finds one, the first time.
  Result<bool> HasRows();
  bool has_filters() const { return !filters_.empty(); }
  const ColumnType& column_type(AttrNumber attribute) const {
    return reader_->column_type(attribute);
  }

 private:
  /// A column, decoded for the current batch or for an earlier one.
  struct Slot {
    columnar::ColumnVector vector;
    bool is_current = false;
  };

  /// What the reader is in: a part of the relation that one process reads.
  enum class Unit : uint8_t { kNone, kStripe, kRowPages };

  explicit BatchReader(std::unique_ptr<ColumnarReader> reader);
  Result<bool> NextUnit();
  Result<bool> NextRowGroup();
  Result<bool> NextRowsOfPages();
  Result<bool> EnterRowGroup();
  Result<bool> ApplyFilters(uint64_t visible_count);
  bool MayMatch() const;
  void SkipRowGroup(uint64_t first_row, uint32_t row_count);
  Result<bool> FindAnyRow();
  void Forget();
  void ReleaseMemory();

  std::unique_ptr<ColumnarReader> reader_;
  RowPageBatch row_pages_;
  std::vector<Filter> filters_;
  std::vector<Slot> slots_;          // by attribute - 1
  std::vector<AttrNumber> current_;  // attributes with is_current
  vexec::Selection selection_;
  HiddenRows hidden_;
  Counters counters_;
  pg_atomic_uint64* next_shared_unit_ = nullptr;
  bool counts_skipped_exactly_ = false;
  std::optional<bool> has_rows_;

  uint64_t next_unit_ = 0;  // stripes, then runs of row pages
  Unit unit_ = Unit::kNone;
  size_t stripe_ = 0;
  const columnar::StripeReader* footer_ = nullptr;  // of stripe_
  uint32_t next_row_group_ = 0;
  uint32_t row_group_ = 0;
  uint64_t first_row_number_ = 0;
  bool all_selected_ = true;
};

}  // namespace orochi::pg
