#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "sstable/types/bytes.h"

namespace orochi::sstable {

/// Summary.db: every so many'th partition key with its position in Index.db.
///
///   i32 keys per entry at full sampling, i32 entry count n, i64 size of offsets and entries
///   i32 sampling level (128: full), i32 entry count at full sampling
///   n offsets u32, LITTLE-endian, from the first offset's place; then the entries:
///     key, i64 LITTLE-endian position in Index.db
///   i32 + first key, i32 + last key of the table
///
/// Threads: any, once made.
class IndexSummary {
 public:
  static constexpr int32_t kFullSampling = 128;

  static Result<IndexSummary> Decode(std::span<const std::byte> bytes);
  std::vector<std::byte> Encode() const;

  int32_t index_interval_min = 128;
  int32_t sampling_level = kFullSampling;
  int32_t full_sampling_count = 0;
  std::vector<std::byte> first_key;
  std::vector<std::byte> last_key;

  size_t entry_count() const { return positions_.size(); }
  Bytes key(size_t index) const {
    return Bytes(keys_.data() + key_ends_[index], key_ends_[index + 1] - key_ends_[index]);
  }
  uint64_t index_position(size_t index) const { return positions_[index]; }
  /// Keys come in table order, positions ascending.
  void Append(Bytes key, uint64_t index_position);

 private:
  std::vector<std::byte> keys_;
  std::vector<uint32_t> key_ends_{0};  // entry_count() + 1 entries; key i ends at [i + 1]
  std::vector<uint64_t> positions_;
};

}  // namespace orochi::sstable
