#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"

namespace orochi::codec {

/// Floating-point numbers as the XOR of each bit pattern with the one before (Pelkonen et al.,
/// "Gorilla", VLDB 2015, section 4.1.2), for 32 and 64 bits. Bit patterns survive exactly.
///
/// A stream of bits, each field most significant bit first, from the most significant bit of the
/// first byte on; the last byte is filled up with zeros. The first value takes all its bits.
/// Each later one:
///   0                                            the same as the value before
///   1 0  window bits                             XOR lies in the window of the XOR before it
///   1 1  leading (5 bits) length (5 or 6) bits   a new window: `leading` zeros, then `length`
///                                                bits (0 stands for all 32 or 64) of the XOR
/// A first window may not be reused before one was given.
///
/// Unsigned is uint32_t or uint64_t, the bit pattern. Appends to `out`.
template <class Unsigned>
void EncodeGorilla(std::span<const Unsigned> values, std::vector<std::byte>& out);

/// Fills `out`, which is not empty, and consumes the bytes it took.
template <class Unsigned>
Status DecodeGorilla(ByteReader& reader, std::span<Unsigned> out);

/// Where a stream stands after a value: each value builds on the one before it.
struct GorillaMark {
  uint64_t position_bits = 0;
  uint64_t value = 0;
  uint32_t window_length = 0;  // 0: none given yet
  uint32_t window_shift = 0;
};

/// Every so many values there is a mark.
inline constexpr size_t kGorillaMarkStride = 512;

/// Value `index`. `marks` are what earlier calls for the same bytes left, mark i of value
/// i x kGorillaMarkStride: reading begins at the last one before the value, and adds those it
/// passes.
template <class Unsigned>
Status ReadGorillaAt(ByteReader reader, size_t index, std::vector<GorillaMark>& marks,
                     Unsigned& value);

}  // namespace orochi::codec
