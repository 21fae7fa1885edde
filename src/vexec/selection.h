#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/assert.h"
#include "columnar/column.h"

namespace orochi::vexec {

/// Which rows of a batch still count: one bit per row, in the layout of ColumnVector::valid_words.
/// Bits past the last row are always zero. Reused between batches, so that steady scans allocate
/// nothing.
///
/// Threads: none.
class Selection {
 public:
  void SelectAll(uint32_t row_count);

  uint32_t row_count() const { return row_count_; }
  std::span<const uint64_t> words() const { return words_; }
  bool Contains(uint32_t row) const {
    ASSERT_SLOW(row < row_count_);
    return ((words_[row / 64] >> (row % 64)) & 1) != 0;
  }
  uint32_t CountSelected() const;
  bool IsEmpty() const;

  /// The first selected row at or after `row`, or row_count().
  uint32_t Next(uint32_t row) const;

  /// Keeps of rows [64 * index, 64 * index + 64) those whose bit is set in `keep`.
  void IntersectWord(uint32_t index, uint64_t keep) { words_[index] &= keep; }
  void Remove(uint32_t row) { words_[row / 64] &= ~(uint64_t{1} << (row % 64)); }
  void Clear();

  /// Keeps rows that are not NULL (or only those that are). REQUIRES: same row count.
  void KeepNotNull(const columnar::ColumnVector& column);
  void KeepNull(const columnar::ColumnVector& column);

 private:
  uint32_t row_count_ = 0;
  std::vector<uint64_t> words_;  // ceil(row_count_ / 64) entries
};

/// Calls `visit(row)` for every selected row whose `column` value is not NULL, in row order.
/// REQUIRES: same row count.
template <class Visit>
void ForEachValue(const columnar::ColumnVector& column, const Selection& selection, Visit visit) {
  ASSERT(column.row_count == selection.row_count());
  std::span<const uint64_t> const words = selection.words();
  for (uint32_t index = 0; index < words.size(); ++index) {
    uint64_t word = words[index];
    if (column.null_count != 0) {
      word &= column.valid_words[index];
    }
    uint32_t const first_row = index * 64;
    if (word == ~uint64_t{0}) {  // the usual case keeps the loop free of bit scans
      for (uint32_t row = first_row; row < first_row + 64; ++row) {
        visit(row);
      }
      continue;
    }
    for (; word != 0; word &= word - 1) {
      visit(first_row + static_cast<uint32_t>(std::countr_zero(word)));
    }
  }
}

}  // namespace orochi::vexec
