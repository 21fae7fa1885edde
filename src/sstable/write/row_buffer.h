#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "sstable/types/bytes.h"
#include "sstable/types/cassandra_vint.h"

namespace orochi::sstable {

/// Bytes that grow at their end. A row is put together from pieces of one to nine bytes, which are
/// stored in place here where a vector would call a function for each.
///
/// Life:    cleared, it keeps its memory for the next row.    Threads: none.
class RowBuffer {
 public:
  Bytes bytes() const { return {bytes_.get(), size_bytes_}; }
  size_t size() const { return size_bytes_; }
  void clear() { size_bytes_ = 0; }

  void AppendByte(uint8_t byte) {
    Reserve(1)[0] = std::byte{byte};
    ++size_bytes_;
  }
  void AppendVint(uint64_t value) { size_bytes_ += StoreVint(Reserve(kVintSizeBytesMax), value); }
  void AppendBytes(Bytes bytes) {
    if (!bytes.empty()) {
      std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
      size_bytes_ += bytes.size();
    }
  }

 private:
  /// The end, with room for so many bytes.
  std::byte* Reserve(size_t size_bytes) {
    if (capacity_bytes_ - size_bytes_ < size_bytes) [[unlikely]] {
      Grow(size_bytes);
    }
    return bytes_.get() + size_bytes_;
  }
  void Grow(size_t size_bytes) {
    constexpr size_t kSizeBytesMin = 256;
    size_t const capacity_bytes =
        std::max({kSizeBytesMin, 2 * capacity_bytes_, size_bytes_ + size_bytes});
    auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity_bytes);
    if (size_bytes_ > 0) {
      std::memcpy(grown.get(), bytes_.get(), size_bytes_);
    }
    bytes_ = std::move(grown);
    capacity_bytes_ = capacity_bytes;
  }

  std::unique_ptr<std::byte[]> bytes_;
  size_t size_bytes_ = 0;
  size_t capacity_bytes_ = 0;
};

}  // namespace orochi::sstable
