#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/file.h"
#include "sstable/format/layout.h"
#include "sstable/format/version.h"
#include "sstable/read/data_file.h"
#include "sstable/read/internal/row_index.h"
#include "sstable/read/internal/trie.h"

namespace orochi::sstable::internal {

/// Partitions.db and Rows.db.
///
///   Partitions.db   trie; u16 + first key, u16 + last key; i64 position of the first key,
///                   i64 key count, i64 root position
///     keys          the shortest prefixes of comparable keys that tell them apart
///     payload       bits 8 to 15: u8 hash (low byte of the second half of the key's Murmur3), then
///                   bits - 7 bytes signed; bits 1 to 7: so many bytes without a hash;
///                   not negative: position of an entry in Rows.db, else ~position in Data.db
///   Rows.db         for each partition of several blocks, its trie and then its entry:
///                   u16 + key, vint position in Data.db, signed vint root position - position
///                   after the key, vint block count, deletion time
class BtiIndex final : public PartitionIndex {
 public:
  /// Borrows the layout.
  static Result<std::unique_ptr<BtiIndex>> Open(io::FileSystem& files, std::string partitions_path,
                                                std::string rows_path, const Layout& layout,
                                                Version version);

  Result<std::optional<IndexEntry>> Find(Bytes key) const override;
  bool finds_whole_keys() const override { return false; }
  Result<uint64_t> PositionBefore(const PartitionBound& start) const override;
  Result<std::unique_ptr<RowIndex>> OpenRows(const IndexEntry& entry) const override;

  uint64_t key_count() const { return key_count_; }
  Bytes first_key() const { return first_key_; }
  Bytes last_key() const { return last_key_; }

  /// Hands out the entries that can be read, in no order; false when others cannot.
  bool ForEachEntry(const std::function<void(const IndexEntry&)>& visit) const;

  /// An entry of Rows.db.
  struct RowsEntry {
    std::vector<std::byte> key;
    uint64_t data_position_bytes = 0;
    uint64_t root_position_bytes = 0;
    uint64_t block_count = 0;
    DeletionTime deletion;
  };
  Result<RowsEntry> ReadRowsEntry(uint64_t position_bytes) const;

 private:
  BtiIndex(const Layout& layout, Version version) : layout_(layout), version_(version) {}
  Status LoadFooter();
  /// Nothing when the hash says that the entry is of another key.
  Result<std::optional<IndexEntry>> ReadPayload(const TrieNodes& node,
                                                std::optional<uint8_t> hash) const;

  const Layout& layout_;
  Version version_;
  std::unique_ptr<DataFile> partitions_;
  std::unique_ptr<DataFile> rows_;
  std::vector<std::byte> first_key_;
  std::vector<std::byte> last_key_;
  uint64_t key_count_ = 0;
  uint64_t root_position_bytes_ = 0;
};

/// The row index of one partition.
///
///   keys      separators: the first is empty, others are greater than every clustering before the
///             block and at most its first one; one more at the partition's end
///   payload   bits 1 to 7 of 8: so many bytes signed, the offset from the partition's start;
///             with bit 8, the deletion time open at the block's start follows in 12 bytes
class BtiRowIndex final : public RowIndex {
 public:
  BtiRowIndex(const DataFile& rows, const ClusteringFormat& clustering, Version version,
              BtiIndex::RowsEntry entry);

  Status Check(const PartitionView& partition, uint64_t header_size_bytes) const override;
  Result<RowBlock> Floor(const ClusteringView& bound) override;
  Result<std::optional<RowBlock>> Previous() override;

 private:
  Result<RowBlock> ReadPayload() const;

  const ClusteringFormat& clustering_;
  Version version_;
  BtiIndex::RowsEntry entry_;
  TrieCursor cursor_;
};

}  // namespace orochi::sstable::internal
