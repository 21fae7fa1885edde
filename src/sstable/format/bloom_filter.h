#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "sstable/format/version.h"
#include "sstable/types/murmur3.h"

namespace orochi::sstable {

/// Filter.db: which partition keys an SSTable may hold.
///
///   i32 number of probes, i32 number of 8-byte words, the words
///   bit i is bit i % 8 of byte i / 8; before version na each word has its bytes reversed
///
/// Threads: any, once made.
class BloomFilter {
 public:
  static constexpr uint32_t kProbesMax = 64;

  /// Room for `key_count` keys at a false positive chance of at most about `fp_chance`.
  static BloomFilter ForKeys(uint64_t key_count, double fp_chance);
  static Result<BloomFilter> Decode(std::span<const std::byte> bytes, Version version);
  /// REQUIRES: a version with words in little-endian order (na on).
  std::vector<std::byte> Encode() const;

  void Add(const Murmur3Hash& hash);
  /// False when no key with this hash was added.
  bool MayContain(const Murmur3Hash& hash) const;

  uint32_t probe_count() const { return probe_count_; }
  uint64_t bit_count() const { return uint64_t{words_.size()} * 64; }

 private:
  BloomFilter(uint32_t probe_count, size_t word_count)
      : probe_count_(probe_count), words_(word_count) {}

  uint32_t probe_count_;
  std::vector<uint64_t> words_;
};

}  // namespace orochi::sstable
