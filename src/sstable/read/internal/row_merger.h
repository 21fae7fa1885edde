#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "sstable/format/layout.h"
#include "sstable/format/unfiltered.h"
#include "sstable/read/merge.h"

namespace orochi::sstable::internal {

/// How the columns of one stream stand in the merged layout.
struct ColumnMap {
  static constexpr uint32_t kAbsent = UINT32_MAX;
  std::vector<uint32_t> indexes;  // per column of the stream: its index, or kAbsent
  bool is_identity = false;

  static ColumnMap Of(const std::vector<Column>& from, const std::vector<Column>& to);
};

/// Makes one row out of the rows of several streams. Its views are good until the next Merge, and
/// as long as those of the rows are.
///
/// Threads: none.    Borrows: layout and options.
class RowMerger {
 public:
  RowMerger(const Layout& layout, const MergeOptions& options, bool is_static);

  struct Input {
    const Unfiltered* row;
    const ColumnMap* map;
  };
  /// `cover` is the deletion of the partition or of a range that the rows are in. False when
  /// nothing is left of the row. `merged` gets the clustering of the first input.
  bool Merge(std::span<const Input> inputs, const DeletionTime& cover, Unfiltered& merged);

  /// What the options leave of a deletion: live where it is purged.
  DeletionTime Purged(const DeletionTime& deletion) const;

 private:
  struct Cursor {
    std::span<const CellView> cells;  // of the simple columns that are still to come
    std::span<const ComplexColumnView> complex;
    const Input* input;
  };

  void MergeHeads(std::span<const Input> inputs, const DeletionTime& cover, Unfiltered& merged);
  void MergeSimple(const DeletionTime& active);
  void MergeComplex(const DeletionTime& active);
  void MergeComplexColumn(uint32_t column_index, const DeletionTime& active);
  void AddCell(CellView cell, uint32_t column_index, const DeletionTime& active);
  CellView Reconcile(const CellView& left, const CellView& right, bool is_counter);
  bool IsDropped(uint32_t column_index, int64_t timestamp) const {
    return !dropped_at_us_.empty() && timestamp <= dropped_at_us_[column_index];
  }

  const std::vector<Column>& columns_;
  const MergeOptions& options_;
  std::vector<int64_t> dropped_at_us_;  // per column; empty where none was dropped
  std::vector<bool> is_counter_;

  std::vector<Cursor> cursors_;
  std::vector<CellView> cells_;
  std::vector<ComplexColumnView> complex_;
  std::vector<std::span<const CellView>> elements_;
  std::deque<std::vector<std::byte>> counters_;  // merged contexts; a deque keeps them in place
  size_t counters_used_ = 0;
};

}  // namespace orochi::sstable::internal
