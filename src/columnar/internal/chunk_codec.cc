#include "columnar/internal/chunk_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/byte_writer.h"
#include "codec/crc32c.h"
#include "columnar/internal/statistics_builder.h"

namespace orochi::columnar::internal {
namespace {

// ColumnVector promises that stores may run past the last value.
constexpr size_t kSlackWords = 8;

// Below this the frame of a compressed block is larger than what it can save.
constexpr size_t kCompressedBytesMin = 32;

// Takes the validity bitmap off the front of `reader`.
Status DecodeValidity(const ChunkInfo& info, codec::ByteReader& reader, ColumnVector& out) {
  std::span<const std::byte> bitmap;
  if (!reader.ReadSpan((size_t{info.row_count} + 7) / 8, bitmap)) {
    return Status::Corruption(StrCat("the validity bitmap of ", info.row_count, " rows ends after ",
                                     reader.remaining_bytes(), " bytes"));
  }
  out.valid_words.assign((size_t{info.row_count} + 63) / 64, 0);
  std::memcpy(out.valid_words.data(), bitmap.data(), bitmap.size());
  uint32_t valid_count = 0;
  for (uint64_t const word : out.valid_words) {
    valid_count += static_cast<uint32_t>(std::popcount(word));
  }
  uint32_t const tail_bits = info.row_count % 64;
  bool const tail_clear = tail_bits == 0 || (out.valid_words.back() >> tail_bits) == 0;
  if (!tail_clear || valid_count != info.row_count - info.null_count) {
    return Status::Corruption(StrCat("the validity bitmap marks ", valid_count, " of ",
                                     info.row_count, " rows, expected ",
                                     info.row_count - info.null_count));
  }
  return Status::Ok();
}

// Moves densely decoded values to their rows and zeroes the rows of NULLs. Backwards, in place: a
// value never moves to an earlier row.
template <class T>
void SpreadFixed(ColumnVector& out) {
  auto* const values = reinterpret_cast<T*>(out.fixed_words.data());
  uint32_t value = out.row_count - out.null_count;
  for (uint32_t row = out.row_count; row-- > 0;) {
    bool const valid = ((out.valid_words[row / 64] >> (row % 64)) & 1) != 0;
    value -= static_cast<uint32_t>(valid);
    values[row] = valid ? values[value] : T{0};
  }
}

void SpreadOffsets(ColumnVector& out) {
  uint32_t value = out.row_count - out.null_count;
  out.offsets.resize(size_t{out.row_count} + 1);
  for (uint32_t row = out.row_count; row > 0; --row) {
    out.offsets[row] = out.offsets[value];
    value -= static_cast<uint32_t>((out.valid_words[(row - 1) / 64] >> ((row - 1) % 64)) & 1);
  }
}

void Spread(ColumnVector& out) {
  switch (WidthBytes(out.type)) {
    case 1:
      return SpreadFixed<uint8_t>(out);
    case 2:
      return SpreadFixed<uint16_t>(out);
    case 4:
      return SpreadFixed<uint32_t>(out);
    case 8:
      return SpreadFixed<uint64_t>(out);
    default:
      return SpreadOffsets(out);
  }
}

void ClearToNull(ColumnVector& out) {
  if (out.type == PhysicalType::kBytes) {
    out.offsets.assign(size_t{out.row_count} + 1, 0);
    out.bytes.clear();
  } else {
    std::fill(out.fixed_words.begin(), out.fixed_words.end(), 0);
  }
  out.valid_words.assign((size_t{out.row_count} + 63) / 64, 0);
}

void PrepareVector(PhysicalType type, const ChunkInfo& info, ColumnVector& out) {
  out.type = type;
  out.row_count = info.row_count;
  out.null_count = info.null_count;
  out.valid_words.clear();
  if (type == PhysicalType::kBytes) {
    out.fixed_words.clear();
  } else {
    out.offsets.clear();
    out.bytes.clear();
    size_t const size_bytes = size_t{info.row_count} * WidthBytes(type);
    out.fixed_words.resize((size_bytes + 7) / 8 + kSlackWords);
  }
}

Status CheckBools(const ColumnVector& out) {
  uint8_t bits = 0;
  for (uint8_t const value : out.Values<uint8_t>()) {
    bits |= value;
  }
  return bits <= 1 ? Status::Ok() : Status::Corruption("a bool is neither 0 nor 1");
}

}  // namespace

Status ChunkEncoder::Encode(const ColumnBuffer& buffer, EncodedChunk& chunk) {
  ASSERT(buffer.row_count() > 0);
  chunk.stored = {};
  ChunkInfo& info = chunk.stored.info;
  info.row_count = buffer.row_count();
  info.null_count = buffer.null_count();
  info.statistics = BuildStatistics(buffer);
  chunk.stored.value_size_bytes = buffer.bytes().size();
  if (buffer.value_count() == 0) {
    chunk.bytes.clear();
    chunk.stored.crc = codec::Crc32c({});
    return Status::Ok();
  }
  values_.Plan(buffer);
  Encoding const smallest = values_.Smallest();
  RETURN_IF_ERROR(EncodeAs(smallest, buffer, best_));
  // Bytes that pack badly may still repeat in ways that only general compression sees, and
  // packing hides those.
  size_t const plain_size_bytes = *values_.SizeBytes(Encoding::kPlain);
  if (compression_ != codec::Compression::kNone && smallest != Encoding::kPlain &&
      best_.stored().size() > plain_size_bytes / 2) {
    RETURN_IF_ERROR(EncodeAs(Encoding::kPlain, buffer, other_));
    if (other_.stored().size() < best_.stored().size()) {
      std::swap(best_, other_);
    }
  }
  std::span<const std::byte> const stored = best_.stored();
  info.encoding = best_.encoding;
  info.compression = best_.compression;
  info.size_bytes = stored.size();
  chunk.stored.raw_size_bytes = best_.raw.size();
  chunk.stored.crc = codec::Crc32c(stored);
  chunk.bytes.assign(stored.begin(), stored.end());
  return Status::Ok();
}

Status ChunkEncoder::EncodeAs(Encoding encoding, const ColumnBuffer& buffer, Attempt& attempt) {
  attempt.encoding = encoding;
  attempt.compression = codec::Compression::kNone;
  attempt.raw.clear();
  if (buffer.null_count() > 0) {
    codec::AppendSpan(
        attempt.raw,
        std::as_bytes(std::span(buffer.valid_words())).first((size_t{buffer.row_count()} + 7) / 8));
  }
  values_.Encode(encoding, attempt.raw);
  if (compression_ == codec::Compression::kNone || attempt.raw.size() < kCompressedBytesMin) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(
      codec::Compress(compression_, compression_level_, attempt.raw, attempt.compressed));
  if (attempt.compressed.size() <= attempt.raw.size() - attempt.raw.size() / 8) {
    attempt.compression = compression_;
  }
  return Status::Ok();
}

Status ChunkDecoder::Unwrap(const StoredChunk& chunk, std::span<const std::byte> bytes,
                            std::span<const std::byte>& raw) {
  uint32_t const crc = codec::Crc32c(bytes);
  if (crc != chunk.crc) {
    return Status::Corruption(
        StrCat("checksum mismatch: CRC-32C is ", crc, ", expected ", chunk.crc));
  }
  if (chunk.info.compression == codec::Compression::kNone) {
    if (bytes.size() != chunk.raw_size_bytes) {
      return Status::Corruption(StrCat("uncompressed chunk has ", bytes.size(), " bytes, expected ",
                                       chunk.raw_size_bytes));
    }
    raw = bytes;
    return Status::Ok();
  }
  raw_.resize(chunk.raw_size_bytes);
  raw = raw_;
  return codec::Decompress(chunk.info.compression, bytes, raw_);
}

Status ChunkDecoder::Decode(PhysicalType type, const StoredChunk& chunk,
                            std::span<const std::byte> bytes, ColumnVector& out) {
  std::span<const std::byte> raw;
  RETURN_IF_ERROR(Unwrap(chunk, bytes, raw));
  return DecodeRaw(type, chunk, raw, out);
}

Status ChunkDecoder::ReadCell(PhysicalType type, const StoredChunk& chunk,
                              std::span<const std::byte> bytes, uint32_t row,
                              CellShortcut* shortcut, Cell& cell) {
  std::span<const std::byte> raw;
  RETURN_IF_ERROR(Unwrap(chunk, bytes, raw));
  if (shortcut != nullptr && chunk.info.compression != codec::Compression::kNone &&
      raw.size() <= CellShortcut::kRawBytesMax) {
    shortcut->raw.assign(raw.begin(), raw.end());
  }
  return FindCell(type, chunk, raw, row, shortcut, cell);
}

Status ChunkDecoder::FindCell(PhysicalType type, const StoredChunk& chunk,
                              std::span<const std::byte> raw, uint32_t row, CellShortcut* shortcut,
                              Cell& cell) {
  ASSERT(row < chunk.info.row_count);
  cell = Cell{};
  uint32_t const value_count = chunk.info.row_count - chunk.info.null_count;
  uint32_t index = row;
  codec::ByteReader reader(raw);
  if (value_count == 0) {
    cell = Cell::Null();
    return Status::Ok();
  }
  if (chunk.info.null_count > 0) {
    std::span<const std::byte> bitmap;
    if (!reader.ReadSpan((size_t{chunk.info.row_count} + 7) / 8, bitmap)) {
      return Status::Corruption(StrCat("the validity bitmap of ", chunk.info.row_count,
                                       " rows ends after ", reader.remaining_bytes(), " bytes"));
    }
    auto const bits_of = [&](uint32_t byte) { return std::to_integer<uint32_t>(bitmap[byte]); };
    if (((bits_of(row / 8) >> (row % 8)) & 1) == 0) {
      cell = Cell::Null();
      return Status::Ok();
    }
    index = static_cast<uint32_t>(std::popcount(bits_of(row / 8) & ((1U << (row % 8)) - 1)));
    for (uint32_t byte = 0; byte < row / 8; ++byte) {
      index += static_cast<uint32_t>(std::popcount(bits_of(byte)));
    }
    if (index >= value_count) {
      return Status::Corruption(
          StrCat("the validity bitmap marks more than ", value_count, " rows before row ", row));
    }
  }
  if (type != PhysicalType::kBytes) {
    return lookup_.FindFixed(chunk.info.encoding, type, value_count, index, reader,
                             shortcut == nullptr ? nullptr : &shortcut->marks, cell.word);
  }
  std::span<const std::byte> value;
  RETURN_IF_ERROR(lookup_.FindBytes(chunk.info.encoding, value_count, index, reader, value));
  if (value.size() > chunk.value_size_bytes) {
    return Status::Corruption(
        StrCat("a value has ", value.size(), " bytes, all together have ", chunk.value_size_bytes));
  }
  cell = Cell::Bytes(value);
  return Status::Ok();
}

Status ChunkDecoder::DecodeRaw(PhysicalType type, const StoredChunk& chunk,
                               std::span<const std::byte> raw, ColumnVector& out) {
  PrepareVector(type, chunk.info, out);
  uint32_t const value_count = chunk.info.row_count - chunk.info.null_count;
  if (value_count == 0) {
    if (!raw.empty() || chunk.value_size_bytes != 0) {
      return Status::Corruption(StrCat("only NULLs, and ", raw.size(), " bytes of values"));
    }
    ClearToNull(out);
    return Status::Ok();
  }
  codec::ByteReader reader(raw);
  if (chunk.info.null_count > 0) {
    RETURN_IF_ERROR(DecodeValidity(chunk.info, reader, out));
  }
  RETURN_IF_ERROR(type == PhysicalType::kBytes
                      ? values_.DecodeBytes(chunk.info.encoding, value_count,
                                            chunk.value_size_bytes, reader, out)
                      : values_.DecodeFixed(chunk.info.encoding, value_count, reader, out));
  if (chunk.info.null_count > 0) {
    Spread(out);
  }
  return type == PhysicalType::kBool ? CheckBools(out) : Status::Ok();
}

}  // namespace orochi::columnar::internal
