#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/compression_info.h"
#include "sstable/format/compressor.h"
#include "sstable/format/descriptor.h"

namespace orochi::sstable {

/// Data.db as the bytes of the table, whatever way it is stored: in compressed chunks, each
/// followed by its checksum, or plain, with the checksums of its blocks in CRC.db. Positions are
/// those of the uncompressed bytes.
///
/// Life:    Open; outlives the ChunkReaders and windows over it.
/// Threads: any, for what is const; one ChunkReader per thread.
class DataFile {
 public:
  struct Options {
    bool is_compressed = false;   // CompressionInfo.db belongs to the SSTable
    bool has_block_crcs = false;  // CRC.db does
    bool verify_checksums = true;
  };

  /// Errors name the file.
  static Result<std::unique_ptr<DataFile>> Open(io::FileSystem& files, const std::string& directory,
                                                const Descriptor& descriptor,
                                                const Options& options);

  /// Any other file, read in blocks of `block_size_bytes` without checksums.
  static Result<std::unique_ptr<DataFile>> OpenPlain(io::FileSystem& files, std::string path,
                                                     uint32_t block_size_bytes);

  /// What a Data.db is made of, from wherever that is known.
  struct Parts {
    std::optional<CompressionInfo> compression = {};  // of a known compressor
    uint32_t block_size_bytes = 0;                    // without compression
    std::vector<uint32_t> block_crcs = {};            // none: not checked
  };
  /// Data.db as `parts` say, which need not be true of all of it: chunks that are not there are
  /// errors when they are read. Plain data ends where the checksums do.
  static Result<std::unique_ptr<DataFile>> OpenParts(io::FileSystem& files, std::string path,
                                                     Parts parts);

  const std::string& name() const { return name_; }
  uint64_t size_bytes() const { return size_bytes_; }
  uint64_t stored_size_bytes() const { return stored_size_bytes_; }
  /// The unit of reading: a compressed chunk, or a block with a checksum.
  uint32_t chunk_size_bytes() const { return chunk_size_bytes_; }
  const std::optional<CompressionInfo>& compression() const { return compression_; }
  /// kCorruption "file: at offset N: ...".
  Status CorruptAt(uint64_t position_bytes, std::string_view what) const;

 private:
  friend class ChunkReader;
  DataFile() = default;
  Status CheckCompressionInfo(const std::string& path);
  Status LoadBlockCrcs(io::FileSystem& files, const std::string& path);

  std::string name_;
  std::unique_ptr<io::RandomAccessFile> file_;
  uint64_t stored_size_bytes_ = 0;
  uint64_t size_bytes_ = 0;
  uint32_t chunk_size_bytes_ = 0;
  bool verify_checksums_ = true;
  std::optional<CompressionInfo> compression_;
  CompressorKind compressor_ = CompressorKind::kNoop;
  std::vector<uint32_t> block_crcs_;  // of plain files; empty: not checked
};

/// Reads chunks of a DataFile, keeping the memory that needs between calls. Threads: one.
class ChunkReader {
 public:
  explicit ChunkReader(const DataFile& file);

  /// Fills `out` with the bytes from `position_bytes` on, checked against their checksums.
  /// REQUIRES: both ends at chunk boundaries, or the end at the file's.
  Status Read(uint64_t position_bytes, std::span<std::byte> out);

 private:
  Status ReadPlain(uint64_t position_bytes, std::span<std::byte> out);
  Status ReadCompressed(size_t first, size_t count, std::span<std::byte> out);
  Status Expand(size_t index, std::span<const std::byte> stored, std::span<std::byte> out);
  uint64_t StoredEnd(size_t index) const;

  const DataFile& file_;
  std::optional<ChunkCodec> codec_;
  std::vector<std::byte> stored_;
};

/// The whole content of a small file. kResourceExhausted above `size_bytes_max`; other errors carry
/// the path.
Result<std::vector<std::byte>> ReadWholeFile(io::FileSystem& files, const std::string& path,
                                             uint64_t size_bytes_max);

}  // namespace orochi::sstable
