#include "sstable/write/cardinality_sketch.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "sstable/format/big_endian.h"

namespace orochi::sstable {

namespace {

constexpr size_t kRegistersPerWord = 6;
constexpr int kRegisterBits = 5;
constexpr int32_t kVersionMark = -2;
constexpr uint32_t kSparseBits = 25;

// MurmurHash2 of 64 bits with seed 0. Cassandra's variant sign-extends the bytes of the tail.
uint64_t Murmur2(Bytes key) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  uint64_t hash = kMultiplier * key.size();
  size_t const whole = key.size() / 8 * 8;
  for (size_t at = 0; at < whole; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, key.data() + at, sizeof(word));
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = (hash ^ word) * kMultiplier;
  }
  if (whole < key.size()) {
    for (size_t index = key.size() - whole; index-- > 0;) {
      auto const byte = static_cast<int64_t>(std::to_integer<int8_t>(key[whole + index]));
      hash ^= static_cast<uint64_t>(byte) << (8 * index);
    }
    hash *= kMultiplier;
  }
  hash ^= hash >> kShift;
  hash *= kMultiplier;
  return hash ^ (hash >> kShift);
}

void AppendLeb128(std::vector<std::byte>& out, uint32_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::byte>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::byte>(value));
}

}  // namespace

void CardinalitySketch::Add(Bytes key) {
  uint64_t const hash = Murmur2(key);
  auto const index = static_cast<size_t>(hash >> (64 - kIndexBits));
  // The bit below the kept ones bounds the rank.
  uint64_t const rest = (hash << kIndexBits) | (uint64_t{1} << (kIndexBits - 1));
  auto const rank = static_cast<uint8_t>(std::countl_zero(rest) + 1);
  // Five bits hold at most 31: more keys than fit a disk would be needed to get there.
  registers_[index] = std::max(registers_[index], std::min<uint8_t>(rank, 31));
}

std::vector<std::byte> CardinalitySketch::Encode() const {
  // The two bits left over in each word stay 0; a last word that is not full is written all the
  // same, and one more for a count that divides evenly, as the library that reads it sizes it.
  size_t const word_count = kRegisters / kRegistersPerWord + 1;
  std::vector<uint32_t> words(word_count);
  for (size_t index = 0; index < kRegisters; ++index) {
    words[index / kRegistersPerWord] |= uint32_t{registers_[index]}
                                        << (kRegisterBits * (index % kRegistersPerWord));
  }
  std::vector<std::byte> sketch;
  AppendBigEndian(sketch, kVersionMark);
  AppendLeb128(sketch, kIndexBits);
  AppendLeb128(sketch, kSparseBits);
  AppendLeb128(sketch, 0);
  AppendLeb128(sketch, static_cast<uint32_t>(word_count * sizeof(uint32_t)));
  for (uint32_t const word : words) {
    AppendBigEndian(sketch, word);
  }
  std::vector<std::byte> out;
  AppendBigEndian(out, static_cast<uint32_t>(sketch.size()));
  AppendBytes(out, sketch);
  return out;
}

}  // namespace orochi::sstable
