#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace orochi::codec {

/// LEB128: seven bits a byte from the least significant on, the top bit set on all but the last.
inline constexpr size_t kVarintSizeBytesMax = 10;

inline void AppendVarint(std::vector<std::byte>& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::byte>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::byte>(value));
}

constexpr size_t VarintSizeBytes(uint64_t value) {
  size_t size_bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size_bytes;
  }
  return size_bytes;
}

/// 0, -1, 1, -2, ... become 0, 1, 2, 3, ...: small magnitudes stay small.
constexpr uint64_t ZigZagEncode(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t ZigZagDecode(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (0 - (value & 1)));
}

}  // namespace orochi::codec
