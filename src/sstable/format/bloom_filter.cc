#include "sstable/format/bloom_filter.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable {

namespace {

/// Cassandra adds these to every filter, so that tiny ones are not full.
constexpr uint64_t kExtraBits = 20;
constexpr uint32_t kBitsPerKeyMax = 20;

// Calls visit(bit) for each probe, until it answers false. Kirsch and Mitzenmacher's double
// hashing, with Java's remainder: its sign is that of the dividend, and abs() comes after it.
template <class Visit>
bool ForEachProbe(const Murmur3Hash& hash, uint32_t probe_count, uint64_t bit_count, Visit visit) {
  uint64_t base = hash.h2;
  for (uint32_t probe = 0; probe < probe_count; ++probe) {
    int64_t const remainder = static_cast<int64_t>(base) % static_cast<int64_t>(bit_count);
    if (!visit(static_cast<uint64_t>(remainder < 0 ? -remainder : remainder))) {
      return false;
    }
    base += hash.h1;
  }
  return true;
}

double FalsePositiveChance(uint32_t bits_per_key, uint32_t probe_count) {
  double const set = 1.0 - std::exp(-static_cast<double>(probe_count) / bits_per_key);
  return std::pow(set, probe_count);
}

}  // namespace

BloomFilter BloomFilter::ForKeys(uint64_t key_count, double fp_chance) {
  // The fewest bits, and for them the fewest probes, that keep the promise.
  uint32_t bits_per_key = kBitsPerKeyMax;
  uint32_t probe_count = 15;
  for (uint32_t bits = 2; bits <= kBitsPerKeyMax; ++bits) {
    uint32_t probes = 1;
    while (probes < bits && FalsePositiveChance(bits, probes) > fp_chance) {
      ++probes;
    }
    if (FalsePositiveChance(bits, probes) <= fp_chance) {
      bits_per_key = bits;
      probe_count = probes;
      break;
    }
  }
  uint64_t const bits = key_count * bits_per_key + kExtraBits;
  auto const word_count = static_cast<uint32_t>((bits + 63) / 64);
  std::vector<std::byte> file;
  file.reserve(kHeadSizeBytes + size_t{word_count} * 8);
  AppendBigEndian(file, probe_count);
  AppendBigEndian(file, word_count);
  file.resize(kHeadSizeBytes + size_t{word_count} * 8);
  return BloomFilter(probe_count, std::move(file));
}

Result<BloomFilter> BloomFilter::Decode(std::vector<std::byte> bytes, Version version) {
  BigEndianReader reader(bytes);
  uint32_t probe_count = 0;
  uint32_t word_count = 0;
  if (!reader.Read(probe_count) || !reader.Read(word_count)) {
    return Status::Corruption(
        StrCat("file has ", bytes.size(), " bytes, its head needs ", kHeadSizeBytes));
  }
  if (probe_count == 0 || probe_count > kProbesMax) {
    return Status::Corruption(StrCat(probe_count, " probes, expected 1 to ", kProbesMax));
  }
  if (word_count == 0 || uint64_t{word_count} * 8 != reader.remaining_bytes()) {
    return Status::Corruption(StrCat(word_count, " words of 8 bytes announced, ",
                                     reader.remaining_bytes(), " bytes follow"));
  }
  if (version.has_big_endian_bloom_words()) {
    for (size_t at = kHeadSizeBytes; at < bytes.size(); at += 8) {
      std::reverse(bytes.begin() + static_cast<ptrdiff_t>(at),
                   bytes.begin() + static_cast<ptrdiff_t>(at + 8));
    }
  }
  return BloomFilter(probe_count, std::move(bytes));
}

void BloomFilter::Add(const Murmur3Hash& hash) {
  ForEachProbe(hash, probe_count_, bit_count(), [this](uint64_t bit) {
    file_[kHeadSizeBytes + bit / 8] |= std::byte{1} << (bit % 8);
    return true;
  });
}

bool BloomFilter::MayContain(const Murmur3Hash& hash) const {
  return ForEachProbe(hash, probe_count_, bit_count(), [this](uint64_t bit) {
    return (file_[kHeadSizeBytes + bit / 8] >> (bit % 8) & std::byte{1}) != std::byte{0};
  });
}

}  // namespace orochi::sstable
