#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sstable/types/bytes.h"

namespace orochi::sstable {

/// About how many different keys were added: HyperLogLog++ with 2^13 registers, in the form that
/// the compaction component of Statistics.db has. Cassandra adds up the sketches of its inputs to
/// foretell how many partitions a compaction will write.
///
///   i32 size of what follows
///   i32 -2 (version 2), LEB128 13 (p), LEB128 25 (sp), LEB128 0 (registers, not a sparse list)
///   LEB128 5464, then 8192 registers of 5 bits, six to a 32-bit big-endian word from its low end
class CardinalitySketch {
 public:
  void Add(Bytes key);
  std::vector<std::byte> Encode() const;

 private:
  static constexpr int kIndexBits = 13;
  static constexpr size_t kRegisters = size_t{1} << kIndexBits;

  std::array<uint8_t, kRegisters> registers_{};
};

}  // namespace orochi::sstable
