#include "sstable/read/internal/scan_stream.h"

#include <utility>

namespace orochi::sstable::internal {

namespace {

/// Of a lookup: a chunk at a time, since most partitions are smaller.
constexpr size_t kLookupSizeBytes = 1;

// Hands out the result, and keeps the error for later calls, if there are any.
Result<bool> Remember(Result<bool> result, Status& error) {
  if (!result.ok()) {
    error = result.status();
    error.IgnoreError("handed out with the result");
  }
  return result;
}

}  // namespace

ScanStream::ScanStream(const PartitionSource& source, size_t fill_size_bytes,
                       uint64_t begin_position_bytes, PartitionRange range, RowSelection selection)
    : source_(source),
      range_(std::move(range)),
      selection_(std::move(selection)),
      cursor_(source, fill_size_bytes),
      rows_(cursor_, source.layout, selection_),
      next_position_bytes_(begin_position_bytes) {}

Result<bool> ScanStream::NextPartition() {
  return error_.ok() ? Remember(FindPartition(), error_) : Result<bool>(error_);
}

// Moves on to the next partition's start. Backwards the cursor is somewhere in the middle.
Status ScanStream::LeavePartition() {
  in_partition_ = false;
  if (selection_.reversed) {
    cursor_.SeekWithin(cursor_.body_position_bytes());
  }
  ASSIGN_OR_RETURN(next_position_bytes_, cursor_.SkipPartition());
  return Status::Ok();
}

Result<bool> ScanStream::FindPartition() {
  for (;;) {
    if (in_partition_) {
      RETURN_IF_ERROR(LeavePartition());
    }
    if (next_position_bytes_ >= source_.data.size_bytes()) {
      return false;
    }
    RETURN_IF_ERROR(cursor_.OpenPartition(next_position_bytes_));
    in_partition_ = true;
    if (!range_.everything()) {
      Bytes const key = partition().key;
      Token const token = TokenOf(source_.layout.partitioner, key);
      if (range_.end.has_value() && IsAfter(source_.layout, token, key, *range_.end)) {
        in_partition_ = false;
        next_position_bytes_ = source_.data.size_bytes();
        return false;
      }
      if (range_.start.has_value() && IsBefore(source_.layout, token, key, *range_.start)) {
        continue;
      }
    }
    RETURN_IF_ERROR(rows_.Begin(nullptr));
    return true;
  }
}

Result<bool> ScanStream::Next() {
  if (!error_.ok()) [[unlikely]] {
    return error_;
  }
  return Remember(rows_.Next(), error_);
}

LookupStream::LookupStream(const PartitionSource& source, const PartitionIndex& index,
                           std::vector<std::byte> key, std::optional<IndexEntry> entry,
                           RowSelection selection)
    : source_(source),
      index_(index),
      key_(std::move(key)),
      entry_(std::move(entry)),
      selection_(std::move(selection)),
      cursor_(source, kLookupSizeBytes),
      rows_(cursor_, source.layout, selection_) {}

Result<bool> LookupStream::NextPartition() {
  if (!error_.ok()) {
    return error_;
  }
  in_partition_ = false;
  if (!entry_.has_value()) {
    return false;
  }
  return Remember(OpenPartition(), error_);
}

Result<bool> LookupStream::OpenPartition() {
  IndexEntry const entry = *std::exchange(entry_, std::nullopt);
  RETURN_IF_ERROR(cursor_.OpenPartition(entry.data_position_bytes));
  if (CompareUnsigned(partition().key, key_) != 0) {
    if (index_.finds_whole_keys()) {
      return cursor_.CorruptAt(entry.data_position_bytes,
                               "the index says that another partition is here");
    }
    return false;
  }
  std::unique_ptr<RowIndex> rows;
  if (entry.row_index_position_bytes.has_value()) {
    ASSIGN_OR_RETURN(rows, index_.OpenRows(entry));
  }
  RETURN_IF_ERROR(rows_.Begin(std::move(rows)));
  in_partition_ = true;
  return true;
}

Result<bool> LookupStream::Next() {
  if (!error_.ok()) {
    return error_;
  }
  if (!in_partition_) {
    return false;
  }
  return Remember(rows_.Next(), error_);
}

}  // namespace orochi::sstable::internal
