#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "io/file.h"
#include "sstable/format/summary.h"
#include "sstable/format/unfiltered.h"
#include "sstable/write/buffered_file.h"
#include "sstable/write/row_encoder.h"

namespace orochi::sstable {

/// Where one block of a partition's rows is. Spans are valid during the call.
struct RowBlock {
  /// First and last row or marker as Index.db has them: kind, then values.
  std::span<const std::byte> first;
  std::span<const std::byte> last;
  uint64_t offset_bytes = 0;  // from the partition's start
  uint64_t size_bytes = 0;
  DeletionTime open_at_end;  // live when no range tombstone is open
};

/// Index.db, an entry for each partition, and Summary.db, every so many'th of them.
///
///   u16 + key, vint position in Data.db, vint size of the rest (0: one block, no row index)
///   vint header size, partition deletion, vint block count
///   for each block: first, last, vint offset, signed vint size - 65536, u8 deletion open,
///                   [deletion]
///   for each block: i32 where it starts, from the first
///
/// Life:    (AddBlock* AddPartition)* -> Finish.    Threads: none.
/// Bounds:  the blocks of one partition and the summary are in memory.
class BigIndexWriter {
 public:
  BigIndexWriter(std::unique_ptr<io::WritableFile> index_file, const RowEncoder& encoder,
                 int32_t index_interval_min);

  Status AddBlock(const RowBlock& block);
  /// Ends the partition whose blocks were added. `header_size_bytes` reaches to its first row.
  Status AddPartition(Bytes key, const DeletionTime& deletion, uint64_t position_bytes,
                      uint64_t header_size_bytes);
  Status Finish();

  /// REQUIRES: Finish was called.
  std::vector<std::byte> EncodeSummary() const { return summary_.Encode(); }

 private:
  BufferedFile index_;
  const RowEncoder& encoder_;
  IndexSummary summary_;
  uint64_t partition_count_ = 0;
  std::vector<std::byte> blocks_;
  std::vector<uint32_t> block_offsets_;  // into blocks_
  std::vector<std::byte> entry_;
  std::vector<std::byte> last_key_;
};

}  // namespace orochi::sstable
