#pragma once

#include <cstdint>
#include <vector>

#include "sstable/format/clustering.h"
#include "sstable/format/version.h"
#include "sstable/read/data_window.h"
#include "sstable/read/internal/row_index.h"

namespace orochi::sstable::internal {

/// The row index inside an entry of Index.db. Blocks are read one by one: the index of a very wide
/// partition is never held whole. Its form is drawn in big_index.h.
///
/// Life:    Open -> the rest.    Borrows: the file and the format.
class BigRowIndex final : public RowIndex {
 public:
  BigRowIndex(const DataFile& file, const ClusteringFormat& clustering, Version version);

  Status Open(uint64_t position_bytes, uint64_t size_bytes);

  Status Check(const PartitionView& partition, uint64_t header_size_bytes) const override;
  Result<RowBlock> Floor(const ClusteringView& bound) override;
  Result<std::optional<RowBlock>> Previous() override;

  uint32_t block_count() const { return block_count_; }
  const DeletionTime& partition_deletion() const { return deletion_; }
  /// A block as stored. Views are valid until the next call.
  struct Block {
    ClusteringView first;
    ClusteringView last;
    uint64_t offset_bytes = 0;
    uint64_t width_bytes = 0;
    DeletionTime open_at_end;
  };
  Status ReadBlock(uint32_t index, Block& block);

 private:
  Result<RowBlock> BlockAt(uint32_t index);
  Result<uint32_t> OffsetOf(uint32_t index);

  DataWindow window_;
  const ClusteringFormat& clustering_;
  Version version_;
  uint64_t blocks_position_bytes_ = 0;
  uint64_t offsets_position_bytes_ = 0;  // blocks end here
  uint64_t header_size_bytes_ = 0;
  DeletionTime deletion_;
  uint32_t block_count_ = 0;
  uint32_t current_ = 0;
  std::vector<ClusteringValue> first_values_;
  std::vector<ClusteringValue> last_values_;
};

}  // namespace orochi::sstable::internal
