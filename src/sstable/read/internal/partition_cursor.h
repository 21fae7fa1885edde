#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "sstable/read/data_window.h"
#include "sstable/read/internal/unfiltered_decoder.h"

namespace orochi::sstable::internal {

/// What reading the partitions of one Data.db needs to know. Outlives the cursors.
struct PartitionSource {
  const DataFile& data;
  const Layout& layout;
  const SerializationHeader& header;
  Version version;
  /// No partition is deleted by something newer: from Statistics.db.
  int64_t timestamp_max;
  uint64_t row_size_bytes_max;
};

/// Walks the partitions of Data.db and the rows and markers inside them, one after the other or
/// from a position that an index gave.
///
/// Life:    OpenPartition -> (Next | NextHead DecodeBody?)*, at the end AtPartitionEnd.
/// Threads: none.    Borrows: the source.
class PartitionCursor {
 public:
  /// `fill_size_bytes` is how much is read at a time.
  PartitionCursor(const PartitionSource& source, size_t fill_size_bytes);

  /// Reads the key, the deletion and the static row of the partition at `position_bytes`.
  Status OpenPartition(uint64_t position_bytes);
  const PartitionView& partition() const { return partition_; }
  /// True when key and deletion were read, also where OpenPartition failed at the static row.
  bool header_is_read() const { return header_is_read_; }
  const Unfiltered& static_row() const { return static_row_; }
  /// Where the partition's first row or marker is.
  uint64_t body_position_bytes() const { return body_position_bytes_; }

  /// Moves to the next row or marker and decodes it; false at the partition's end.
  Result<bool> Next();
  /// Moves to it and decodes what it takes to know its place and size.
  Result<bool> NextHead();
  Status DecodeBody();
  const Unfiltered& current() const { return decoder_.value(); }
  /// Of what Next or NextHead moved to.
  uint64_t position_bytes() const { return window_.position_bytes(); }
  uint64_t size_bytes() const { return current_size_bytes_; }
  uint64_t stored_previous_size_bytes() const { return decoder_.previous_size_bytes(); }
  bool at_partition_end() const { return at_partition_end_; }

  /// Continues with the row or marker at `position_bytes` of the same partition.
  void SeekWithin(uint64_t position_bytes);
  /// The same for one that is read backwards: what is before it, down to `begin_position_bytes`, is
  /// read along, so that the next steps back find it in memory.
  Status SeekBackWithin(uint64_t position_bytes, uint64_t size_bytes,
                        uint64_t begin_position_bytes);
  /// Passes over the rest of the partition. Returns where the next one starts.
  Result<uint64_t> SkipPartition();

  /// kCorruption for a position, from an index, outside the table.
  Status CheckPosition(uint64_t position_bytes) const;
  Status CorruptAt(uint64_t position_bytes, std::string_view what) const {
    return source_.data.CorruptAt(position_bytes, what);
  }

 private:
  Status ReadPartitionHeader();
  Status ReadStaticRow();
  Status WantMore(uint64_t needed_bytes);
  Status CheckDeletion(const DeletionTime& deletion, uint64_t position_bytes) const;

  const PartitionSource& source_;
  DataWindow window_;
  size_t fill_size_bytes_;
  UnfilteredDecoder decoder_;
  UnfilteredDecoder static_decoder_;
  PartitionView partition_;
  std::vector<std::byte> key_;
  Unfiltered static_row_;
  std::vector<std::byte> static_bytes_;  // static_row_ points into it
  uint64_t body_position_bytes_ = 0;
  uint64_t current_size_bytes_ = 0;  // 0 before the first Next
  bool at_partition_end_ = true;
  bool header_is_read_ = false;
};

}  // namespace orochi::sstable::internal
