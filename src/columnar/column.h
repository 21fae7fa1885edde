#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/assert.h"

namespace orochi::columnar {

/// How values of a column are stored and ordered. The owner of the table maps its types to these.
/// Persisted: numbers never change meaning (docs/formats/columnar.md).
enum class PhysicalType : uint8_t {
  kBool = 1,     // 1 byte, 0 or 1; false < true
  kInt16 = 2,    // signed
  kInt32 = 3,    // signed
  kInt64 = 4,    // signed
  kFloat32 = 5,  // bit patterns survive exactly (NaN payloads, -0.0)
  kFloat64 = 6,  // likewise
  kBytes = 7,    // byte strings of 0 to 2^30 bytes, ordered bytewise
};

/// Bytes of one value in a decoded vector; 0 for kBytes.
constexpr uint32_t WidthBytes(PhysicalType type) {
  switch (type) {
    case PhysicalType::kBool:
      return 1;
    case PhysicalType::kInt16:
      return 2;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      return 4;
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64:
      return 8;
    case PhysicalType::kBytes:
      return 0;
  }
  return 0;
}

/// The columns of one stripe. A table that gained columns later has older stripes with fewer.
struct Schema {
  std::vector<PhysicalType> columns;

  size_t column_count() const { return columns.size(); }
};

/// One value on its way into a stripe. `word` holds fixed-width values in its low bytes
/// (sign-extended integers, raw float bits); kBytes uses `data`, which is borrowed for the call.
struct Cell {
  uint64_t word = 0;
  const std::byte* data = nullptr;
  uint32_t size_bytes = 0;
  bool is_null = false;

  static Cell Null() { return {.is_null = true}; }
  static Cell Word(uint64_t word) { return {.word = word}; }
  static Cell Bytes(std::span<const std::byte> bytes) {
    return {.data = bytes.data(), .size_bytes = static_cast<uint32_t>(bytes.size())};
  }
};

/// The decoded values of one column over one row group. Reused between row groups so that steady
/// scans allocate nothing.
class ColumnVector {
 public:
  PhysicalType type = PhysicalType::kInt64;
  uint32_t row_count = 0;
  uint32_t null_count = 0;

  /// ceil(row_count / 64) words, bit row % 64 of word row / 64 set when the row is not NULL.
  /// Meaningless when null_count == 0.
  std::vector<uint64_t> valid_words;

  /// Fixed width: row_count * WidthBytes(type) bytes, little-endian, 8-byte aligned; slots of NULL
  /// rows hold zero. May be longer than that (slack for vector stores).
  std::vector<uint64_t> fixed_words;

  /// kBytes: row_count + 1 offsets into `bytes`; row i is bytes [offsets[i], offsets[i + 1]).
  /// NULL rows are empty.
  std::vector<uint32_t> offsets;
  std::vector<std::byte> bytes;

  bool IsNull(uint32_t row) const {
    return null_count != 0 && ((valid_words[row / 64] >> (row % 64)) & 1) == 0;
  }
  /// REQUIRES: sizeof(T) == WidthBytes(type).
  template <class T>
  std::span<const T> Values() const {
    ASSERT(sizeof(T) == WidthBytes(type));
    return {reinterpret_cast<const T*>(fixed_words.data()), row_count};
  }
  std::span<const std::byte> BytesAt(uint32_t row) const {
    return std::span(bytes).subspan(offsets[row], offsets[row + 1] - offsets[row]);
  }
};

}  // namespace orochi::columnar
