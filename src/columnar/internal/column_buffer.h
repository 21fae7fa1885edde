#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "columnar/column.h"

namespace orochi::columnar::internal {

/// The rows of one column that are not encoded yet: a validity bit per row and the non-NULL
/// values, densely.
///
/// Life: (GrowthBytes -> Grow -> Append)* -> read -> Clear, and again; capacity is kept.
/// Threads: none.
class ColumnBuffer {
 public:
  explicit ColumnBuffer(PhysicalType type) : type_(type) {}

  /// Bytes of capacity that must be added before `cell` fits; 0 nearly always.
  size_t GrowthBytes(const Cell& cell) const;
  void Grow(const Cell& cell);
  /// REQUIRES: GrowthBytes(cell) == 0.
  void Append(const Cell& cell);
  void Clear();

  /// Values borrow from the buffer until it changes. REQUIRES: row < row_count().
  Cell At(uint32_t row) const;

  PhysicalType type() const { return type_; }
  uint32_t row_count() const { return row_count_; }
  uint32_t null_count() const { return null_count_; }
  uint32_t value_count() const { return row_count_ - null_count_; }
  bool IsNull(uint32_t row) const { return ((valid_words_[row / 64] >> (row % 64)) & 1) == 0; }

  /// ceil(row_count / 64) words.
  const std::vector<uint64_t>& valid_words() const { return valid_words_; }
  /// Fixed width: value_count() values as in Cell::word, bits above the width as a sign-extension
  /// (integers) or zero (floats, bool).
  const std::vector<uint64_t>& words() const { return words_; }
  /// kBytes: value i is bytes()[ends()[i - 1] or 0, ends()[i]).
  const std::vector<uint32_t>& ends() const { return ends_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::span<const std::byte> BytesOf(size_t value) const {
    uint32_t const begin = value == 0 ? 0 : ends_[value - 1];
    return std::span(bytes_).subspan(begin, ends_[value] - begin);
  }

 private:
  PhysicalType type_;
  uint32_t row_count_ = 0;
  uint32_t null_count_ = 0;
  std::vector<uint64_t> valid_words_;
  std::vector<uint64_t> words_;
  std::vector<uint32_t> ends_;
  std::vector<std::byte> bytes_;
};

/// `word` with the bits above the type's width made what ColumnBuffer::words promises, so that
/// equal values are equal words whatever the caller left in the high bits.
uint64_t NormalizeWord(PhysicalType type, uint64_t word);

}  // namespace orochi::columnar::internal
