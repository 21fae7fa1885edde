#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sstable/format/selection.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/read/internal/partition_cursor.h"
#include "sstable/read/internal/partition_rows.h"

namespace orochi::sstable::internal {

/// Partition after partition of a range, with the rows of a selection.
class ScanStream final : public UnfilteredStream {
 public:
  /// `begin_position_bytes` is the start of a partition, or the table's end; partitions from there
  /// on that are before the range are passed over.
  ScanStream(const PartitionSource& source, size_t fill_size_bytes, uint64_t begin_position_bytes,
             PartitionRange range, RowSelection selection);

  const Layout& layout() const override { return source_.layout; }
  Result<bool> NextPartition() override;
  const PartitionView& partition() const override { return cursor_.partition(); }
  const Unfiltered& static_row() const override { return cursor_.static_row(); }
  Result<bool> Next() override;
  const Unfiltered& current() const override { return rows_.current(); }

 private:
  Result<bool> FindPartition();
  Status LeavePartition();

  const PartitionSource& source_;
  PartitionRange range_;
  RowSelection selection_;
  PartitionCursor cursor_;
  PartitionRows rows_;
  uint64_t next_position_bytes_;
  bool in_partition_ = false;
  Status error_;
};

/// The one partition of a key, or none.
class LookupStream final : public UnfilteredStream {
 public:
  /// `index` outlives the stream. `entry` is what it says about the key.
  LookupStream(const PartitionSource& source, const PartitionIndex& index,
               std::vector<std::byte> key, std::optional<IndexEntry> entry, RowSelection selection);

  const Layout& layout() const override { return source_.layout; }
  Result<bool> NextPartition() override;
  const PartitionView& partition() const override { return cursor_.partition(); }
  const Unfiltered& static_row() const override { return cursor_.static_row(); }
  Result<bool> Next() override;
  const Unfiltered& current() const override { return rows_.current(); }

 private:
  Result<bool> OpenPartition();

  const PartitionSource& source_;
  const PartitionIndex& index_;
  std::vector<std::byte> key_;
  std::optional<IndexEntry> entry_;
  RowSelection selection_;
  PartitionCursor cursor_;
  PartitionRows rows_;
  bool in_partition_ = false;
  Status error_;
};

}  // namespace orochi::sstable::internal
