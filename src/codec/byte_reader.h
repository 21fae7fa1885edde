#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace orochi::codec {

static_assert(std::endian::native == std::endian::little, "the formats are read in place");

/// A cursor over untrusted bytes. Every read answers false, and consumes nothing that matters,
/// when the bytes end too early or are not what is asked for; callers turn that into kCorruption
/// with the name of what they were reading.
///
/// Threads: none.    Borrows: the bytes.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  size_t remaining_bytes() const { return rest_.size(); }
  std::span<const std::byte> rest() const { return rest_; }

  /// Little-endian, of any unsigned width.
  template <class Unsigned>
  [[nodiscard]] bool ReadFixed(Unsigned& value) {
    if (rest_.size() < sizeof(value)) {
      return false;
    }
    std::memcpy(&value, rest_.data(), sizeof(value));
    rest_ = rest_.subspan(sizeof(value));
    return true;
  }

  /// False also for a number past 64 bits.
  [[nodiscard]] bool ReadVarint(uint64_t& value) {
    value = 0;
    for (size_t index = 0; index < rest_.size() && index < 10; ++index) {
      auto const byte = std::to_integer<uint64_t>(rest_[index]);
      if (index == 9 && byte > 1) {
        return false;
      }
      value |= (byte & 0x7F) << (7 * index);
      if (byte < 0x80) {
        rest_ = rest_.subspan(index + 1);
        return true;
      }
    }
    return false;
  }

  /// A varint of at most `max`.
  template <class Unsigned>
  [[nodiscard]] bool ReadVarintUpTo(uint64_t max, Unsigned& value) {
    uint64_t wide = 0;
    if (!ReadVarint(wide) || wide > max) {
      return false;
    }
    value = static_cast<Unsigned>(wide);
    return true;
  }

  [[nodiscard]] bool ReadSpan(size_t size_bytes, std::span<const std::byte>& bytes) {
    if (rest_.size() < size_bytes) {
      return false;
    }
    bytes = rest_.first(size_bytes);
    rest_ = rest_.subspan(size_bytes);
    return true;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace orochi::codec
