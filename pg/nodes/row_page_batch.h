#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/relation_reader.h"
#include "pg/am/columnar/tuple_values.h"

namespace orochi::pg {

/// The visible rows of a relation's row pages as column batches: some pages are copied at a time,
/// and a column is gathered from their tuples when somebody asks for it.
///
/// Life:    (Start, Next until it answers false)*.    Threads: none.
/// Borrows: `reader`.
/// Bounds:  the pages of kRowsWanted rows, at most kRunBlocks; of values stored out of line about
///          kFetchedBytesMax a batch, or one row's.
class RowPageBatch {
 public:
  /// Blocks that one process of a parallel scan takes at once.
  static constexpr uint32_t kRunBlocks = 64;
  /// A batch has no more than these and one page's.
  static constexpr uint32_t kRowsWanted = 1024;
  static constexpr uint64_t kFetchedBytesMax = 16 << 20;

  explicit RowPageBatch(ColumnarReader& reader);

  /// Of the relation's blocks that may be row pages.
  uint64_t run_count() const {
    return (reader_.row_blocks().count() + kRunBlocks - 1) / kRunBlocks;
  }

  /// Begins a run. REQUIRES: run < run_count().
  void Start(uint64_t run);
  /// Goes to the run's next rows; false when there are none.
  Result<bool> Next();
  /// Gives memory back. The batch is gone.
  void ReleaseMemory();

  /// Blocks read that were row pages, in all runs.
  uint64_t page_count() const { return page_count_; }
  /// Of the rows that the last Next went to.
  uint32_t row_count() const { return end_ - begin_; }
  ItemPointerData tid(uint32_t row) const { return rows_[begin_ + row].tid; }
  /// Gathers a column. kCorruption names relation, block and column.
  Status Read(AttrNumber attribute, columnar::ColumnVector& out);
  /// The values of some rows as the tuples have them: those by reference, perhaps compressed or
  /// stored out of line, are valid until the next Next or Start. Errors as Read.
  Status ReadDatums(AttrNumber attribute, std::span<const uint32_t> rows, DatumColumn& out);

 private:
  struct Row {
    const HeapTupleHeaderData* tuple;  // on a copy of its page
    uint32_t size_bytes;
    ItemPointerData tid;
  };
  /// Where a column's value starts in its tuple, or one of these.
  using Position = uint16_t;
  static constexpr Position kNull = UINT16_MAX;
  static constexpr Position kAbsent = UINT16_MAX - 1;  // the row is older than the column

  void LoadPages();
  template <class Visit>
  AttrNumber Walk(const Row& row, AttrNumber from, AttrNumber to, uint32_t* offset,
                  Visit visit) const;
  Status DamageIn(const Row& row, AttrNumber attribute) const;
  Result<uint64_t> FetchedBytes(const Row& row) const;
  Status Locate(AttrNumber attribute);
  uint32_t MarkNulls(std::span<const Position> positions, bool absent_is_null,
                     std::vector<uint64_t>& valid_words) const;
  template <class Stored, class Value>
  void GatherFixed(std::span<const Position> positions, const columnar::Cell& absent,
                   columnar::ColumnVector& out) const;
  Status GatherBytes(AttrNumber attribute, std::span<const Position> positions,
                     const columnar::Cell& absent, columnar::ColumnVector& out) const;
  static void AppendToasted(const void* varlena, columnar::ColumnVector& out);

  ColumnarReader& reader_;
  std::vector<tuple_values::Layout> layouts_;  // by attribute - 1
  uint64_t next_block_ = 0;                    // of the run, by index
  uint64_t end_block_ = 0;
  uint64_t page_count_ = 0;
  std::vector<std::unique_ptr<row_pages::RowPage>> pages_;
  std::vector<Row> rows_;  // of pages_
  uint32_t begin_ = 0;     // the batch: rows [begin_, end_)
  uint32_t end_ = 0;
  // positions_[a * row_count() + r]: attribute a + 1 of the batch's row r, for the first
  // located_count_ attributes; after_[r]: where the next one may start.
  std::vector<Position> positions_;
  std::vector<Position> after_;
  std::vector<uint8_t> has_special_;  // by attribute - 1: some position is kNull or kAbsent
  AttrNumber located_count_ = 0;
};

}  // namespace orochi::pg
