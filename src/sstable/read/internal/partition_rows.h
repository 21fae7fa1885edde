#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "sstable/format/selection.h"
#include "sstable/read/internal/partition_cursor.h"
#include "sstable/read/internal/row_index.h"

namespace orochi::sstable::internal {

/// The rows and markers of one partition that a selection asks for, forwards or backwards.
///
/// Backwards, a block of the partition is walked forwards once to find where its rows are, and then
/// read from the last to the first. A partition without a row index is one block.
///
/// Life:    (Begin -> Next*)*.    Threads: none.    Borrows: the cursor, layout and selection.
class PartitionRows {
 public:
  PartitionRows(PartitionCursor& cursor, const Layout& layout, const RowSelection& selection);
  PartitionRows(const PartitionRows&) = delete;
  PartitionRows& operator=(const PartitionRows&) = delete;

  /// Starts with the partition that the cursor has opened. `index` may be null.
  Status Begin(std::unique_ptr<RowIndex> index);
  Result<bool> Next();
  const Unfiltered& current() const { return *current_; }

 private:
  enum class Place : uint8_t { kBefore, kInside, kAfter };
  struct Span {
    uint64_t position_bytes;
    uint64_t size_bytes;
  };

  Result<bool> NextOfAll();
  Result<bool> NextOfSlices();
  const ClusteringSlice& NextSlice() const;
  Status Enter();
  Status EnterForwards();
  Status EnterBackwards();
  Status LoadBlock(const RowBlock& block, uint64_t end_position_bytes, const ClusteringView* end);
  Result<bool> StepBack();
  Result<bool> Peek();
  Result<bool> Take();
  Place PlaceOf(const Unfiltered& unfiltered, const ClusteringSlice& slice) const;
  bool EmitEdge(const ClusteringSlice& slice, bool is_start);
  Status CheckMarker(bool expected_open, bool found_open) const;
  Status CheckNothingOpen() const;
  Status PassMarker();
  Result<uint64_t> PositionOf(const RowBlock& block) const;

  PartitionCursor& cursor_;
  const ClusteringFormat& clustering_;
  const std::vector<ClusteringSlice>& slices_;
  std::vector<ClusteringSlice> everything_;  // the one slice of a reversed read of all rows
  bool reversed_;
  std::unique_ptr<RowIndex> index_;

  const Unfiltered* current_ = nullptr;
  Unfiltered synthetic_;
  size_t slices_done_ = 0;
  bool entered_ = false;   // the current slice's first marker or row is behind us
  bool has_head_ = false;  // the cursor stands on something that is not yet taken
  DeletionTime cover_;     // the range tombstone at the current place

  std::vector<Span> spans_;  // backwards: what of the block is still to come, the next one last
  uint64_t block_position_bytes_ = 0;
};

}  // namespace orochi::sstable::internal
