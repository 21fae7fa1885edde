#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/relation_reader.h"
#include "vexec/column_filter.h"
#include "vexec/selection.h"

extern "C" {
#include "port/atomics.h"
}

namespace orochi::pg {

/// Reads a columnar relation one row group at a time, in row order: row groups that the filters'
/// statistics rule out are skipped, then only the filtered columns are decoded until a row remains,
/// and every other column when somebody asks for it.
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
    uint64_t rows_removed = 0;  // in row groups read
    uint64_t rows_skipped = 0;  // in row groups skipped
  };

  static Result<std::unique_ptr<BatchReader>> Open(Relation relation, Snapshot snapshot);

  /// Conjuncts. Takes effect with the next Rewind or before the first Next.
  void SetFilters(std::vector<Filter> filters) { filters_ = std::move(filters); }

  /// Several processes share one scan through shared memory: each stripe goes to one of them.
  void ShareStripes(pg_atomic_uint64* next_stripe) { next_shared_stripe_ = next_stripe; }

  /// Goes to the next row group with a selected row; false at the end. Cancels when asked to.
  Result<bool> Next();
  /// Starts over. Does not look for new stripes. The shared counter is its owner's to reset.
  void Rewind();

  /// Of the current row group. REQUIRES: the last Next answered true.
  uint32_t row_count() const { return selection_.row_count(); }
  const vexec::Selection& selection() const { return selection_; }
  uint64_t first_row_number() const { return first_row_number_; }
  /// Decoded on the first call for this row group; valid until the next Next or Rewind.
  Result<const columnar::ColumnVector*> Column(AttrNumber attribute);
  /// Null when the stripe is older than the column.
  const columnar::ChunkInfo* Chunk(AttrNumber attribute) const {
    return reader_->Chunk(row_group_, attribute);
  }
  /// True when every row of the row group is selected.
  bool AllSelected() const { return all_selected_; }

  const Counters& counters() const { return counters_; }
  /// Rows of all stripes, without reading them.
  uint64_t relation_row_count() const { return reader_->row_count(); }
  bool has_filters() const { return !filters_.empty(); }
  const ColumnType& column_type(AttrNumber attribute) const {
    return reader_->column_type(attribute);
  }

 private:
  /// A decoded column and the row group it belongs to.
  struct Slot {
    columnar::ColumnVector vector;
    bool is_current = false;
  };

  explicit BatchReader(std::unique_ptr<ColumnarReader> reader);
  bool NextStripe();
  Result<bool> EnterRowGroup();
  bool MayMatch() const;
  void Forget();

  std::unique_ptr<ColumnarReader> reader_;
  std::vector<Filter> filters_;
  std::vector<Slot> slots_;          // by attribute - 1
  std::vector<AttrNumber> current_;  // attributes with is_current
  vexec::Selection selection_;
  Counters counters_;
  pg_atomic_uint64* next_shared_stripe_ = nullptr;

  size_t next_stripe_ = 0;
  size_t stripe_ = 0;
  const columnar::StripeReader* footer_ = nullptr;  // of stripe_; null between stripes
  uint32_t next_row_group_ = 0;
  uint32_t row_group_ = 0;
  uint64_t first_row_number_ = 0;
  bool all_selected_ = true;
};

}  // namespace orochi::pg
