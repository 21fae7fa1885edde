#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/relation_reader.h"

namespace orochi::pg {

/// The visible rows of a relation's row pages as column batches: pages are copied a run at a time,
/// and a column is gathered from the tuples when somebody asks for it.
///
/// Life:    (Load, Next until it answers false)*.    Threads: none.
/// Borrows: `reader`.
/// Bounds:  kRunBlocks pages; of values stored out of line about kFetchedBytesMax a batch, or one
///          row's.
class RowPageBatch {
 public:
  /// Blocks that one process of a parallel scan takes at once.
  static constexpr uint32_t kRunBlocks = 64;
  static constexpr uint32_t kRowsMax = 8192;
  static constexpr uint64_t kFetchedBytesMax = 16 << 20;

  explicit RowPageBatch(ColumnarReader& reader) : reader_(reader) {}

  /// Of the relation's blocks that may be row pages.
  uint64_t run_count() const {
    return (reader_.row_blocks().count() + kRunBlocks - 1) / kRunBlocks;
  }

  /// Copies the pages of a run; answers how many of its blocks are row pages.
  /// REQUIRES: run < run_count().
  uint32_t Load(uint64_t run);
  /// Forgets the run.
  void ReleaseMemory();
  /// Whether the run has any row.
  bool has_rows() const { return !rows_.empty(); }
  /// Goes to the run's next rows; false when there are none.
  Result<bool> Next();

  /// Of the rows that the last Next went to.
  uint32_t row_count() const { return end_ - begin_; }
  ItemPointerData tid(uint32_t row) const { return rows_[begin_ + row].tid; }
  /// Gathers a column. kCorruption names relation, block and column.
  Status Read(AttrNumber attribute, columnar::ColumnVector& out);

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

  template <class Visit>
  Status Walk(const Row& row, AttrNumber from, AttrNumber to, uint32_t* offset, Visit visit) const;
  Result<uint64_t> FetchedBytes(const Row& row) const;
  Status Locate(AttrNumber attribute);
  template <class Stored, class Value>
  void GatherFixed(std::span<const Position> positions, const columnar::Cell& absent,
                   columnar::ColumnVector& out) const;
  Status GatherBytes(AttrNumber attribute, std::span<const Position> positions,
                     const columnar::Cell& absent, columnar::ColumnVector& out) const;
  static void AppendToasted(const void* varlena, columnar::ColumnVector& out);

  ColumnarReader& reader_;
  std::vector<std::unique_ptr<row_pages::RowPage>> pages_;
  std::vector<Row> rows_;  // of the run
  uint32_t begin_ = 0;     // the batch: rows [begin_, end_)
  uint32_t end_ = 0;
  // positions_[a * row_count() + r]: attribute a + 1 of the batch's row r, for the first
  // located_count_ attributes; after_[r]: where the next one may start.
  std::vector<Position> positions_;
  std::vector<Position> after_;
  AttrNumber located_count_ = 0;
};

}  // namespace orochi::pg
