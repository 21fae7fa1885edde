#include "columnar/internal/column_buffer.h"

#include <algorithm>
#include <bit>

namespace orochi::columnar::internal {
namespace {

constexpr size_t kFirstCapacity = 64;

// Doubling, so that appending stays linear in all.
size_t NextCapacity(size_t capacity, size_t needed) {
  return std::max({needed, 2 * capacity, kFirstCapacity});
}

template <class T>
size_t GrowthBytesOf(const std::vector<T>& values, size_t more) {
  size_t const needed = values.size() + more;
  if (needed <= values.capacity()) {
    return 0;
  }
  return (NextCapacity(values.capacity(), needed) - values.capacity()) * sizeof(T);
}

template <class T>
void GrowBy(std::vector<T>& values, size_t more) {
  size_t const needed = values.size() + more;
  if (needed > values.capacity()) {
    values.reserve(NextCapacity(values.capacity(), needed));
  }
}

}  // namespace

uint64_t NormalizeWord(PhysicalType type, uint64_t word) {
  switch (type) {
    case PhysicalType::kBool:
      return static_cast<uint64_t>((word & 0xFF) != 0);
    case PhysicalType::kInt16:
      return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int16_t>(word)));
    case PhysicalType::kInt32:
      return static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(word)));
    case PhysicalType::kFloat32:
      return static_cast<uint32_t>(word);
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64:
    case PhysicalType::kBytes:
      return word;
  }
  return word;
}

size_t ColumnBuffer::GrowthBytes(const Cell& cell) const {
  size_t growth_bytes = row_count_ % 64 == 0 ? GrowthBytesOf(valid_words_, 1) : 0;
  if (cell.is_null) {
    return growth_bytes;
  }
  if (type_ == PhysicalType::kBytes) {
    return growth_bytes + GrowthBytesOf(ends_, 1) + GrowthBytesOf(bytes_, cell.size_bytes);
  }
  return growth_bytes + GrowthBytesOf(words_, 1);
}

void ColumnBuffer::Grow(const Cell& cell) {
  if (row_count_ % 64 == 0) {
    GrowBy(valid_words_, 1);
  }
  if (cell.is_null) {
    return;
  }
  if (type_ == PhysicalType::kBytes) {
    GrowBy(ends_, 1);
    GrowBy(bytes_, cell.size_bytes);
  } else {
    GrowBy(words_, 1);
  }
}

void ColumnBuffer::Append(const Cell& cell) {
  if (row_count_ % 64 == 0) {
    valid_words_.push_back(0);
  }
  if (cell.is_null) {
    ++null_count_;
  } else {
    valid_words_.back() |= uint64_t{1} << (row_count_ % 64);
    if (type_ == PhysicalType::kBytes) {
      if (cell.size_bytes > 0) {
        bytes_.insert(bytes_.end(), cell.data, cell.data + cell.size_bytes);
      }
      ends_.push_back(static_cast<uint32_t>(bytes_.size()));
    } else {
      words_.push_back(NormalizeWord(type_, cell.word));
    }
  }
  ++row_count_;
}

void ColumnBuffer::Clear() {
  row_count_ = 0;
  null_count_ = 0;
  valid_words_.clear();
  words_.clear();
  ends_.clear();
  bytes_.clear();
}

Cell ColumnBuffer::At(uint32_t row) const {
  ASSERT(row < row_count_);
  if (IsNull(row)) {
    return Cell::Null();
  }
  size_t value = row;
  if (null_count_ > 0) {  // the value's place is the number of non-NULL rows before this one
    value = 0;
    for (uint32_t word = 0; word < row / 64; ++word) {
      value += static_cast<size_t>(std::popcount(valid_words_[word]));
    }
    uint64_t const below = (uint64_t{1} << (row % 64)) - 1;
    value += static_cast<size_t>(std::popcount(valid_words_[row / 64] & below));
  }
  if (type_ == PhysicalType::kBytes) {
    return Cell::Bytes(BytesOf(value));
  }
  return Cell::Word(words_[value]);
}

}  // namespace orochi::columnar::internal
