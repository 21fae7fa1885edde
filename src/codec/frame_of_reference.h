#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"

namespace orochi::codec {

/// Integers as bit-packed distances from the least of them, counted in a common unit and, so that
/// outliers and slow drifts stay local, from the least of their block:
///
///   value = base + unit * (block_minimum + packed)      modulo 2^64
///
///   varint  zigzag(base), the least value
///   varint  unit, the greatest common divisor of all distances from base; 1 when they are all 0
///   u8      block_shift, 7 to 16: blocks of 2^block_shift values, the last may be shorter
///   block   varint minimum, u8 width_bits, packed values
///
/// The number of values is not stored.
struct FrameOfReferencePlan {
  int64_t base = 0;
  uint64_t unit = 1;
  uint32_t block_shift = 0;
  size_t size_bytes = 0;  // exact
};

/// The smallest form of `values`. REQUIRES: values is not empty.
FrameOfReferencePlan PlanFrameOfReference(std::span<const int64_t> values);

/// Appends to `out`. REQUIRES: `plan` was made for `values`.
void EncodeFrameOfReference(std::span<const int64_t> values, const FrameOfReferencePlan& plan,
                            std::vector<std::byte>& out);
void EncodeFrameOfReference(std::span<const int64_t> values, std::vector<std::byte>& out);

/// Fills `out` with the low bits of each value. Unsigned is uint8_t, uint16_t, uint32_t or
/// uint64_t.
template <class Unsigned>
Status DecodeFrameOfReference(ByteReader& reader, std::span<Unsigned> out);

/// One of `count` values, decoding no other block than its own. REQUIRES: index < count.
Status ReadFrameOfReferenceAt(ByteReader reader, size_t count, size_t index, uint64_t& value);
/// The sum modulo 2^64 of the first `summed` of `count` values. REQUIRES: summed <= count.
Status SumFrameOfReference(ByteReader reader, size_t count, size_t summed, uint64_t& sum);

}  // namespace orochi::codec
