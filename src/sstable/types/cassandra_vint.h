#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "codec/varint.h"

namespace orochi::sstable {

/// Cassandra's variable-length integers, which are not LEB128: the number of leading one bits of
/// the first byte is the number of bytes that follow (0 to 8), the other bits of the first byte are
/// the most significant ones, and the bytes after it are big-endian.
///
///   0xxxxxxx                      7 bits
///   10xxxxxx xxxxxxxx             14 bits
///   ...
///   11111111 and 8 bytes          64 bits
///
/// Signed numbers are zigzag coded first (codec/varint.h). A 32-bit number that is negative is
/// sign-extended first and so takes nine bytes.
inline constexpr size_t kVintSizeBytesMax = 9;

constexpr size_t VintSizeBytes(uint64_t value) {
  // Seven bits a byte up to eight bytes; the ninth byte adds no length bit of its own.
  int const bits = 64 - std::countl_zero(value | 1);
  return bits > 56 ? 9 : static_cast<size_t>((bits + 6) / 7);
}

/// Stores a vint and answers its size. REQUIRES: room for kVintSizeBytesMax bytes at `at`; those
/// behind the vint are overwritten.
inline size_t StoreVint(std::byte* at, uint64_t value) {
  if (value < 0x80) {
    *at = static_cast<std::byte>(value);
    return 1;
  }
  size_t const size_bytes = VintSizeBytes(value);
  uint64_t word = value;
  if (size_bytes == 9) {
    *at++ = std::byte{0xFF};
  } else {
    word <<= 64 - 8 * size_bytes;
    word |= ~uint64_t{0} << (65 - size_bytes);  // as many ones as bytes follow the first
  }
  word = __builtin_bswap64(word);
  std::memcpy(at, &word, sizeof(word));
  return size_bytes;
}

inline void AppendVint(std::vector<std::byte>& out, uint64_t value) {
  std::byte bytes[kVintSizeBytesMax];
  size_t const size_bytes = StoreVint(bytes, value);
  out.insert(out.end(), bytes, bytes + size_bytes);
}

inline void AppendSignedVint(std::vector<std::byte>& out, int64_t value) {
  AppendVint(out, codec::ZigZagEncode(value));
}

namespace internal {
/// The vints of two bytes and more. Returns the end of the vint, or nullptr when `end` comes first.
inline const std::byte* ReadLongVint(const std::byte* at, const std::byte* end, uint64_t& value) {
  auto const first = std::to_integer<uint8_t>(*at);
  auto const extra = static_cast<size_t>(std::countl_one(first));
  auto const rest = static_cast<size_t>(end - at) - 1;
  if (rest < extra) {
    return nullptr;
  }
  if (rest >= 8) [[likely]] {  // one load for all of the bytes that follow
    uint64_t word = 0;
    std::memcpy(&word, at + 1, sizeof(word));
    word = __builtin_bswap64(word);
    if (extra == 8) {
      value = word;
    } else {
      auto const high = static_cast<uint64_t>(first & (0xFFu >> (extra + 1)));
      value = (high << (8 * extra)) | (word >> (64 - 8 * extra));
    }
    return at + 1 + extra;
  }
  uint64_t result = extra >= 7 ? 0 : first & (0xFFu >> (extra + 1));
  for (size_t index = 1; index <= extra; ++index) {
    result = (result << 8) | std::to_integer<uint64_t>(at[index]);
  }
  value = result;
  return at + 1 + extra;
}
}  // namespace internal

/// Reads one vint from [at, end). Returns its end, or nullptr when the bytes end too early.
inline const std::byte* ReadVint(const std::byte* at, const std::byte* end, uint64_t& value) {
  if (at >= end) [[unlikely]] {
    return nullptr;
  }
  auto const first = std::to_integer<uint8_t>(*at);
  if (first < 0x80) [[likely]] {
    value = first;
    return at + 1;
  }
  return internal::ReadLongVint(at, end, value);
}

}  // namespace orochi::sstable
