#pragma once

#include <string>

#include "base/result.h"
#include "sstable/read/reader.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {

/// Options with which a copy of what `reader` reads is like its source: version (the closest that
/// can be written), compression, bloom filter, the values that times are stored relative to, level
/// and repair. Its identifier is for the caller to choose.
Result<WriterOptions> OptionsLike(const SstableReader& reader);

/// Writes all partitions of `reader` into a new SSTable of `directory`, row by row, tombstones and
/// what has expired included.
Result<WrittenSstable> Rewrite(const SstableReader& reader, io::FileSystem& files,
                               const std::string& directory, const WriterOptions& options);

}  // namespace orochi::sstable
