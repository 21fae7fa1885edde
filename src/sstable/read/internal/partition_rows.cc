#include "sstable/read/internal/partition_rows.h"

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::sstable::internal {

PartitionRows::PartitionRows(PartitionCursor& cursor, const Layout& layout,
                             const RowSelection& selection)
    : cursor_(cursor),
      clustering_(layout.clustering),
      slices_(selection.all_rows() && selection.reversed ? everything_ : selection.slices),
      reversed_(selection.reversed) {
  if (selection.all_rows() && selection.reversed) {
    everything_.emplace_back();
  }
}

Status PartitionRows::Begin(std::unique_ptr<RowIndex> index) {
  index_ = std::move(index);
  slices_done_ = 0;
  entered_ = false;
  has_head_ = false;
  cover_ = DeletionTime();
  spans_.clear();
  block_position_bytes_ = UINT64_MAX;
  if (index_ != nullptr) {
    RETURN_IF_ERROR(index_->Check(
        cursor_.partition(), cursor_.body_position_bytes() - cursor_.partition().position_bytes));
  }
  return Enter();
}

Result<bool> PartitionRows::Next() {
  return slices_.empty() && !reversed_ ? NextOfAll() : NextOfSlices();
}

Status PartitionRows::CheckMarker(bool expected_open, bool found_open) const {
  if (expected_open == found_open) {
    return Status::Ok();
  }
  return cursor_.CorruptAt(cursor_.position_bytes(),
                           expected_open ? "a range tombstone starts inside another one"
                                         : "a range tombstone ends that did not start");
}

Status PartitionRows::CheckNothingOpen() const {
  if (cover_.live()) {
    return Status::Ok();
  }
  return cursor_.CorruptAt(cursor_.position_bytes(), "a range tombstone has only one end");
}

// The cursor stands on a decoded marker: what is open behind it?
Status PartitionRows::PassMarker() {
  const Unfiltered& marker = cursor_.current();
  ClusteringKind const kind = marker.clustering.kind;
  if (reversed_) {
    RETURN_IF_ERROR(CheckMarker(!cover_.live(), OpensDeletion(kind)));
    cover_ = ClosesDeletion(kind) ? marker.close : DeletionTime();
  } else {
    RETURN_IF_ERROR(CheckMarker(!cover_.live(), ClosesDeletion(kind)));
    cover_ = OpensDeletion(kind) ? marker.open : DeletionTime();
  }
  return Status::Ok();
}

Result<bool> PartitionRows::NextOfAll() {
  ASSIGN_OR_RETURN(bool const found, cursor_.Next());
  if (!found) {
    RETURN_IF_ERROR(CheckNothingOpen());
    return false;
  }
  current_ = &cursor_.current();
  if (!current_->is_row()) {
    RETURN_IF_ERROR(PassMarker());
  }
  return true;
}

// A marker at a slice's bound says nothing about the slice's inside but what is open there; the
// slice gets a marker of its own.
PartitionRows::Place PartitionRows::PlaceOf(const Unfiltered& unfiltered,
                                            const ClusteringSlice& slice) const {
  int const margin = unfiltered.is_row() ? 0 : 1;
  if (clustering_.Compare(unfiltered.clustering, slice.start.view()) < margin) {
    return Place::kBefore;
  }
  return clustering_.Compare(unfiltered.clustering, slice.end.view()) > -margin ? Place::kAfter
                                                                                : Place::kInside;
}

// A range tombstone that reaches over an edge of the slice gets an end there.
bool PartitionRows::EmitEdge(const ClusteringSlice& slice, bool is_start) {
  if (cover_.live()) {
    return false;
  }
  synthetic_ = Unfiltered();
  synthetic_.kind = Unfiltered::Kind::kMarker;
  synthetic_.clustering = (is_start ? slice.start : slice.end).view();
  (is_start ? synthetic_.open : synthetic_.close) = cover_;
  current_ = &synthetic_;
  return true;
}

// Makes sure that the cursor stands on the next row or marker; false where there is none.
Result<bool> PartitionRows::Peek() {
  if (!has_head_) {
    ASSIGN_OR_RETURN(has_head_, reversed_ ? StepBack() : cursor_.NextHead());
    if (!has_head_) {
      RETURN_IF_ERROR(CheckNothingOpen());
    }
  }
  return has_head_;
}

// Hands out what the cursor stands on.
Result<bool> PartitionRows::Take() {
  RETURN_IF_ERROR(cursor_.DecodeBody());
  has_head_ = false;
  current_ = &cursor_.current();
  if (!current_->is_row()) {
    RETURN_IF_ERROR(PassMarker());
  }
  return true;
}

Result<uint64_t> PartitionRows::PositionOf(const RowBlock& block) const {
  uint64_t const begin = cursor_.partition().position_bytes;
  uint64_t const first = cursor_.body_position_bytes() - begin;
  if (block.offset_bytes < first || block.offset_bytes > INT64_MAX - begin) {
    return cursor_.CorruptAt(begin,
                             StrCat("the row index has a block at ", block.offset_bytes,
                                    " from the partition's start, its first row is at ", first));
  }
  uint64_t const position = begin + block.offset_bytes;
  RETURN_IF_ERROR(cursor_.CheckPosition(position));
  return position;
}

// Jumps ahead to the block where the next slice starts, if there is an index and it is ahead.
Status PartitionRows::EnterForwards() {
  if (index_ == nullptr) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(RowBlock const block, index_->Floor(NextSlice().start.view()));
  ASSIGN_OR_RETURN(uint64_t const position, PositionOf(block));
  uint64_t const here =
      has_head_ ? cursor_.position_bytes() : cursor_.position_bytes() + cursor_.size_bytes();
  if (position > here && !cursor_.at_partition_end()) {
    cursor_.SeekWithin(position);
    has_head_ = false;
    cover_ = block.open;
  }
  return Status::Ok();
}

// Slices in the direction of reading; the one after the last is not asked for.
const ClusteringSlice& PartitionRows::NextSlice() const {
  return slices_[reversed_ ? slices_.size() - 1 - slices_done_ : slices_done_];
}

Status PartitionRows::Enter() {
  if (slices_done_ == slices_.size()) {
    return Status::Ok();
  }
  return reversed_ ? EnterBackwards() : EnterForwards();
}

Result<bool> PartitionRows::NextOfSlices() {
  Place const ahead = reversed_ ? Place::kAfter : Place::kBefore;
  Place const behind = reversed_ ? Place::kBefore : Place::kAfter;
  while (slices_done_ < slices_.size()) {
    const ClusteringSlice& slice = NextSlice();
    ASSIGN_OR_RETURN(bool const found, Peek());
    Place const place = found ? PlaceOf(cursor_.current(), slice) : behind;
    if (place == ahead) {
      if (!cursor_.current().is_row()) {
        RETURN_IF_ERROR(cursor_.DecodeBody());
        RETURN_IF_ERROR(PassMarker());
      }
      has_head_ = false;
      continue;
    }
    if (!entered_) {
      entered_ = true;
      if (EmitEdge(slice, /*is_start=*/!reversed_)) {
        return true;
      }
    }
    if (place == Place::kInside) {
      return Take();
    }
    ++slices_done_;
    entered_ = false;
    bool const emitted = EmitEdge(slice, /*is_start=*/reversed_);
    RETURN_IF_ERROR(Enter());
    if (emitted) {
      return true;
    }
  }
  return false;
}

// Finds the rows of a block, up to `end_position_bytes`, or to the first one behind `end`.
Status PartitionRows::LoadBlock(const RowBlock& block, uint64_t end_position_bytes,
                                const ClusteringView* end) {
  ASSIGN_OR_RETURN(uint64_t const position, PositionOf(block));
  if (position >= end_position_bytes) {
    return cursor_.CorruptAt(position, StrCat("a block of the row index is not before the next, ",
                                              "which is at ", end_position_bytes));
  }
  spans_.clear();
  block_position_bytes_ = position;
  cursor_.SeekWithin(position);
  DeletionTime open = block.open;
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, cursor_.NextHead());
    if (!found || cursor_.position_bytes() >= end_position_bytes) {
      break;
    }
    const Unfiltered& head = cursor_.current();
    if (end != nullptr && clustering_.Compare(head.clustering, *end) > (head.is_row() ? 0 : -1)) {
      break;
    }
    if (!head.is_row()) {
      RETURN_IF_ERROR(cursor_.DecodeBody());
      open = OpensDeletion(head.clustering.kind) ? head.open : DeletionTime();
    }
    spans_.push_back({cursor_.position_bytes(), cursor_.size_bytes()});
  }
  if (end != nullptr) {
    cover_ = open;
  }
  return Status::Ok();
}

// Goes to the block where the next slice, coming from the end, ends.
Status PartitionRows::EnterBackwards() {
  ClusteringView const end = NextSlice().end.view();
  RowBlock block;
  if (index_ != nullptr) {
    ASSIGN_OR_RETURN(block, index_->Floor(end));
  } else if (block_position_bytes_ == UINT64_MAX) {
    block.offset_bytes = cursor_.body_position_bytes() - cursor_.partition().position_bytes;
  } else {
    return Status::Ok();  // the one block is loaded
  }
  ASSIGN_OR_RETURN(uint64_t position, PositionOf(block));
  // A bound in the gap before the next block may count to that one: bring the index back to where
  // we are.
  while (index_ != nullptr && position > block_position_bytes_) {
    ASSIGN_OR_RETURN(std::optional<RowBlock> const previous, index_->Previous());
    if (!previous.has_value()) {
      return cursor_.CorruptAt(position, "the blocks of the row index are not in order");
    }
    ASSIGN_OR_RETURN(position, PositionOf(*previous));
    block = *previous;
  }
  if (position == block_position_bytes_) {
    return Status::Ok();  // in the block that we are in
  }
  has_head_ = false;
  return LoadBlock(block, block_position_bytes_, &end);
}

Result<bool> PartitionRows::StepBack() {
  while (spans_.empty()) {
    if (index_ == nullptr) {
      return false;
    }
    ASSIGN_OR_RETURN(std::optional<RowBlock> const block, index_->Previous());
    if (!block.has_value()) {
      return false;
    }
    RETURN_IF_ERROR(LoadBlock(*block, block_position_bytes_, nullptr));
  }
  Span const span = spans_.back();
  spans_.pop_back();
  RETURN_IF_ERROR(
      cursor_.SeekBackWithin(span.position_bytes, span.size_bytes, block_position_bytes_));
  return cursor_.NextHead();
}

}  // namespace orochi::sstable::internal
