#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/compression_info.h"
#include "sstable/format/compressor.h"

namespace orochi::sstable {

struct CompressionOptions {
  CompressorKind kind = CompressorKind::kLz4;
  int level = 0;                      // 0: the compressor's default
  uint32_t chunk_size_bytes = 16384;  // a power of two
  /// A chunk that stays this long or longer is stored as it is.
  int32_t compressed_size_bytes_max = CompressionInfo::kNeverRaw;
};

/// Writes a file through a buffer and keeps the CRC-32 of all that was written.
///
/// Life:    Append* -> Finish.    Threads: none.
class BufferedFile {
 public:
  explicit BufferedFile(std::unique_ptr<io::WritableFile> file) : file_(std::move(file)) {}

  Status Append(std::span<const std::byte> bytes);
  /// Flushes, syncs and closes.
  Status Finish();
  uint64_t position_bytes() const { return position_bytes_; }
  uint32_t crc() const { return crc_; }

 private:
  Status Flush();

  std::unique_ptr<io::WritableFile> file_;
  std::vector<std::byte> buffer_;
  uint64_t position_bytes_ = 0;
  uint32_t crc_ = 0;
};

/// Data.db, cut into chunks that are compressed and checksummed, or left as it is and checksummed
/// by blocks of 64 KiB for CRC.db.
///
/// Life:    Append* -> Finish, then the accessors below it.    Threads: none.
/// Bounds:  one chunk and its compressed form in memory, and 8 bytes a chunk.
class DataFileWriter {
 public:
  static constexpr uint32_t kCrcBlockSizeBytes = 65536;

  /// Without `compression` the file is not compressed.
  DataFileWriter(std::unique_ptr<io::WritableFile> file,
                 const std::optional<CompressionOptions>& compression);

  Status Append(std::span<const std::byte> bytes);
  /// In the uncompressed data.
  uint64_t position_bytes() const { return position_bytes_; }

  Status Finish();
  /// REQUIRES: Finish was called.
  uint64_t stored_size_bytes() const { return file_.position_bytes(); }
  /// Of the stored bytes those that are not checksums, to all: -1 where nothing is compressed.
  double compression_ratio() const;
  uint32_t digest() const { return file_.crc(); }
  /// Of a compressed file.
  const CompressionInfo& compression_info() const { return info_; }
  /// Of an uncompressed file: CRC.db.
  const std::vector<std::byte>& crc_component() const { return crc_component_; }

 private:
  Status WriteChunk();
  Status WriteCompressed();

  BufferedFile file_;
  std::optional<CompressionOptions> compression_;
  std::unique_ptr<ChunkCodec> codec_;
  size_t chunk_size_bytes_;
  std::vector<std::byte> chunk_;
  std::vector<std::byte> compressed_;
  uint64_t position_bytes_ = 0;
  CompressionInfo info_;
  std::vector<std::byte> crc_component_;
};

}  // namespace orochi::sstable
