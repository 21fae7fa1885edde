#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"
#include "codec/dictionary.h"
#include "columnar/column.h"
#include "columnar/encoding.h"

namespace orochi::columnar::internal {

/// What ValueEncoder wrote, back into a vector. Survives any bytes. Scratch space is kept.
///
/// Threads: none.
class ValueDecoder {
 public:
  /// Decodes `value_count` values, all that `reader` has left, to the front of out.fixed_words.
  /// REQUIRES: value_count > 0; out.type is fixed-width; out.fixed_words has room.
  Status DecodeFixed(Encoding encoding, uint32_t value_count, codec::ByteReader reader,
                     ColumnVector& out);

  /// Decodes `value_count` byte strings of `value_size_bytes` together: makes out.offsets
  /// value_count + 1 entries and out.bytes. REQUIRES: value_count > 0.
  Status DecodeBytes(Encoding encoding, uint32_t value_count, uint64_t value_size_bytes,
                     codec::ByteReader reader, ColumnVector& out);

 private:
  template <class Unsigned>
  Status DecodeFixedOf(Encoding encoding, PhysicalType type, std::span<Unsigned> out,
                       codec::ByteReader& reader);
  template <class Unsigned>
  Status DecodeRunsOf(PhysicalType type, std::span<Unsigned> out, codec::ByteReader& reader);
  Status DecodePlainBytes(uint32_t value_count, uint64_t value_size_bytes,
                          codec::ByteReader& reader, ColumnVector& out);
  Status DecodeConstantBytes(uint32_t value_count, uint64_t value_size_bytes,
                             codec::ByteReader& reader, ColumnVector& out);
  Status DecodeRunsOfBytes(uint32_t value_count, uint64_t value_size_bytes,
                           codec::ByteReader& reader, ColumnVector& out);

  std::vector<uint64_t> words_;
  std::vector<uint32_t> lengths_;
  std::vector<uint32_t> run_offsets_;
  codec::ByteDictionaryScratch dictionary_;
};

}  // namespace orochi::columnar::internal
