#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"
#include "codec/frame_of_reference.h"

namespace orochi::codec {

/// Integers as the differences of neighbours, modulo 2^64. A series at a regular interval takes
/// no bits a value, because all its differences equal their frame's base.
///
///   varint  zigzag(first value)
///   ...     differences of neighbours as a frame of reference; absent for a single value
struct DeltaPlan {
  FrameOfReferencePlan differences;
  size_t size_bytes = 0;  // exact
};

/// Replaces `differences` by those of `values`, which is not empty.
void TakeDifferences(std::span<const int64_t> values, std::vector<int64_t>& differences);

/// REQUIRES: `differences` came from `values` by TakeDifferences.
DeltaPlan PlanDelta(std::span<const int64_t> values, std::span<const int64_t> differences);
void EncodeDelta(std::span<const int64_t> values, std::span<const int64_t> differences,
                 const DeltaPlan& plan, std::vector<std::byte>& out);

/// Fills `out`, which is not empty, with the low bits of each value.
template <class Unsigned>
Status DecodeDelta(ByteReader& reader, std::span<Unsigned> out);

/// One of `count` values, whose low bits count. REQUIRES: index < count.
Status ReadDeltaAt(ByteReader reader, size_t count, size_t index, uint64_t& value);

}  // namespace orochi::codec
