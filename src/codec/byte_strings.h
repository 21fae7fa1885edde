#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"
#include "codec/frame_of_reference.h"

namespace orochi::codec {

/// Byte strings one after the other. Borrows both arrays.
struct ByteStrings {
  std::span<const uint32_t> ends;  // string i is bytes [ends[i - 1] or 0, ends[i])
  std::span<const std::byte> bytes;

  size_t count() const { return ends.size(); }
  std::span<const std::byte> At(size_t index) const {
    uint32_t const begin = index == 0 ? 0 : ends[index - 1];
    return bytes.subspan(begin, ends[index] - begin);
  }
};

/// Lengths as a frame of reference, then the bytes of all strings. The count is not stored.
struct ByteStringsPlan {
  std::vector<int64_t> lengths;
  FrameOfReferencePlan frame;
  size_t size_bytes = 0;  // exact
};

/// REQUIRES: strings.count() > 0.
ByteStringsPlan PlanByteStrings(const ByteStrings& strings);
void EncodeByteStrings(const ByteStrings& strings, const ByteStringsPlan& plan,
                       std::vector<std::byte>& out);

/// Makes `offsets` count + 1 entries, string i being bytes [offsets[i], offsets[i + 1]) of `bytes`,
/// which borrows from the reader. REQUIRES: count > 0.
Status DecodeByteStrings(ByteReader& reader, size_t count, std::vector<uint32_t>& offsets,
                         std::span<const std::byte>& bytes);

}  // namespace orochi::codec
