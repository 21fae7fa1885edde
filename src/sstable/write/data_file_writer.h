#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/write/chunk_thread.h"
#include "sstable/write/chunk_writer.h"

namespace orochi::sstable {

/// Data.db, cut into chunks that are compressed and checksummed, or left as it is and checksummed
/// by blocks of 64 KiB for CRC.db.
///
/// Life:    Append* -> Finish, then the accessors below it.
/// Threads: none for the caller; with `threaded` chunks are compressed and written by another one.
/// Bounds:  one chunk and its compressed form in memory, ChunkThread::kChunksMax more with a
///          thread, and 8 bytes a chunk.
class DataFileWriter {
 public:
  static constexpr uint32_t kCrcBlockSizeBytes = 65536;

  /// Without `compression` the file is not compressed.
  DataFileWriter(std::unique_ptr<io::WritableFile> file,
                 const std::optional<CompressionOptions>& compression, bool threaded = false);

  Status Append(std::span<const std::byte> bytes);
  /// In the uncompressed data.
  uint64_t position_bytes() const { return position_bytes_; }

  Status Finish();
  /// REQUIRES: Finish was called.
  uint64_t stored_size_bytes() const { return chunks_.stored_size_bytes(); }
  /// Of the stored bytes those that are not checksums, to all: -1 where nothing is compressed.
  double compression_ratio() const;
  uint32_t digest() const { return chunks_.digest(); }
  /// Of a compressed file.
  const CompressionInfo& compression_info() const { return chunks_.compression_info(); }
  /// Of an uncompressed file: CRC.db.
  const std::vector<std::byte>& crc_component() const { return chunks_.crc_component(); }

 private:
  Status WriteChunk();

  bool compressed_;
  size_t chunk_size_bytes_;
  std::vector<std::byte> chunk_;
  uint64_t position_bytes_ = 0;
  ChunkWriter chunks_;
  std::unique_ptr<ChunkThread> thread_;  // gone before the chunk writer
};

}  // namespace orochi::sstable
