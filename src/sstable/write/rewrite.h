#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "sstable/read/reader.h"
#include "sstable/read/salvage.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {

/// Options with which a copy of what `reader` reads is like its source: version (the closest that
/// can be written), compression, bloom filter, the values that times are stored relative to, level
/// and repair. Its identifier is for the caller to choose.
Result<WriterOptions> OptionsLike(const SstableReader& reader);
Result<WriterOptions> OptionsLike(const SalvageReader& reader);

/// Writes all partitions of `reader` into a new SSTable of `directory`, row by row, tombstones and
/// what has expired included.
Result<WrittenSstable> Rewrite(const SstableReader& reader, io::FileSystem& files,
                               const std::string& directory, const WriterOptions& options);

/// Writes what can be read of a damaged SSTable into a new one of `directory`. Nothing, and no
/// file, when that is not one partition. What is lost is in the reader's report.
Result<std::optional<WrittenSstable>> Scrub(SalvageReader& reader, io::FileSystem& files,
                                            const std::string& directory,
                                            const WriterOptions& options);

}  // namespace orochi::sstable
