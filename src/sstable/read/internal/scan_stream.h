#pragma once

#include <cstdint>

#include "sstable/format/unfiltered_stream.h"
#include "sstable/read/internal/partition_cursor.h"

namespace orochi::sstable::internal {

/// All partitions that start in [begin, end) of Data.db, whole.
class ScanStream final : public UnfilteredStream {
 public:
  ScanStream(const PartitionSource& source, size_t fill_size_bytes, uint64_t begin_position_bytes,
             uint64_t end_position_bytes);

  const Layout& layout() const override { return source_.layout; }
  Result<bool> NextPartition() override;
  const PartitionView& partition() const override { return cursor_.partition(); }
  const Unfiltered& static_row() const override { return cursor_.static_row(); }
  Result<bool> Next() override;
  const Unfiltered& current() const override { return cursor_.current(); }

 private:
  Status Advance(bool& found);
  Status CheckMarker(const Unfiltered& marker);

  const PartitionSource& source_;
  PartitionCursor cursor_;
  uint64_t next_position_bytes_;
  uint64_t end_position_bytes_;
  bool in_partition_ = false;
  bool deletion_is_open_ = false;
  Status error_;
};

}  // namespace orochi::sstable::internal
