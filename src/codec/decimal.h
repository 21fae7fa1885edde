#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"
#include "codec/delta.h"
#include "codec/frame_of_reference.h"

namespace orochi::codec {

inline constexpr uint32_t kDecimalExponentMax = 15;

/// Floating-point numbers that were decimals with few digits, as what sensors and CSV files hold:
/// integers m with value = m / 10^exponent, correctly rounded, so that bit patterns survive
/// exactly. Numbers that are not such (also -0.0, NaN and infinities) are patched in.
///
///   u8      exponent, 0 to 15
///   u8      0: integers as a frame of reference, 1: as deltas
///   varint  exception count
///   ...     positions of the exceptions, ascending, as deltas; absent when there are none
///   ...     bit patterns of the exceptions, little-endian
///   ...     integers of all values; that of an exception does not count
///
/// |m| < 2^51 for every value that is not an exception.
struct DecimalPlan {
  uint32_t exponent = 0;
  std::vector<int64_t> integers;
  std::vector<int64_t> differences;  // of `integers`
  std::vector<int64_t> exceptions;   // positions
  FrameOfReferencePlan frame;
  DeltaPlan delta;
  bool use_delta = false;
  size_t size_bytes = 0;  // all but the positions of exceptions, which take a few bytes each
};

/// Finds the exponent by a sample. Nothing when too many values are not short decimals for this
/// to save anything. Unsigned is uint32_t (float) or uint64_t (double), the bit pattern.
template <class Unsigned>
std::optional<DecimalPlan> PlanDecimal(std::span<const Unsigned> values);

template <class Unsigned>
void EncodeDecimal(std::span<const Unsigned> values, const DecimalPlan& plan,
                   std::vector<std::byte>& out);

/// Fills `out`, which is not empty. `scratch` is kept between calls to save allocations.
template <class Unsigned>
Status DecodeDecimal(ByteReader& reader, std::span<Unsigned> out, std::vector<uint64_t>& scratch);

/// One of `count` values. REQUIRES: index < count.
template <class Unsigned>
Status ReadDecimalAt(ByteReader reader, size_t count, size_t index, std::vector<uint64_t>& scratch,
                     Unsigned& value);

}  // namespace orochi::codec
