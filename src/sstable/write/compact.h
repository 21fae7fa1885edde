#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/read/merge.h"
#include "sstable/read/reader.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {

struct CompactOptions {
  /// Version, compression and the like of what is written; OptionsLike() gives those of an input.
  /// The id and the minima are chosen by Compact.
  WriterOptions writer;
  uint64_t size_bytes_max = 0;  // of an output's uncompressed data; 0: one output
  MergeOptions merge;           // what to purge, which columns were dropped
};

/// Merges SSTables of one table into new ones in `directory`, numbered above those there. The
/// inputs stay. Empty when nothing is left after purging.
Result<std::vector<WrittenSstable>> Compact(
    const std::vector<std::unique_ptr<SstableReader>>& inputs, io::FileSystem& files,
    const std::string& directory, const CompactOptions& options);

}  // namespace orochi::sstable
