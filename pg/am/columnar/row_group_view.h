#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/relation_reader.h"

extern "C" {
#include "executor/tuptable.h"
}

namespace orochi::pg {

/// The rows of one row group as Datums, decoded column by column from the left as far as somebody
/// asks. Re-pointed from group to group so that steady scans allocate nothing.
///
/// Borrows: `reader`. Values are valid until the next Point.
class RowGroupView {
 public:
  explicit RowGroupView(ColumnarReader& reader) : reader_(reader) {}
  RowGroupView(const RowGroupView&) = delete;
  RowGroupView& operator=(const RowGroupView&) = delete;

  /// Aims at a row group; nothing is decoded yet.
  Status Point(const StripeEntry& entry, uint32_t row_group);
  /// Decodes attributes 1 to `attribute_count`.
  Status Decode(int attribute_count);

  /// Whether attributes 1 to `attribute_count` of a row are to be read cell by cell: as long as the
  /// cells read since the last Decode, and those of the rows that a command will probably come to
  /// next, cost less than decoding their columns.
  bool CellsAreCheap(uint32_t row, int attribute_count) const;
  /// The rows before came too long ago to tell anything of those to come.
  void ForgetLoneRows() { cells_cost_bytes_ = 0; }
  /// Puts attributes first to last of one row into `values` and `nulls`, both [attribute - 1].
  /// Values by reference are allocated in `context`, each with a link to the one before at its
  /// front, from `*links` on.
  struct Link {
    Link* before;
  };
  Status ReadCells(uint32_t row, int first, int last, MemoryContext context, Link** links,
                   Datum* values, bool* nulls);

  int decoded_count() const {
    return descriptor_changes_ == reader_.descriptor_changes() ? decoded_count_ : 0;
  }
  uint32_t row_count() const { return row_count_; }
  const StripeEntry& entry() const { return entry_; }
  uint32_t row_group() const { return row_group_; }
  /// Number in the relation of the group's first row.
  uint64_t first_row_number() const { return first_row_number_; }
  /// Whether anything was read of it that may be of use again.
  bool knows_anything() const { return decoded_count_ > 0 || !shortcuts_.empty(); }
  /// An estimate of the heap that decoding as many columns takes as were asked for, at least.
  size_t decoded_bytes_min() const {
    constexpr size_t kCellBytes = sizeof(Datum) + sizeof(bool);
    return std::max(memory_bytes_, size_t{row_count_} * kCellBytes * asked_count_);
  }
  /// An estimate of the heap held, for bounded caches.
  size_t memory_bytes() const {
    return sizeof(*this) + memory_bytes_ + shortcut_bytes_ +
           shortcuts_.capacity() * sizeof(columnar::CellShortcut);
  }
  ColumnarReader& reader() const { return reader_; }

  /// REQUIRES: attribute <= decoded_count(), row < row_count().
  Datum value(int attribute, uint32_t row) const {
    return columns_[static_cast<size_t>(attribute - 1)].value(row);
  }
  bool is_null(int attribute, uint32_t row) const {
    return columns_[static_cast<size_t>(attribute - 1)].is_null(row);
  }

 private:
  // Finding a cell in bytes at hand takes as long as reading so many bytes of chunks.
  static constexpr size_t kCellCostBytes = 4096;

  ColumnarReader& reader_;
  StripeEntry entry_;
  size_t cells_cost_bytes_ = 0;
  uint32_t row_group_ = 0;
  uint32_t row_count_ = 0;
  uint64_t first_row_number_ = 0;
  int decoded_count_ = 0;
  size_t asked_count_ = 0;           // attributes of the widest row asked for
  uint32_t descriptor_changes_ = 0;  // of the reader, when decoding began
  size_t memory_bytes_ = 0;          // of columns_
  size_t shortcut_bytes_ = 0;
  columnar::ColumnVector vector_;
  std::vector<DatumColumn> columns_;
  std::vector<columnar::CellShortcut> shortcuts_;  // [attribute - 1]
};

/// Slots of columnar tables: a virtual slot that takes its values from a row group view when they
/// are first asked for. Valid until the scan's next row, as for any scan slot.
const TupleTableSlotOps* ColumnarSlotOps();

/// Makes `slot`, one of ours, stand for a row of the view, with columns as the slot has them.
/// `alone`: while few such rows of the view are asked for values, cells are read, not whole
/// columns. Plain frame.
void StoreRow(TupleTableSlot* slot, RowGroupView* view, uint32_t row, Oid relation_id,
              bool alone = false);

/// Makes `slot` outlive the fetch that filled it: keeps `view`, and what its reader belongs to,
/// until the slot is cleared or has all values. A slot filled otherwise gets copies. Calls
/// PostgreSQL.
void ShareView(TupleTableSlot* slot, std::shared_ptr<RowGroupView> view,
               std::shared_ptr<void> reader_owner);
/// Drops what slots keep. For the end of a transaction that failed, whose slots nobody clears.
void ForgetShares();

}  // namespace orochi::pg
