#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orochi::sstable {

enum class CompressorKind : uint8_t { kLz4, kSnappy, kDeflate, kZstd, kNoop };

/// "LZ4Compressor", ...: the name as CompressionInfo.db has it.
std::string_view CompressorClassName(CompressorKind kind);
/// Takes the class name with or without its package. kUnsupported names the ones that work.
Result<CompressorKind> CompressorFromClassName(std::string_view name);

/// Compresses and expands the chunks of Data.db, each on its own:
///   LZ4      u32 little-endian uncompressed length, one raw block
///   Snappy   one raw block
///   Deflate  zlib stream
///   Zstd     one frame
///   Noop     the bytes
///
/// Threads: one at a time; keeps the libraries' working memory between calls.
class ChunkCodec {
 public:
  /// `level` is that of Deflate (1 to 12) and Zstd (1 to 22); 0 takes Cassandra's default.
  explicit ChunkCodec(CompressorKind kind, int level = 0);
  ~ChunkCodec();
  ChunkCodec(const ChunkCodec&) = delete;
  ChunkCodec& operator=(const ChunkCodec&) = delete;

  /// Fills `out` exactly. kCorruption when `input` does not expand to out.size() bytes.
  Status Decompress(std::span<const std::byte> input, std::span<std::byte> out);
  /// To how many bytes `input` expands, at most `size_bytes_max`: as it says itself, or, for
  /// Deflate, by expanding it. kCorruption when that cannot be told, or is more.
  Result<uint64_t> ExpandedSize(std::span<const std::byte> input, uint64_t size_bytes_max);
  /// Replaces `out` by the compressed form of `input`, which may be longer than it.
  Status Compress(std::span<const std::byte> input, std::vector<std::byte>& out);

 private:
  struct Libraries;
  Status DecompressLz4(std::span<const std::byte> input, std::span<std::byte> out);
  Status DecompressSnappy(std::span<const std::byte> input, std::span<std::byte> out);
  Status DecompressDeflate(std::span<const std::byte> input, std::span<std::byte> out);
  Status DecompressZstd(std::span<const std::byte> input, std::span<std::byte> out);

  CompressorKind kind_;
  int level_;
  std::unique_ptr<Libraries> libraries_;
};

}  // namespace orochi::sstable
