#include "sstable/read/internal/partition_cursor.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable::internal {

namespace {

using Outcome = UnfilteredDecoder::Outcome;
constexpr size_t kKeyLengthSizeBytes = 2;
constexpr size_t kDeletionSizeBytesMax = 12;

Unfiltered EmptyStaticRow() {
  Unfiltered row;
  row.clustering.kind = ClusteringKind::kStatic;
  return row;
}

}  // namespace

PartitionCursor::PartitionCursor(const PartitionSource& source, size_t fill_size_bytes)
    : source_(source),
      window_(source.data, fill_size_bytes),
      fill_size_bytes_(fill_size_bytes),
      decoder_(source.layout, source.header, source.version),
      static_decoder_(source.layout, source.header, source.version),
      static_row_(EmptyStaticRow()) {}

// Reads so much that needed_bytes from here on are in memory, and at least one byte more than now.
Status PartitionCursor::WantMore(uint64_t needed_bytes) {
  uint64_t const wanted = std::max<uint64_t>(needed_bytes, window_.available() + 1);
  if (wanted > window_.remaining_bytes()) {
    return CorruptAt(window_.position_bytes(),
                     StrCat("what starts here needs ", wanted, " bytes, the table has ",
                            window_.remaining_bytes(), " more"));
  }
  if (wanted > source_.row_size_bytes_max) {
    return Status::ResourceExhausted(
        StrCat(source_.data.name(), ": at offset ", window_.position_bytes(), ": a row of ", wanted,
               " bytes, at most ", source_.row_size_bytes_max, " are read"));
  }
  return window_.Ensure(wanted);
}

Status PartitionCursor::CheckPosition(uint64_t position_bytes) const {
  if (position_bytes < source_.data.size_bytes()) {
    return Status::Ok();
  }
  return CorruptAt(position_bytes, StrCat("an index points here, but the table has ",
                                          source_.data.size_bytes(), " bytes"));
}

Status PartitionCursor::OpenPartition(uint64_t position_bytes) {
  RETURN_IF_ERROR(CheckPosition(position_bytes));
  window_.Seek(position_bytes);
  current_size_bytes_ = 0;
  at_partition_end_ = false;
  header_is_read_ = false;
  partition_ = PartitionView();
  partition_.position_bytes = position_bytes;
  RETURN_IF_ERROR(ReadPartitionHeader());
  if (!source_.layout.statics.empty()) {
    RETURN_IF_ERROR(ReadStaticRow());
  }
  body_position_bytes_ = window_.position_bytes();
  partition_.body_position_bytes = body_position_bytes_;
  return Status::Ok();
}

Status PartitionCursor::ReadPartitionHeader() {
  uint64_t const position = window_.position_bytes();
  if (window_.available() < kKeyLengthSizeBytes) {
    RETURN_IF_ERROR(WantMore(kKeyLengthSizeBytes));
  }
  size_t const key_size_bytes = LoadBigEndian<uint16_t>(window_.at());
  // The deletion's short form may be the last thing in the file but for one byte.
  size_t const needed = kKeyLengthSizeBytes + key_size_bytes + 1;
  if (window_.available() < needed + kDeletionSizeBytesMax) {
    // The long form may not fit in front of a chunk that cannot be read, while the short one does.
    Status const whole = window_.Ensure(needed + kDeletionSizeBytesMax);
    if (!whole.ok()) {
      RETURN_IF_ERROR(window_.Ensure(needed));
    }
    if (window_.available() < needed) {
      return CorruptAt(position, StrCat("a key of ", key_size_bytes, " bytes, the table has ",
                                        window_.remaining_bytes(), " more"));
    }
  }
  const std::byte* const key = window_.at() + kKeyLengthSizeBytes;
  key_.assign(key, key + key_size_bytes);
  partition_.key = key_;
  const std::byte* const deletion = key + key_size_bytes;
  const std::byte* const next = UnfilteredDecoder::DecodeDeletionTime(
      deletion, window_.end(), source_.version, partition_.deletion);
  uint64_t const deletion_position = position + kKeyLengthSizeBytes + key_size_bytes;
  if (next == nullptr) {
    return CorruptAt(deletion_position, "no deletion time of a partition can be read here");
  }
  RETURN_IF_ERROR(CheckDeletion(partition_.deletion, deletion_position));
  window_.Advance(static_cast<size_t>(next - window_.at()));
  header_is_read_ = true;
  return Status::Ok();
}

// Files of 5.0's alphas carry its version letters, but the deletion times of 4.x, whose fields come
// in the other order: read as ours they are deletions in the far future, which would hide rows.
Status PartitionCursor::CheckDeletion(const DeletionTime& deletion, uint64_t position_bytes) const {
  if (!source_.version.has_unsigned_deletion_times() || deletion.live() ||
      deletion.marked_for_delete_at <= source_.timestamp_max) {
    return Status::Ok();
  }
  return CorruptAt(position_bytes,
                   StrCat("the partition is deleted at ", deletion.marked_for_delete_at,
                          ", the largest timestamp of the table is ", source_.timestamp_max,
                          " (files of prereleases of this version have another form)"));
}

Status PartitionCursor::ReadStaticRow() {
  uint64_t const position = window_.position_bytes();
  for (;;) {
    Outcome const outcome = static_decoder_.DecodeHead(window_.at(), window_.end());
    if (outcome == Outcome::kNeedMore) {
      RETURN_IF_ERROR(WantMore(static_decoder_.needed_bytes()));
    } else if (outcome == Outcome::kCorrupt) {
      return CorruptAt(position + static_decoder_.error_offset(), static_decoder_.error());
    } else if (outcome == Outcome::kEndOfPartition || !static_decoder_.value().is_row() ||
               !static_decoder_.value().is_static()) {
      return CorruptAt(position, "a static row is expected here");
    } else if (static_decoder_.total_size_bytes() > window_.available()) {
      RETURN_IF_ERROR(WantMore(static_decoder_.total_size_bytes()));
    } else {
      break;
    }
  }
  auto const size_bytes = static_cast<size_t>(static_decoder_.total_size_bytes());
  static_bytes_.assign(window_.at(), window_.at() + size_bytes);
  const std::byte* const begin = static_bytes_.data();
  Outcome outcome = static_decoder_.DecodeHead(begin, begin + size_bytes);
  ASSERT(outcome == Outcome::kDone);  // the same bytes as above
  outcome = static_decoder_.DecodeBody(begin, begin + size_bytes);
  if (outcome != Outcome::kDone) {
    return CorruptAt(position + static_decoder_.error_offset(), static_decoder_.error());
  }
  static_row_ = static_decoder_.value();
  window_.Advance(size_bytes);
  return Status::Ok();
}

Result<bool> PartitionCursor::NextHead() {
  if (at_partition_end_) {
    return false;
  }
  window_.Advance(static_cast<size_t>(current_size_bytes_));
  current_size_bytes_ = 0;
  for (;;) {
    Outcome const outcome = decoder_.DecodeHead(window_.at(), window_.end());
    if (outcome == Outcome::kDone) [[likely]] {
      if (decoder_.total_size_bytes() > window_.available()) {
        RETURN_IF_ERROR(WantMore(decoder_.total_size_bytes()));
        continue;
      }
      if (current().is_static()) {
        return CorruptAt(position_bytes(), "a static row is not the first of its partition");
      }
      current_size_bytes_ = decoder_.total_size_bytes();
      decoder_.set_position_bytes(position_bytes());
      return true;
    }
    if (outcome == Outcome::kEndOfPartition) {
      window_.Advance(1);
      at_partition_end_ = true;
      return false;
    }
    if (outcome == Outcome::kCorrupt) {
      return CorruptAt(position_bytes() + decoder_.error_offset(), decoder_.error());
    }
    RETURN_IF_ERROR(WantMore(decoder_.needed_bytes()));
  }
}

Status PartitionCursor::DecodeBody() {
  Outcome const outcome = decoder_.DecodeBody(window_.at(), window_.end());
  if (outcome == Outcome::kDone) [[likely]] {
    return Status::Ok();
  }
  ASSERT(outcome == Outcome::kCorrupt);  // NextHead made the whole of it available
  return CorruptAt(position_bytes() + decoder_.error_offset(), decoder_.error());
}

Result<bool> PartitionCursor::Next() {
  Result<bool> found = NextHead();
  if (found.ok() && *found) {
    RETURN_IF_ERROR(DecodeBody());
  }
  return found;
}

void PartitionCursor::SeekWithin(uint64_t position_bytes) {
  window_.Seek(position_bytes);
  current_size_bytes_ = 0;
  at_partition_end_ = false;
}

Status PartitionCursor::SeekBackWithin(uint64_t position_bytes, uint64_t size_bytes,
                                       uint64_t begin_position_bytes) {
  SeekWithin(position_bytes);
  if (window_.available() < size_bytes) {
    uint64_t const end = position_bytes + size_bytes;
    uint64_t const from = end - begin_position_bytes > fill_size_bytes_
                              ? std::min(position_bytes, end - fill_size_bytes_)
                              : begin_position_bytes;
    SeekWithin(from);
    RETURN_IF_ERROR(window_.Ensure(end - from));
    SeekWithin(position_bytes);
  }
  return Status::Ok();
}

Result<uint64_t> PartitionCursor::SkipPartition() {
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, NextHead());
    if (!found) {
      return window_.position_bytes();
    }
  }
}

}  // namespace orochi::sstable::internal
