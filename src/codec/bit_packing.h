#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace orochi::codec {

inline constexpr uint32_t kBitWidthMax = 64;

/// Bits that `value` needs; 0 for 0.
constexpr uint32_t BitWidth(uint64_t value) {
  return static_cast<uint32_t>(std::bit_width(value));
}

/// Value i of a packed run of `width_bits` is bits [i * width, (i + 1) * width) counted from the
/// least significant bit of the first byte on; the last byte is filled up with zeros.
constexpr size_t PackedSizeBytes(size_t count, uint32_t width_bits) {
  return (count * width_bits + 7) / 8;
}

/// REQUIRES: every value needs at most width_bits <= 64 bits.
void PackBits(std::span<const uint64_t> values, uint32_t width_bits, std::vector<std::byte>& out);

/// Fills `out`. REQUIRES: packed.size() == PackedSizeBytes(out.size(), width_bits),
/// width_bits <= 64. Every input of that size is well-formed.
void UnpackBits(std::span<const std::byte> packed, uint32_t width_bits, std::span<uint64_t> out);

/// What the first `count` values of a packed run add up to modulo 2^64, faster than unpacking them.
/// REQUIRES: packed.size() >= PackedSizeBytes(count, width_bits), width_bits <= 64.
uint64_t SumBits(std::span<const std::byte> packed, uint32_t width_bits, size_t count);

/// One value of a packed run. REQUIRES: packed.size() >= PackedSizeBytes(index + 1, width_bits),
/// width_bits <= 64.
uint64_t UnpackBitsAt(std::span<const std::byte> packed, uint32_t width_bits, size_t index);

}  // namespace orochi::codec
