#pragma once

#include <cstdint>

#include "sstable/types/bytes.h"

namespace orochi::sstable {

/// Both halves of murmur3_x64_128 with seed 0 in Cassandra's variant, whose tail bytes are
/// sign-extended. The first half makes the token; both probe the bloom filter.
struct Murmur3Hash {
  uint64_t h1 = 0;
  uint64_t h2 = 0;
};

Murmur3Hash Murmur3(Bytes key);

}  // namespace orochi::sstable
