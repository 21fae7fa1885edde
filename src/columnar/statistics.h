#pragma once

#include <cstdint>
#include <string>

namespace orochi::columnar {

/// What is known about the non-NULL values of one column chunk without reading it.
struct ChunkStatistics {
  /// False when there is no non-NULL value, or a float column holds a NaN: then nothing may be
  /// skipped by range.
  bool has_range = false;

  /// Fixed-width types: the exact least and greatest value as in Cell::word. -0.0 counts as 0.0.
  uint64_t min_word = 0;
  uint64_t max_word = 0;

  /// kBytes: every value v satisfies min_bytes <= v bytewise, and either v <= max_bytes or
  /// (max_truncated and v starts with max_bytes). Both are at most kBoundBytesMax long.
  std::string min_bytes;
  std::string max_bytes;
  bool max_truncated = false;
  bool min_truncated = false;  // min_bytes is a proper prefix of the least value
};

inline constexpr uint32_t kBoundBytesMax = 32;

}  // namespace orochi::columnar
