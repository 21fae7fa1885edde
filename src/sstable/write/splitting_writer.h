#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {

/// The generations that SSTables of `directory` may have next: one above the highest number in use,
/// whatever the version; 1 for a directory that does not exist.
Result<uint64_t> NextGeneration(io::FileSystem& files, const std::string& directory);

/// Writes a table as one SSTable or several: the next one is begun when one has `size_bytes_max` of
/// uncompressed data at the end of a partition. A partition is never split.
///
/// Life:    Write* -> Finish. SSTables that are finished stay when a later one fails.
/// Threads: none.    Borrows: the file system.
class SplittingWriter {
 public:
  /// `options.id` is not used: SSTables are numbered from `generation` on. `size_bytes_max` 0 means
  /// one SSTable.
  SplittingWriter(io::FileSystem& files, std::string directory, Layout layout,
                  WriterOptions options, uint64_t generation, uint64_t size_bytes_max);

  /// Writes all of a stream whose partitions come after those written before.
  Status Write(UnfilteredStream& stream);
  /// Finishes the last SSTable. Empty when there was no partition.
  Result<std::vector<WrittenSstable>> Finish();

 private:
  Status StartPartition(const UnfilteredStream& stream);
  Status FinishCurrent();

  io::FileSystem& files_;
  std::string directory_;
  Layout layout_;
  WriterOptions options_;
  uint64_t generation_;
  uint64_t size_bytes_max_;
  std::unique_ptr<SstableWriter> writer_;
  std::vector<WrittenSstable> written_;
};

}  // namespace orochi::sstable
