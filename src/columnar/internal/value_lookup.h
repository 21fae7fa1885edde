#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"
#include "codec/dictionary.h"
#include "codec/gorilla.h"
#include "columnar/column.h"
#include "columnar/encoding.h"

namespace orochi::columnar::internal {

/// One of the values that ValueEncoder wrote, at a fraction of what decoding them all costs.
/// Survives any bytes; where ValueDecoder accepts them, it finds the same. Scratch space is kept.
///
/// Threads: none.
class ValueLookup {
 public:
  /// Value `index` of `value_count` of a fixed-width type as in Cell::word.
  /// `marks` are the chunk's own (ReadGorillaAt), or null.
  /// REQUIRES: index < value_count; `type` is not kBytes.
  Status FindFixed(Encoding encoding, PhysicalType type, uint32_t value_count, uint32_t index,
                   codec::ByteReader reader, std::vector<codec::GorillaMark>* marks,
                   uint64_t& word);
  /// The same of byte strings; `bytes` borrows from the reader.
  Status FindBytes(Encoding encoding, uint32_t value_count, uint32_t index,
                   codec::ByteReader reader, std::span<const std::byte>& bytes);

  size_t memory_bytes() const {
    return words_.capacity() * 8 + marks_.capacity() * sizeof(codec::GorillaMark) +
           (lengths_.capacity() + offsets_.capacity()) * 4;
  }

 private:
  template <class Unsigned>
  Status FindFixedOf(Encoding encoding, PhysicalType type, uint32_t value_count, uint32_t index,
                     codec::ByteReader reader, std::vector<codec::GorillaMark>& marks,
                     Unsigned& value);
  Status FindRun(codec::ByteReader& reader, uint32_t value_count, uint32_t index, size_t& run);

  std::vector<uint64_t> words_;
  std::vector<codec::GorillaMark> marks_;
  std::vector<uint32_t> lengths_;
  std::vector<uint32_t> offsets_;
  codec::ByteDictionaryScratch dictionary_;
};

}  // namespace orochi::columnar::internal
