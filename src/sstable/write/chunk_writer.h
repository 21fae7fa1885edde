#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/compression_info.h"
#include "sstable/format/compressor.h"
#include "sstable/write/buffered_file.h"

namespace orochi::sstable {

struct CompressionOptions {
  CompressorKind kind = CompressorKind::kLz4;
  int level = 0;                      // 0: the compressor's default
  uint32_t chunk_size_bytes = 16384;  // a power of two
  /// A chunk that stays this long or longer is stored as it is.
  int32_t compressed_size_bytes_max = CompressionInfo::kNeverRaw;
};

/// Data.db from whole chunks: compressed and checksummed each, or left as they are and checksummed
/// for CRC.db.
///
/// Life:    Write* -> Finish, then the accessors.    Threads: one at a time.
/// Bounds:  the compressed form of a chunk, and 8 bytes a chunk.
class ChunkWriter {
 public:
  /// Without `compression` the file is not compressed.
  ChunkWriter(std::unique_ptr<io::WritableFile> file,
              const std::optional<CompressionOptions>& compression,
              uint32_t uncompressed_chunk_size_bytes);

  /// A chunk of the full size, or the last one. It may be made longer.
  Status Write(std::vector<std::byte>& chunk);
  /// `data_size_bytes` is that of all chunks.
  Status Finish(uint64_t data_size_bytes);

  uint64_t stored_size_bytes() const { return file_.position_bytes(); }
  uint32_t digest() const { return file_.crc(); }
  const CompressionInfo& compression_info() const { return info_; }
  const std::vector<std::byte>& crc_component() const { return crc_component_; }

 private:
  Status WriteCompressed(std::vector<std::byte>& chunk);

  BufferedFile file_;
  std::optional<CompressionOptions> compression_;
  std::unique_ptr<ChunkCodec> codec_;
  std::vector<std::byte> compressed_;
  CompressionInfo info_;
  std::vector<std::byte> crc_component_;
};

}  // namespace orochi::sstable
