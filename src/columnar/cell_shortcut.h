#pragma once

#include <cstddef>
#include <vector>

#include "codec/gorilla.h"

namespace orochi::columnar {

/// What reading a cell of one chunk leaves behind, so that the next cell of the same chunk costs
/// less. Small beside the chunk decoded. Empty at first; belongs to one chunk for good.
struct CellShortcut {
  /// Chunks of which no more than this is left after general decompression are kept so.
  static constexpr size_t kRawBytesMax = size_t{16} << 10;

  std::vector<std::byte> raw;             // checked and decompressed; empty: not kept
  std::vector<codec::GorillaMark> marks;  // into a chunk of Gorilla

  size_t memory_bytes() const {
    return raw.capacity() + marks.capacity() * sizeof(codec::GorillaMark);
  }
};

}  // namespace orochi::columnar
