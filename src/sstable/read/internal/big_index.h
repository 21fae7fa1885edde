#pragma once

#include <memory>
#include <string>

#include "io/file.h"
#include "sstable/format/layout.h"
#include "sstable/format/summary.h"
#include "sstable/format/version.h"
#include "sstable/read/data_file.h"
#include "sstable/read/data_window.h"
#include "sstable/read/internal/row_index.h"

namespace orochi::sstable::internal {

/// Index.db and Summary.db. Index.db has an entry for each partition, in the order of Data.db:
///
///   u16 + key
///   vint position in Data.db
///   vint size of what follows; 0 for partitions of one block
///     vint size of the partition's header, deletion time
///     vint block count
///     blocks: first and last clustering prefix, vint offset from the partition's start,
///             signed vint width - 65536, u8 + [deletion time open at the block's end]
///     i32 offset of each block from the first one
class BigIndex final : public PartitionIndex {
 public:
  /// Without a Summary.db the keys are sampled from Index.db. Borrows the layout.
  static Result<std::unique_ptr<BigIndex>> Open(io::FileSystem& files, std::string index_path,
                                                const std::string* summary_path,
                                                const Layout& layout, Version version);

  Result<std::optional<IndexEntry>> Find(Bytes key) const override;
  bool finds_whole_keys() const override { return true; }
  Result<uint64_t> PositionBefore(const PartitionBound& start) const override;
  Result<std::unique_ptr<RowIndex>> OpenRows(const IndexEntry& entry) const override;

  const IndexSummary& summary() const { return summary_; }
  const DataFile& file() const { return *file_; }

  /// Entry by entry from a position in Index.db. Threads: one.
  class Entries {
   public:
    Entries(const BigIndex& index, uint64_t position_bytes, size_t fill_size_bytes);
    /// False at the end of the file. Views are valid until the next call.
    Result<bool> Next();
    Bytes key() const { return key_; }
    const IndexEntry& entry() const { return entry_; }
    uint64_t position_bytes() const { return position_bytes_; }
    uint64_t next_position_bytes() const { return next_position_bytes_; }

   private:
    DataWindow window_;
    uint64_t position_bytes_ = 0;
    uint64_t next_position_bytes_;
    Bytes key_;
    IndexEntry entry_;
  };

 private:
  BigIndex(const Layout& layout, Version version) : layout_(layout), version_(version) {}
  Status LoadSummary(io::FileSystem& files, const std::string& path);
  Status SampleKeys();
  /// The last sampled entry at or before the key; nothing when all are after it.
  std::optional<size_t> SampleBefore(const Token& token, Bytes key) const;

  const Layout& layout_;
  Version version_;
  std::unique_ptr<DataFile> file_;
  IndexSummary summary_;
};

}  // namespace orochi::sstable::internal
