#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"
#include "codec/byte_strings.h"
#include "codec/frame_of_reference.h"

namespace orochi::codec {

/// The distinct values of a sequence, in ascending order, and for each place which one is there.
///
///   varint  entry count
///   ...     entries: fixed-width ones little-endian, byte strings as ByteStrings
///   ...     codes as a frame of reference
struct WordDictionary {
  std::vector<uint64_t> entries;  // ascending as signed numbers
  std::vector<int64_t> codes;
  FrameOfReferencePlan frame;  // of the codes
  size_t size_bytes = 0;       // for the width given when it was built; exact
};

struct ByteDictionary {
  std::vector<uint32_t> ends;  // the entries, ascending bytewise
  std::vector<std::byte> bytes;
  std::vector<int64_t> codes;
  ByteStringsPlan entries_plan;
  FrameOfReferencePlan frame;
  size_t size_bytes = 0;

  ByteStrings entries() const { return {ends, bytes}; }
};

/// False, and `dictionary` unspecified, when there are more distinct values than `entry_count_max`.
/// REQUIRES: words is not empty; width_bytes is 1 to 8.
bool BuildDictionary(std::span<const uint64_t> words, uint32_t width_bytes, size_t entry_count_max,
                     WordDictionary& dictionary);
bool BuildDictionary(const ByteStrings& strings, size_t entry_count_max,
                     ByteDictionary& dictionary);

void EncodeDictionary(const WordDictionary& dictionary, uint32_t width_bytes,
                      std::vector<std::byte>& out);
void EncodeDictionary(const ByteDictionary& dictionary, std::vector<std::byte>& out);

/// Fills `entries` from the front (as many as there are values are always enough), `codes` and
/// `out`. REQUIRES: out is not empty.
template <class Unsigned>
Status DecodeDictionary(ByteReader& reader, std::vector<uint32_t>& codes,
                        std::vector<uint64_t>& entries, std::span<Unsigned> out);

/// Makes `offsets` count + 1 entries and `bytes` the strings. kCorruption unless they have
/// `size_bytes` bytes together, which is what bounds the memory.
struct ByteDictionaryScratch {
  std::vector<uint32_t> entry_offsets;
  std::vector<uint32_t> codes;
};
Status DecodeDictionary(ByteReader& reader, size_t count, uint64_t size_bytes,
                        ByteDictionaryScratch& scratch, std::vector<uint32_t>& offsets,
                        std::vector<std::byte>& bytes);

/// One of `count` values; a string borrows from the reader. REQUIRES: index < count.
template <class Unsigned>
Status ReadDictionaryAt(ByteReader reader, size_t count, size_t index, Unsigned& value);
Status ReadDictionaryAt(ByteReader reader, size_t count, size_t index,
                        ByteDictionaryScratch& scratch, std::span<const std::byte>& value);

}  // namespace orochi::codec
