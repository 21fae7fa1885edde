#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "io/file.h"
#include "sstable/format/descriptor.h"
#include "sstable/format/layout.h"
#include "sstable/read/internal/big_index.h"
#include "sstable/read/internal/bti_index.h"

namespace orochi::sstable::internal {

/// Where partitions start, from an index that may be damaged.
///
/// Threads: none.    Borrows: the layout.
/// Memory:  sixteen bytes a partition.
class PartitionStarts {
 public:
  /// What the index says of one partition.
  struct Start {
    uint64_t position_bytes = 0;
    std::optional<std::vector<std::byte>> key;  // big: always; bti: of wide partitions
    std::optional<DeletionTime> deletion;       // of wide partitions
  };

  /// Reads what can be read. Never fails: there may be no starts.
  PartitionStarts(io::FileSystem& files, const std::string& directory, const Descriptor& descriptor,
                  const Layout& layout, uint64_t data_size_bytes);

  /// True when every entry could be read and they make sense together: then there is no partition
  /// but these.
  bool complete() const { return complete_; }
  /// The first start after `position_bytes`; nothing when there is none.
  std::optional<uint64_t> After(uint64_t position_bytes) const;
  /// Nothing when no partition is said to start there.
  std::optional<Start> At(uint64_t position_bytes) const;

 private:
  struct Entry {
    uint64_t data_position_bytes;
    uint64_t index_position_bytes;  // big: in Index.db; bti: in Rows.db, or kNone
  };
  static constexpr uint64_t kNone = UINT64_MAX;

  void LoadBig(io::FileSystem& files, const std::string& index_path,
               const std::string& summary_path);
  void LoadBti(io::FileSystem& files, const std::string& partitions_path,
               const std::string& rows_path);

  const Layout& layout_;
  Version version_;
  std::unique_ptr<BigIndex> big_;
  std::unique_ptr<BtiIndex> bti_;
  std::vector<Entry> entries_;  // ascending, none twice
  bool complete_ = false;
};

}  // namespace orochi::sstable::internal
