#include "columnar/internal/chunk_codec.h"

#include <bit>
#include <cstring>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/byte_writer.h"
#include "codec/crc32c.h"
#include "columnar/internal/statistics_builder.h"

namespace orochi::columnar::internal {
namespace {

// ColumnVector promises that stores may run past the last value.
constexpr size_t kSlackWords = 8;

void AppendPlain(const ColumnBuffer& buffer, std::vector<std::byte>& out) {
  if (buffer.type() == PhysicalType::kBytes) {
    codec::AppendSpan(out, std::as_bytes(std::span(buffer.ends())));
    codec::AppendSpan(out, buffer.bytes());
    return;
  }
  uint32_t const width_bytes = WidthBytes(buffer.type());
  for (const uint64_t& word : buffer.words()) {
    codec::AppendSpan(out, std::as_bytes(std::span(&word, 1)).first(width_bytes));
  }
}

Status DecodePlainFixed(std::span<const std::byte> bytes, std::span<std::byte> out) {
  if (bytes.size() != out.size()) {
    return Status::Corruption(
        StrCat("plain values have ", bytes.size(), " bytes, expected ", out.size()));
  }
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return Status::Ok();
}

// Leaves value_count + 1 offsets and the bytes of the values in `out`.
Status DecodePlainBytes(std::span<const std::byte> bytes, uint32_t value_count,
                        uint64_t value_size_bytes, ColumnVector& out) {
  size_t const ends_size_bytes = size_t{value_count} * sizeof(uint32_t);
  if (bytes.size() != ends_size_bytes + value_size_bytes) {
    return Status::Corruption(StrCat("plain byte strings have ", bytes.size(), " bytes, expected ",
                                     ends_size_bytes + value_size_bytes));
  }
  out.offsets.resize(size_t{value_count} + 1);
  out.offsets[0] = 0;
  std::memcpy(out.offsets.data() + 1, bytes.data(), ends_size_bytes);
  for (size_t value = 0; value < value_count; ++value) {
    if (out.offsets[value] > out.offsets[value + 1]) {
      return Status::Corruption(StrCat("offset of byte string ", value + 1, " goes back from ",
                                       out.offsets[value], " to ", out.offsets[value + 1]));
    }
  }
  if (out.offsets[value_count] != value_size_bytes) {
    return Status::Corruption(
        StrCat("byte strings end at ", out.offsets[value_count], ", expected ", value_size_bytes));
  }
  std::span<const std::byte> const values = bytes.subspan(ends_size_bytes);
  out.bytes.assign(values.begin(), values.end());
  return Status::Ok();
}

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
  out.offsets.clear();
  out.bytes.clear();
  if (type == PhysicalType::kBytes) {
    out.fixed_words.clear();
  } else {
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

Status DecodeRaw(PhysicalType type, const StoredChunk& chunk, std::span<const std::byte> raw,
                 ColumnVector& out) {
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
  if (chunk.info.encoding != Encoding::kPlain) {
    return Status::Unsupported(StrCat("encoding ", EncodingName(chunk.info.encoding)));
  }
  if (type == PhysicalType::kBytes) {
    RETURN_IF_ERROR(DecodePlainBytes(reader.rest(), value_count, chunk.value_size_bytes, out));
  } else {
    auto const fixed_bytes = std::as_writable_bytes(std::span(out.fixed_words));
    RETURN_IF_ERROR(
        DecodePlainFixed(reader.rest(), fixed_bytes.first(size_t{value_count} * WidthBytes(type))));
  }
  if (chunk.info.null_count > 0) {
    Spread(out);
  }
  return type == PhysicalType::kBool ? CheckBools(out) : Status::Ok();
}

}  // namespace

Status ChunkEncoder::Encode(const ColumnBuffer& buffer, EncodedChunk& chunk) {
  ASSERT(buffer.row_count() > 0);
  ChunkInfo info;
  info.row_count = buffer.row_count();
  info.null_count = buffer.null_count();
  info.statistics = BuildStatistics(buffer);
  raw_.clear();
  if (buffer.value_count() > 0) {
    if (buffer.null_count() > 0) {
      codec::AppendSpan(raw_, std::as_bytes(std::span(buffer.valid_words()))
                                  .first((size_t{buffer.row_count()} + 7) / 8));
    }
    AppendPlain(buffer, raw_);
  }
  std::span<const std::byte> stored = raw_;
  if (compression_ != codec::Compression::kNone && !raw_.empty()) {
    RETURN_IF_ERROR(codec::Compress(compression_, compression_level_, raw_, compressed_));
    if (compressed_.size() <= raw_.size() - raw_.size() / 8) {
      stored = compressed_;
      info.compression = compression_;
    }
  }
  info.size_bytes = stored.size();
  chunk.stored = {.info = info,
                  .raw_size_bytes = raw_.size(),
                  .value_size_bytes = buffer.bytes().size(),
                  .crc = codec::Crc32c(stored)};
  chunk.bytes.assign(stored.begin(), stored.end());
  return Status::Ok();
}

Status ChunkDecoder::Decode(PhysicalType type, const StoredChunk& chunk,
                            std::span<const std::byte> bytes, ColumnVector& out) {
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
    return DecodeRaw(type, chunk, bytes, out);
  }
  raw_.resize(chunk.raw_size_bytes);
  RETURN_IF_ERROR(codec::Decompress(chunk.info.compression, bytes, raw_));
  return DecodeRaw(type, chunk, raw_, out);
}

}  // namespace orochi::columnar::internal
