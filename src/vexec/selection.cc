#include "vexec/selection.h"

#include <algorithm>

namespace orochi::vexec {

void Selection::SelectAll(uint32_t row_count) {
  row_count_ = row_count;
  words_.assign((size_t{row_count} + 63) / 64, ~uint64_t{0});
  if (row_count % 64 != 0) {
    words_.back() = (uint64_t{1} << (row_count % 64)) - 1;
  }
}

uint32_t Selection::CountSelected() const {
  uint32_t count = 0;
  for (uint64_t const word : words_) {
    count += static_cast<uint32_t>(std::popcount(word));
  }
  return count;
}

bool Selection::IsEmpty() const {
  return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
}

uint32_t Selection::Next(uint32_t row) const {
  if (row >= row_count_) {
    return row_count_;
  }
  uint32_t index = row / 64;
  uint64_t word = words_[index] & (~uint64_t{0} << (row % 64));
  while (word == 0) {
    if (++index == words_.size()) {
      return row_count_;
    }
    word = words_[index];
  }
  return index * 64 + static_cast<uint32_t>(std::countr_zero(word));
}

void Selection::Clear() {
  std::fill(words_.begin(), words_.end(), 0);
}

void Selection::KeepNotNull(const columnar::ColumnVector& column) {
  ASSERT(column.row_count == row_count_);
  if (column.null_count == 0) {
    return;
  }
  for (size_t index = 0; index < words_.size(); ++index) {
    words_[index] &= column.valid_words[index];
  }
}

void Selection::KeepNull(const columnar::ColumnVector& column) {
  ASSERT(column.row_count == row_count_);
  if (column.null_count == 0) {
    Clear();
    return;
  }
  for (size_t index = 0; index < words_.size(); ++index) {
    words_[index] &= ~column.valid_words[index];
  }
}

}  // namespace orochi::vexec
