#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file.h"
#include "sstable/read/data_file.h"
#include "sstable/read/internal/partition_cursor.h"
#include "sstable/read/salvage.h"

namespace orochi::sstable::internal {

/// The components of a damaged SSTable that its rows need, as far as they can be had.
struct SalvageSource {
  struct Range {
    uint64_t begin_bytes;
    uint64_t end_bytes;
  };

  Descriptor descriptor;
  Statistics statistics = {};
  Layout layout = {};
  std::unique_ptr<DataFile> data = {};
  std::vector<Range> unreadable = {};  // of `data`, ascending, apart from each other
  bool has_stats = true;               // statistics.stats is what the file says
  bool has_checksums = true;           // what can be read of `data` is what was written

  /// Reads every chunk once. `notes` gets a line for each component that is not what it should be.
  static Result<std::unique_ptr<SalvageSource>> Open(io::FileSystem& files,
                                                     const std::string& directory,
                                                     const Descriptor& descriptor,
                                                     std::vector<std::string>& notes);

  PartitionSource partition_source() const;
  /// The first readable position at or after `position_bytes`.
  uint64_t ReadableFrom(uint64_t position_bytes) const;
  /// Where the unreadable range after `position_bytes` begins, or the end of the data.
  uint64_t ReadableUntil(uint64_t position_bytes) const;
};

/// True for errors that salvage is there for: wrong bytes, and disks that do not give them.
bool IsDamage(const Status& status);

}  // namespace orochi::sstable::internal
