#pragma once

#include <cstdint>
#include <utility>
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
  /// Of the file's bytes, which become the filter's memory: it may be large, and is read whole.
  static Result<BloomFilter> Decode(std::vector<std::byte> bytes, Version version);
  /// In the words' little-endian order (na on).
  const std::vector<std::byte>& Encode() const { return file_; }

  void Add(const Murmur3Hash& hash);
  /// False when no key with this hash was added.
  bool MayContain(const Murmur3Hash& hash) const;

  uint32_t probe_count() const { return probe_count_; }
  uint64_t bit_count() const { return uint64_t{file_.size() - kHeadSizeBytes} * 8; }

 private:
  static constexpr size_t kHeadSizeBytes = 8;

  BloomFilter(uint32_t probe_count, std::vector<std::byte> file)
      : probe_count_(probe_count), file_(std::move(file)) {}

  uint32_t probe_count_;
  std::vector<std::byte> file_;  // head and words
};

}  // namespace orochi::sstable
