#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "columnar/column.h"
#include "columnar/stripe_reader.h"

namespace orochi::columnar::internal {

/// A chunk as the footer describes it.
struct StoredChunk {
  ChunkInfo info;
  uint64_t raw_size_bytes = 0;    // after general decompression
  uint64_t value_size_bytes = 0;  // kBytes: all non-NULL values, decoded, one after the other
  uint32_t crc = 0;               // CRC-32C of the stored bytes
};

/// The end of a stripe. Chunks lie in the order of `chunks`, without gaps, from the stripe's
/// first byte to the footer. docs/formats/columnar.md draws the bytes.
struct Footer {
  Schema schema;
  uint32_t row_count = 0;
  std::vector<uint32_t> row_group_rows;
  std::vector<StoredChunk> chunks;  // [column][row group], column-major

  size_t ChunkIndex(uint32_t row_group, uint32_t column) const {
    return size_t{column} * row_group_rows.size() + row_group;
  }
};

inline constexpr uint32_t kFooterVersion = 1;
inline constexpr uint32_t kColumnCountMax = 4096;
/// The decoded values of one kBytes chunk.
inline constexpr uint64_t kChunkValueBytesMax = uint64_t{1} << 30;

/// The largest raw_size_bytes a writer makes: no encoding is chosen that is larger than kPlain.
uint64_t RawSizeBytesMax(PhysicalType type, uint32_t row_count, uint64_t value_size_bytes);

/// Replaces `out` by the footer's bytes, CRC included. Offsets are implied by sizes.
void EncodeFooter(const Footer& footer, std::vector<std::byte>& out);

/// Checks and decodes the footer of a stripe of `stripe_size_bytes`. Allocates no more than a
/// small multiple of `bytes`. kUnsupported for a newer version or an unknown enum number.
Result<Footer> DecodeFooter(std::span<const std::byte> bytes, uint64_t stripe_size_bytes);

}  // namespace orochi::columnar::internal
