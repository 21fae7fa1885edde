#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sstable/format/version.h"

namespace orochi::sstable {

/// CompressionInfo.db: how Data.db is cut into chunks. No checksum protects it.
///
///   u16 + compressor's class name (the part after the last dot may stand alone)
///   i32 option count, for each u16 + name, u16 + value
///   i32 chunk length (uncompressed)
///   i32 largest compressed length; longer chunks are stored raw    from version na on
///   i64 data length (uncompressed)
///   i32 chunk count, i64 offset in Data.db for each
struct CompressionInfo {
  static constexpr int32_t kNeverRaw = 0x7FFF'FFFF;
  static constexpr uint32_t kChunkSizeBytesMax = 1u << 28;

  std::string compressor;
  std::vector<std::pair<std::string, std::string>> options;
  uint32_t chunk_size_bytes = 0;  // a power of two, at most kChunkSizeBytesMax
  int32_t compressed_size_bytes_max = kNeverRaw;
  uint64_t data_size_bytes = 0;
  std::vector<uint64_t> chunk_offsets;  // ascending; a chunk spans up to the next one's

  /// kCorruption for bytes that break the form or the rules above. Does not know Data.db's size.
  static Result<CompressionInfo> Decode(std::span<const std::byte> bytes, Version version);
  std::vector<std::byte> Encode(Version version) const;

  size_t chunk_count() const { return chunk_offsets.size(); }
  /// How many bytes of the table chunk `index` holds; 0 for an empty last chunk.
  uint32_t UncompressedSizeBytes(size_t index) const;
};

}  // namespace orochi::sstable
