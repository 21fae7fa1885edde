#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/bloom_filter.h"
#include "sstable/types/murmur3.h"

namespace orochi::sstable {

/// Collects the hashes of partition keys until their number is known, which sizes the filter.
///
/// Life:    Add* -> Build.    Threads: none.    Borrows: the file system.
/// Bounds:  kHashesMax hashes in memory; more go to `spill_path`, which Build removes. The filter
///          itself is in memory.
class BloomBuilder {
 public:
  static constexpr size_t kHashesMax = 128 << 10;

  BloomBuilder(io::FileSystem& files, std::string spill_path)
      : files_(files), spill_path_(std::move(spill_path)) {}

  Status Add(const Murmur3Hash& hash);
  Result<BloomFilter> Build(double fp_chance);

 private:
  Status Spill();
  Status AddSpilled(BloomFilter& filter);

  io::FileSystem& files_;
  std::string spill_path_;
  std::unique_ptr<io::WritableFile> spill_;
  uint64_t spilled_count_ = 0;
  std::vector<Murmur3Hash> hashes_;
};

}  // namespace orochi::sstable
