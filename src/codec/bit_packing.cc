#include "codec/bit_packing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace orochi::codec {
namespace {

// Eight values of w bits are exactly w bytes, so the place of each within its group is known when
// the kernel is compiled: one load, one shift and one mask a value, no branch.
constexpr size_t kGroup = 8;

// How far past its group a kernel may load.
constexpr size_t kOverreadBytes = 8;

uint64_t Load64(const std::byte* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

template <uint32_t kWidth, size_t kIndex>
uint64_t Extract(const std::byte* group) {
  constexpr size_t kBit = kIndex * kWidth;
  constexpr size_t kByte = kBit / 8;
  constexpr uint32_t kShift = kBit % 8;
  uint64_t word = Load64(group + kByte) >> kShift;
  if constexpr (kShift + kWidth > 64) {
    word |= std::to_integer<uint64_t>(group[kByte + 8]) << (64 - kShift);
  }
  if constexpr (kWidth < 64) {
    word &= (uint64_t{1} << kWidth) - 1;
  }
  return word;
}

template <uint32_t kWidth>
void UnpackGroups(const std::byte* in, size_t group_count, uint64_t* out) {
  for (size_t group = 0; group < group_count; ++group) {
    [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
      ((out[kIndex] = Extract<kWidth, kIndex>(in)), ...);
    }
    (std::make_index_sequence<kGroup>());
    in += kWidth;
    out += kGroup;
  }
}

// Up to this width it is faster to count how often each bit of the values is set.
constexpr uint32_t kCountedWidthMax = 5;

// The bits of word `word` of a run that are bit `bit` of some value.
template <uint32_t kWidth>
constexpr uint64_t BitsOf(size_t word, size_t bit) {
  uint64_t mask = 0;
  for (size_t place = 0; place < 64; ++place) {
    if ((word * 64 + place) % kWidth == bit) {
      mask |= uint64_t{1} << place;
    }
  }
  return mask;
}

template <uint32_t kWidth, size_t kWord>
uint64_t SumWord(uint64_t word) {
  return [&]<size_t... kBit>(std::index_sequence<kBit...>) {
    return ((uint64_t{static_cast<unsigned>(std::popcount(word & BitsOf<kWidth>(kWord, kBit)))}
             << kBit) +
            ...);
  }
  (std::make_index_sequence<kWidth>());
}

// A run is 64 values in kWidth words.
constexpr size_t kRun = 64;

template <uint32_t kWidth>
uint64_t SumRuns(const std::byte* in, size_t run_count) {
  uint64_t sum = 0;
  for (size_t run = 0; run < run_count; ++run) {
    sum += [&]<size_t... kWord>(std::index_sequence<kWord...>) {
      return (SumWord<kWidth, kWord>(Load64(in + kWord * 8)) + ...);
    }
    (std::make_index_sequence<kWidth>());
    in += size_t{kWidth} * 8;
  }
  return sum;
}

template <uint32_t kWidth>
uint64_t SumGroups(const std::byte* in, size_t group_count) {
  uint64_t sum = 0;
  for (size_t group = 0; group < group_count; ++group) {
    sum += [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
      return (Extract<kWidth, kIndex>(in) + ...);
    }
    (std::make_index_sequence<kGroup>());
    in += kWidth;
  }
  return sum;
}

using Sum = uint64_t (*)(const std::byte* in, size_t count);

template <uint32_t kWidth>
constexpr Sum RunsKernel() {
  if constexpr (kWidth > 0 && kWidth <= kCountedWidthMax) {
    return &SumRuns<kWidth>;
  }
  return nullptr;
}

struct Kernels {
  void (*unpack)(const std::byte* in, size_t group_count, uint64_t* out);
  Sum sum_groups;
  Sum sum_runs;  // null: not faster for this width
};

template <size_t... kWidth>
constexpr std::array<Kernels, sizeof...(kWidth)> MakeKernels(std::index_sequence<kWidth...>) {
  return {Kernels{.unpack = &UnpackGroups<kWidth>,
                  .sum_groups = &SumGroups<kWidth>,
                  .sum_runs = RunsKernel<kWidth>()}...};
}

constexpr auto kKernels = MakeKernels(std::make_index_sequence<kBitWidthMax + 1>());

// How many groups of a run a kernel may take from where they lie: its loads stay inside.
size_t GroupsInPlace(size_t packed_size_bytes, uint32_t width_bits) {
  return packed_size_bytes < kOverreadBytes ? 0 : (packed_size_bytes - kOverreadBytes) / width_bits;
}

}  // namespace

void PackBits(std::span<const uint64_t> values, uint32_t width_bits, std::vector<std::byte>& out) {
  ASSERT(width_bits <= kBitWidthMax);
  if (width_bits == 0) {
    return;
  }
  size_t const begin = out.size();
  size_t const size_bytes = PackedSizeBytes(values.size(), width_bits);
  out.resize(begin + size_bytes + sizeof(uint64_t));  // room for a whole last word
  std::byte* at = out.data() + begin;
  uint64_t pending = 0;
  uint32_t pending_bits = 0;
  for (uint64_t const value : values) {
    ASSERT_SLOW(BitWidth(value) <= width_bits);
    pending |= value << pending_bits;
    pending_bits += width_bits;
    if (pending_bits >= 64) {
      std::memcpy(at, &pending, sizeof(pending));
      at += sizeof(pending);
      pending_bits -= 64;
      // A shift by 64 would be undefined: then nothing of `value` is left.
      pending = pending_bits == 0 ? 0 : value >> (width_bits - pending_bits);
    }
  }
  std::memcpy(at, &pending, sizeof(pending));
  out.resize(begin + size_bytes);
}

void UnpackBits(std::span<const std::byte> packed, uint32_t width_bits, std::span<uint64_t> out) {
  ASSERT(width_bits <= kBitWidthMax);
  ASSERT(packed.size() == PackedSizeBytes(out.size(), width_bits));
  if (width_bits == 0) {
    std::fill(out.begin(), out.end(), 0);
    return;
  }
  // Groups whose loads stay inside `packed` are unpacked in place, the few others from a copy.
  size_t const fast_groups =
      std::min(GroupsInPlace(packed.size(), width_bits), out.size() / kGroup);
  kKernels[width_bits].unpack(packed.data(), fast_groups, out.data());
  for (size_t done = fast_groups * kGroup; done < out.size(); done += kGroup) {
    std::array<std::byte, kBitWidthMax + kOverreadBytes> group{};
    std::array<uint64_t, kGroup> values;
    size_t const begin = done / kGroup * width_bits;
    std::copy_n(packed.begin() + static_cast<ptrdiff_t>(begin),
                std::min<size_t>(width_bits, packed.size() - begin), group.begin());
    kKernels[width_bits].unpack(group.data(), 1, values.data());
    std::copy_n(values.begin(), std::min(kGroup, out.size() - done),
                out.begin() + static_cast<ptrdiff_t>(done));
  }
}

uint64_t SumBits(std::span<const std::byte> packed, uint32_t width_bits, size_t count) {
  ASSERT(width_bits <= kBitWidthMax);
  ASSERT(packed.size() >= PackedSizeBytes(count, width_bits));
  if (width_bits == 0) {
    return 0;
  }
  const Kernels& kernels = kKernels[width_bits];
  size_t done = 0;
  uint64_t sum = 0;
  if (kernels.sum_runs != nullptr) {  // reads nothing but the runs
    done = count / kRun * kRun;
    sum = kernels.sum_runs(packed.data(), count / kRun);
    packed = packed.subspan(done / kGroup * width_bits);
  }
  size_t const fast_groups =
      std::min(GroupsInPlace(packed.size(), width_bits), (count - done) / kGroup);
  sum += kernels.sum_groups(packed.data(), fast_groups);
  for (size_t index = fast_groups * kGroup; index < count - done; ++index) {
    sum += UnpackBitsAt(packed, width_bits, index);
  }
  return sum;
}

uint64_t UnpackBitsAt(std::span<const std::byte> packed, uint32_t width_bits, size_t index) {
  uint64_t value = 0;
  size_t bit = index * width_bits;
  for (uint32_t done = 0; done < width_bits;) {
    auto const byte = std::to_integer<uint64_t>(packed[bit / 8]);
    auto const skipped = static_cast<uint32_t>(bit % 8);
    value |= (byte >> skipped) << done;
    done += 8 - skipped;
    bit += 8 - skipped;
  }
  return width_bits == 64 ? value : value & ((uint64_t{1} << width_bits) - 1);
}

}  // namespace orochi::codec
