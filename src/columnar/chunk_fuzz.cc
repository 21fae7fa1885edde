// Any bytes decoded as a chunk of any type and encoding under a right checksum; what was decoded is
// encoded and decoded again.
#include "codec/crc32c.h"
#include "codec/testing/fuzz_input.h"
#include "columnar/internal/chunk_codec.h"
#include "columnar/testing/memory_stripe.h"

namespace orochi::columnar {
namespace {

using codec::testing::Require;

void RoundTrip(const ColumnVector& vector) {
  internal::ColumnBuffer buffer(vector.type);
  std::vector<testing::OwnedCell> cells;
  for (uint32_t row = 0; row < vector.row_count; ++row) {
    cells.push_back(testing::CellOf(vector, row));
  }
  for (const Cell& cell : testing::Borrow(cells)) {
    buffer.Grow(cell);
    buffer.Append(cell);
  }
  internal::ChunkEncoder encoder(codec::Compression::kLz4, 1);
  internal::EncodedChunk chunk;
  Require(encoder.Encode(buffer, chunk).ok(), "what was decoded encodes");
  internal::ChunkDecoder decoder;
  ColumnVector found;
  Require(decoder.Decode(vector.type, chunk.stored, chunk.bytes, found).ok(), "own bytes decode");
  for (uint32_t row = 0; row < vector.row_count; ++row) {
    Require(testing::CellOf(found, row) == cells[row], "cells survive");
  }
}

void Fuzz(const uint8_t* data, size_t size_bytes) {
  codec::testing::FuzzInput input(data, size_bytes);
  auto const type = static_cast<PhysicalType>(1 + input.TakeByte() % 7);
  internal::StoredChunk chunk;
  chunk.info.encoding = static_cast<Encoding>(input.TakeByte() % 8);
  chunk.info.compression = static_cast<codec::Compression>(input.TakeByte() % 3);
  chunk.info.row_count = static_cast<uint32_t>(input.TakeCount());
  chunk.info.null_count = input.TakeByte() % (chunk.info.row_count + 1);
  chunk.value_size_bytes = type == PhysicalType::kBytes ? input.TakeCount() - 1 : 0;
  size_t const expanded_size_bytes = input.TakeCount();
  chunk.info.size_bytes = input.rest().size();
  chunk.raw_size_bytes = chunk.info.compression == codec::Compression::kNone ? input.rest().size()
                                                                             : expanded_size_bytes;
  chunk.crc = codec::Crc32c(input.rest());
  internal::ChunkDecoder decoder;
  ColumnVector vector;
  bool const decodes = decoder.Decode(type, chunk, input.rest(), vector).ok();
  CellShortcut shortcut;
  for (uint32_t row = 0; row < chunk.info.row_count; row += 1 + row / 4) {
    for (CellShortcut* const kept : {static_cast<CellShortcut*>(nullptr), &shortcut}) {
      Cell cell;
      bool const is_found = kept != nullptr && !kept->raw.empty()
                                ? decoder.FindCell(type, chunk, kept->raw, row, kept, cell).ok()
                                : decoder.ReadCell(type, chunk, input.rest(), row, kept, cell).ok();
      if (decodes) {
        Require(is_found && testing::OwnedCell::Copy(type, cell) == testing::CellOf(vector, row),
                "a row read alone is the same");
      }
    }
  }
  if (decodes) {
    RoundTrip(vector);
  }
}

}  // namespace
}  // namespace orochi::columnar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  orochi::columnar::Fuzz(data, size_bytes);
  return 0;
}
