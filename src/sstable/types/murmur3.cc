#include "sstable/types/murmur3.h"

#include <bit>
#include <cstring>

namespace orochi::sstable {

namespace {

static_assert(std::endian::native == std::endian::little, "blocks are loaded as they stand");

constexpr uint64_t kC1 = 0x87c3'7b91'1142'53d5;
constexpr uint64_t kC2 = 0x4cf5'ad43'2745'937f;

constexpr uint64_t Finalise(uint64_t h) {
  h ^= h >> 33;
  h *= 0xff51'afd7'ed55'8ccd;
  h ^= h >> 33;
  h *= 0xc4ce'b9fe'1a85'ec53;
  return h ^ (h >> 33);
}

constexpr uint64_t MixFirst(uint64_t k) {
  return std::rotl(k * kC1, 31) * kC2;
}

constexpr uint64_t MixSecond(uint64_t k) {
  return std::rotl(k * kC2, 33) * kC1;
}

/// Up to eight bytes, little-endian. Java's bytes are signed: each is sign-extended before it is
/// shifted, and so disturbs the bytes above it.
uint64_t LoadTail(const std::byte* bytes, size_t count) {
  uint64_t k = 0;
  for (size_t index = 0; index < count; ++index) {
    auto const wide = static_cast<int64_t>(static_cast<int8_t>(bytes[index]));
    k ^= static_cast<uint64_t>(wide) << (8 * index);
  }
  return k;
}

}  // namespace

Murmur3Hash Murmur3(Bytes key) {
  uint64_t h1 = 0;
  uint64_t h2 = 0;
  const std::byte* at = key.data();
  for (size_t block = 0; block < key.size() / 16; ++block, at += 16) {
    uint64_t words[2];
    std::memcpy(words, at, sizeof(words));
    h1 ^= MixFirst(words[0]);
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dc'e729;
    h2 ^= MixSecond(words[1]);
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x3849'5ab5;
  }
  size_t const tail = key.size() % 16;
  if (tail > 8) {
    h2 ^= MixSecond(LoadTail(at + 8, tail - 8));
  }
  if (tail > 0) {
    h1 ^= MixFirst(LoadTail(at, tail < 8 ? tail : 8));
  }
  h1 ^= key.size();
  h2 ^= key.size();
  h1 += h2;
  h2 += h1;
  h1 = Finalise(h1);
  h2 = Finalise(h2);
  h1 += h2;
  h2 += h1;
  return {.h1 = h1, .h2 = h2};
}

}  // namespace orochi::sstable
