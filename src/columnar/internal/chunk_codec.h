#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "columnar/column.h"
#include "columnar/internal/column_buffer.h"
#include "columnar/internal/footer.h"
#include "columnar/internal/value_decoder.h"
#include "columnar/internal/value_encoder.h"
#include "columnar/internal/value_lookup.h"

namespace orochi::columnar::internal {

/// A chunk ready to be stored.
struct EncodedChunk {
  StoredChunk stored;  // info.offset_bytes is not known yet
  std::vector<std::byte> bytes;
};

/// Turns rows of one column into stored bytes and back. Keeps scratch space between calls.
///
/// Threads: none.
class ChunkEncoder {
 public:
  ChunkEncoder(codec::Compression compression, int compression_level)
      : compression_(compression), compression_level_(compression_level) {}

  /// Chooses the smallest encoding for what `buffer` holds. REQUIRES: buffer.row_count() > 0.
  Status Encode(const ColumnBuffer& buffer, EncodedChunk& chunk);

 private:
  struct Attempt {
    Encoding encoding = Encoding::kPlain;
    codec::Compression compression = codec::Compression::kNone;
    std::vector<std::byte> raw;
    std::vector<std::byte> compressed;  // means something unless compression is kNone

    std::span<const std::byte> stored() const {
      return compression == codec::Compression::kNone ? raw : compressed;
    }
  };

  Status EncodeAs(Encoding encoding, const ColumnBuffer& buffer, Attempt& attempt);

  codec::Compression compression_;
  int compression_level_;
  ValueEncoder values_;
  Attempt best_;
  Attempt other_;
};

class ChunkDecoder {
 public:
  /// Checks the CRC of `bytes` and decodes them into `out`, replacing what it held. Survives any
  /// bytes; memory is bounded by what `chunk` promises. REQUIRES: `chunk` passed DecodeFooter.
  Status Decode(PhysicalType type, const StoredChunk& chunk, std::span<const std::byte> bytes,
                ColumnVector& out);

  /// One row of the same. A cell of bytes borrows from `bytes` or this object until the next call.
  /// Leaves in `shortcut`, the chunk's own or null, what helps to find the next.
  /// REQUIRES: row < chunk.info.row_count.
  Status ReadCell(PhysicalType type, const StoredChunk& chunk, std::span<const std::byte> bytes,
                  uint32_t row, CellShortcut* shortcut, Cell& cell);
  /// The same of bytes that were checked and decompressed: CellShortcut::raw. The cell borrows
  /// from them.
  Status FindCell(PhysicalType type, const StoredChunk& chunk, std::span<const std::byte> raw,
                  uint32_t row, CellShortcut* shortcut, Cell& cell);

  size_t memory_bytes() const { return raw_.capacity() + lookup_.memory_bytes(); }

 private:
  /// Checks `bytes` and undoes general compression. The result borrows like a cell.
  Status Unwrap(const StoredChunk& chunk, std::span<const std::byte> bytes,
                std::span<const std::byte>& raw);
  Status DecodeRaw(PhysicalType type, const StoredChunk& chunk, std::span<const std::byte> raw,
                   ColumnVector& out);

  std::vector<std::byte> raw_;
  ValueDecoder values_;
  ValueLookup lookup_;
};

}  // namespace orochi::columnar::internal
