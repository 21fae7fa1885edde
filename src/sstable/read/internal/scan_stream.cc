#include "sstable/read/internal/scan_stream.h"

namespace orochi::sstable::internal {

ScanStream::ScanStream(const PartitionSource& source, size_t fill_size_bytes,
                       uint64_t begin_position_bytes, uint64_t end_position_bytes)
    : source_(source),
      cursor_(source, fill_size_bytes),
      next_position_bytes_(begin_position_bytes),
      end_position_bytes_(end_position_bytes) {}

Result<bool> ScanStream::NextPartition() {
  if (!error_.ok()) {
    return error_;
  }
  if (in_partition_) {
    in_partition_ = false;
    Result<uint64_t> const next = cursor_.SkipPartition();
    if (!next.ok()) {
      error_ = next.status();
      return error_;
    }
    next_position_bytes_ = *next;
  }
  if (next_position_bytes_ >= end_position_bytes_) {
    return false;
  }
  error_ = cursor_.OpenPartition(next_position_bytes_);
  if (!error_.ok()) {
    return error_;
  }
  in_partition_ = true;
  deletion_is_open_ = false;
  return true;
}

Result<bool> ScanStream::Next() {
  bool found = false;
  if (error_.ok()) [[likely]] {
    error_ = Advance(found);
  }
  if (!error_.ok()) [[unlikely]] {
    return error_;
  }
  return found;
}

Status ScanStream::Advance(bool& found) {
  ASSIGN_OR_RETURN(found, cursor_.Next());
  if (!found) {
    if (deletion_is_open_) {
      return cursor_.CorruptAt(cursor_.position_bytes(),
                               "the partition ends inside a range tombstone");
    }
    return Status::Ok();
  }
  return current().is_row() ? Status::Ok() : CheckMarker(current());
}

Status ScanStream::CheckMarker(const Unfiltered& marker) {
  if (ClosesDeletion(marker.clustering.kind) != deletion_is_open_) {
    return cursor_.CorruptAt(cursor_.position_bytes(),
                             deletion_is_open_ ? "a range tombstone starts inside another one"
                                               : "a range tombstone ends that did not start");
  }
  deletion_is_open_ = OpensDeletion(marker.clustering.kind);
  return Status::Ok();
}

}  // namespace orochi::sstable::internal
