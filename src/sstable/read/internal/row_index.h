#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "sstable/format/deletion_time.h"
#include "sstable/format/selection.h"
#include "sstable/format/unfiltered.h"

namespace orochi::sstable::internal {

/// A stretch of a wide partition that its row index points at.
struct RowBlock {
  uint64_t offset_bytes = 0;  // from the partition's start
  DeletionTime open;          // the range tombstone open where the block starts; live when none
};

/// Finds blocks of a partition by clustering. One partition, one thread.
class RowIndex {
 public:
  virtual ~RowIndex() = default;
  /// kCorruption where the index and Data.db disagree on the partition it belongs to.
  virtual Status Check(const PartitionView& partition, uint64_t header_size_bytes) const = 0;
  /// The last block that does not start behind `bound`: rows at or after it are in this block or
  /// later ones. The first block when all start behind.
  virtual Result<RowBlock> Floor(const ClusteringView& bound) = 0;
  /// The block before the one answered last; nothing before the first.
  virtual Result<std::optional<RowBlock>> Previous() = 0;
};

/// What an index says about a partition.
struct IndexEntry {
  uint64_t data_position_bytes = 0;
  /// Where the row index is, in Index.db or Rows.db; nothing for partitions of one block.
  std::optional<uint64_t> row_index_position_bytes;
  uint64_t row_index_size_bytes = 0;  // big only
};

/// The partition index of one SSTable. Threads: any; every call brings its own buffers.
class PartitionIndex {
 public:
  virtual ~PartitionIndex() = default;
  /// The entry of `key`. Nothing when it is not there; an index of key prefixes may answer an entry
  /// of another key, so the caller compares the key in Data.db.
  virtual Result<std::optional<IndexEntry>> Find(Bytes key) const = 0;
  /// False where Find may answer the entry of another key.
  virtual bool finds_whole_keys() const = 0;
  /// A position in Data.db, a partition's start or the end of the table, before which no partition
  /// is at or after `start`.
  virtual Result<uint64_t> PositionBefore(const PartitionBound& start) const = 0;
  /// The rows of a partition with a row index; `position_bytes` etc. come from Find.
  virtual Result<std::unique_ptr<RowIndex>> OpenRows(const IndexEntry& entry) const = 0;
};

}  // namespace orochi::sstable::internal
