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

  /// Says that a row will be read by itself. Answers whether cell by cell: as long as few rows of
  /// the group were, decoding its columns is not worth it.
  bool CountLoneRow() { return ++lone_row_count_ <= kLoneRowsMax; }
  /// The rows before came too long ago to tell anything of those to come.
  void ForgetLoneRows() { lone_row_count_ = 0; }
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
  static constexpr uint32_t kLoneRowsMax = 4;

  ColumnarReader& reader_;
  StripeEntry entry_;
  uint32_t lone_row_count_ = 0;
  uint32_t row_group_ = 0;
  uint32_t row_count_ = 0;
  uint64_t first_row_number_ = 0;
  int decoded_count_ = 0;
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
/// `alone`: cells are read, not whole columns. Plain frame.
void StoreRow(TupleTableSlot* slot, RowGroupView* view, uint32_t row, Oid relation_id,
              bool alone = false);

}  // namespace orochi::pg
