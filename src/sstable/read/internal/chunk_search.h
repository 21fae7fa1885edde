#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/compression_info.h"

namespace orochi::sstable::internal {

/// Makes CompressionInfo.db anew from a whole Data.db: every chunk is followed by its checksum, so
/// where the bytes read so far have the checksum that follows them, and expand, a chunk ends.
/// `stored` is what could be read of the old one, tried first for the compressor and sizes.
/// Nothing when some chunk's end cannot be found; errors are those of reading.
Result<std::optional<CompressionInfo>> SearchChunks(io::FileSystem& files,
                                                    const std::string& data_path,
                                                    const CompressionInfo* stored);

}  // namespace orochi::sstable::internal
