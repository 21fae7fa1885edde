#include "codec/frame_of_reference.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <type_traits>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/bit_packing.h"
#include "codec/byte_writer.h"
#include "codec/varint.h"

namespace orochi::codec {
namespace {

constexpr uint32_t kBlockShiftMin = 7;
constexpr uint32_t kBlockShiftMax = 16;
constexpr uint32_t kBlockShiftsTried[] = {7, 10, 16};

struct Range {
  uint64_t least;
  uint64_t greatest;
};

uint64_t Distance(int64_t value, int64_t base) {
  return static_cast<uint64_t>(value) - static_cast<uint64_t>(base);
}

// 0 when all distances are 0.
uint64_t CommonDivisor(std::span<const int64_t> values, int64_t base) {
  uint64_t divisor = 0;
  for (int64_t const value : values) {
    uint64_t const distance = Distance(value, base);
    if (divisor != 0 && distance % divisor == 0) {
      continue;
    }
    divisor = std::gcd(divisor, distance);
    if (divisor == 1) {
      break;
    }
  }
  return divisor;
}

// Least and greatest packed number of each block of the smallest size.
std::vector<Range> BlockRanges(std::span<const int64_t> values, int64_t base, uint64_t unit) {
  constexpr size_t kBlock = size_t{1} << kBlockShiftMin;
  std::vector<Range> ranges;
  ranges.reserve(values.size() / kBlock + 1);
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    auto const block = values.subspan(begin, std::min(kBlock, values.size() - begin));
    auto const [least, greatest] = std::minmax_element(block.begin(), block.end());
    ranges.push_back({Distance(*least, base) / unit, Distance(*greatest, base) / unit});
  }
  return ranges;
}

size_t BlocksSizeBytes(std::span<const Range> ranges, size_t value_count, uint32_t block_shift) {
  size_t const ranges_per_block = size_t{1} << (block_shift - kBlockShiftMin);
  size_t const block_values = size_t{1} << block_shift;
  size_t size_bytes = 0;
  size_t values_left = value_count;
  for (size_t begin = 0; begin < ranges.size(); begin += ranges_per_block) {
    Range block = ranges[begin];
    size_t const end = std::min(begin + ranges_per_block, ranges.size());
    for (size_t index = begin + 1; index < end; ++index) {
      block.least = std::min(block.least, ranges[index].least);
      block.greatest = std::max(block.greatest, ranges[index].greatest);
    }
    size_t const count = std::min(block_values, values_left);
    size_bytes += VarintSizeBytes(block.least) + 1 +
                  PackedSizeBytes(count, BitWidth(block.greatest - block.least));
    values_left -= count;
  }
  return size_bytes;
}

void EncodeBlock(std::span<const int64_t> values, const FrameOfReferencePlan& plan,
                 std::vector<uint64_t>& packed, std::vector<std::byte>& out) {
  packed.clear();
  uint64_t least = UINT64_MAX;
  uint64_t greatest = 0;
  for (int64_t const value : values) {
    uint64_t const distance = Distance(value, plan.base);
    uint64_t const steps = plan.unit == 1 ? distance : distance / plan.unit;
    least = std::min(least, steps);
    greatest = std::max(greatest, steps);
    packed.push_back(steps);
  }
  for (uint64_t& steps : packed) {
    steps -= least;
  }
  uint32_t const width_bits = BitWidth(greatest - least);
  AppendVarint(out, least);
  AppendFixed(out, static_cast<uint8_t>(width_bits));
  PackBits(packed, width_bits, out);
}

struct Header {
  uint64_t base = 0;
  uint64_t unit = 0;
  uint8_t block_shift = 0;
};

Status ReadHeader(ByteReader& reader, Header& header) {
  uint64_t zigzag = 0;
  if (!reader.ReadVarint(zigzag) || !reader.ReadVarint(header.unit) ||
      !reader.ReadFixed(header.block_shift)) {
    return Status::Corruption("frame of reference: the header ends early");
  }
  header.base = static_cast<uint64_t>(ZigZagDecode(zigzag));
  if (header.unit == 0) {
    return Status::Corruption("frame of reference: the unit is 0, expected at least 1");
  }
  if (header.block_shift < kBlockShiftMin || header.block_shift > kBlockShiftMax) {
    return Status::Corruption(StrCat("frame of reference: block shift ", int{header.block_shift},
                                     ", expected ", kBlockShiftMin, " to ", kBlockShiftMax));
  }
  return Status::Ok();
}

struct Block {
  uint64_t minimum = 0;
  uint8_t width_bits = 0;
  std::span<const std::byte> packed;
};

Status ReadBlock(ByteReader& reader, size_t count, Block& block) {
  if (!reader.ReadVarint(block.minimum) || !reader.ReadFixed(block.width_bits) ||
      block.width_bits > kBitWidthMax ||
      !reader.ReadSpan(PackedSizeBytes(count, block.width_bits), block.packed)) {
    return Status::Corruption(StrCat("frame of reference: block of ", count, " values with ",
                                     int{block.width_bits},
                                     " bits each: ", reader.remaining_bytes(), " bytes are left"));
  }
  return Status::Ok();
}

template <class Unsigned>
void Rebase(std::span<const uint64_t> packed, uint64_t base, uint64_t unit, Unsigned* out) {
  // Two loops, because a 64-bit multiplication has no vector form and is rarely needed.
  if (unit == 1) {
    for (size_t index = 0; index < packed.size(); ++index) {
      out[index] = static_cast<Unsigned>(base + packed[index]);
    }
  } else {
    for (size_t index = 0; index < packed.size(); ++index) {
      out[index] = static_cast<Unsigned>(base + unit * packed[index]);
    }
  }
}

// Unpacks through a buffer that stays in the first-level cache. REQUIRES: `bytes` has the packed
// size of `out`.
template <class Unsigned>
void DecodePacked(std::span<const std::byte> bytes, uint32_t width_bits, uint64_t base,
                  uint64_t unit, std::span<Unsigned> out) {
  constexpr size_t kStep = 512;  // a multiple of 8: every step begins on a byte
  std::array<uint64_t, kStep> packed;
  while (!out.empty()) {
    size_t const count = std::min(kStep, out.size());
    size_t const size_bytes = PackedSizeBytes(count, width_bits);
    UnpackBits(bytes.first(size_bytes), width_bits, std::span(packed).first(count));
    Rebase(std::span<const uint64_t>(packed).first(count), base, unit, out.data());
    bytes = bytes.subspan(size_bytes);
    out = out.subspan(count);
  }
}

}  // namespace

FrameOfReferencePlan PlanFrameOfReference(std::span<const int64_t> values) {
  ASSERT(!values.empty());
  FrameOfReferencePlan plan;
  plan.base = *std::min_element(values.begin(), values.end());
  uint64_t const divisor = CommonDivisor(values, plan.base);
  plan.unit = divisor == 0 ? 1 : divisor;
  std::vector<Range> const ranges = BlockRanges(values, plan.base, plan.unit);
  size_t blocks_size_bytes = SIZE_MAX;
  for (uint32_t const block_shift : kBlockShiftsTried) {
    size_t const size_bytes = BlocksSizeBytes(ranges, values.size(), block_shift);
    if (size_bytes < blocks_size_bytes) {
      blocks_size_bytes = size_bytes;
      plan.block_shift = block_shift;
    }
  }
  plan.size_bytes =
      VarintSizeBytes(ZigZagEncode(plan.base)) + VarintSizeBytes(plan.unit) + 1 + blocks_size_bytes;
  return plan;
}

void EncodeFrameOfReference(std::span<const int64_t> values, const FrameOfReferencePlan& plan,
                            std::vector<std::byte>& out) {
  size_t const begin = out.size();
  AppendVarint(out, ZigZagEncode(plan.base));
  AppendVarint(out, plan.unit);
  AppendFixed(out, static_cast<uint8_t>(plan.block_shift));
  std::vector<uint64_t> packed;
  size_t const block_values = size_t{1} << plan.block_shift;
  for (size_t first = 0; first < values.size(); first += block_values) {
    EncodeBlock(values.subspan(first, std::min(block_values, values.size() - first)), plan, packed,
                out);
  }
  ASSERT(out.size() - begin == plan.size_bytes);
}

void EncodeFrameOfReference(std::span<const int64_t> values, std::vector<std::byte>& out) {
  EncodeFrameOfReference(values, PlanFrameOfReference(values), out);
}

template <class Unsigned>
Status DecodeFrameOfReference(ByteReader& reader, std::span<Unsigned> out) {
  Header header;
  RETURN_IF_ERROR(ReadHeader(reader, header));
  size_t const block_values = size_t{1} << header.block_shift;
  while (!out.empty()) {
    size_t const count = std::min(block_values, out.size());
    Block block;
    RETURN_IF_ERROR(ReadBlock(reader, count, block));
    DecodePacked(block.packed, block.width_bits, header.base + header.unit * block.minimum,
                 header.unit, out.first(count));
    out = out.subspan(count);
  }
  return Status::Ok();
}

Status ReadFrameOfReferenceAt(ByteReader reader, size_t count, size_t index, uint64_t& value) {
  ASSERT(index < count);
  Header header;
  RETURN_IF_ERROR(ReadHeader(reader, header));
  size_t const block_values = size_t{1} << header.block_shift;
  for (;; index -= block_values, count -= block_values) {
    Block block;
    RETURN_IF_ERROR(ReadBlock(reader, std::min(block_values, count), block));
    if (index < block_values) {
      value = header.base +
              header.unit * (block.minimum + UnpackBitsAt(block.packed, block.width_bits, index));
      return Status::Ok();
    }
  }
}

Status SumFrameOfReference(ByteReader reader, size_t count, size_t summed, uint64_t& sum) {
  ASSERT(summed <= count);
  Header header;
  RETURN_IF_ERROR(ReadHeader(reader, header));
  size_t const block_values = size_t{1} << header.block_shift;
  sum = 0;
  while (summed > 0) {
    Block block;
    RETURN_IF_ERROR(ReadBlock(reader, std::min(block_values, count), block));
    size_t const in_block = std::min(block_values, summed);
    sum += in_block * (header.base + header.unit * block.minimum) +
           header.unit * SumBits(block.packed, block.width_bits, in_block);
    summed -= in_block;
    count -= std::min(block_values, count);
  }
  return Status::Ok();
}

template Status DecodeFrameOfReference(ByteReader&, std::span<uint8_t>);
template Status DecodeFrameOfReference(ByteReader&, std::span<uint16_t>);
template Status DecodeFrameOfReference(ByteReader&, std::span<uint32_t>);
template Status DecodeFrameOfReference(ByteReader&, std::span<uint64_t>);

}  // namespace orochi::codec
