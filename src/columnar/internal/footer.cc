#include "columnar/internal/footer.h"

#include <array>
#include <cstring>
#include <string>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/byte_writer.h"
#include "codec/crc32c.h"
#include "codec/varint.h"
#include "columnar/internal/column_buffer.h"
#include "columnar/stripe_writer.h"

namespace orochi::columnar::internal {
namespace {

using codec::AppendFixed;
using codec::AppendVarint;
using codec::ByteReader;

//  0  u8[8]  "OROCHIST"
//  8  u32    version
// 12  u32    footer size, CRC included
// 16  u64    stripe size, footer included
// 24  u32    column count
// 28  u32    row count
// 32  u32    row group count
// 36  u8     type of each column
//     varint rows of each row group
//     chunk  of each column, of each row group
//     u32    CRC-32C of all the footer's bytes before it
constexpr std::array<char, 8> kMagic = {'O', 'R', 'O', 'C', 'H', 'I', 'S', 'T'};
constexpr size_t kHeaderSizeBytes = 36;
constexpr size_t kCrcSizeBytes = 4;
constexpr size_t kChunkSizeBytesMin = 10;

constexpr uint8_t kHasRange = 1;
constexpr uint8_t kMinTruncated = 2;
constexpr uint8_t kMaxTruncated = 4;

void AppendStatistics(PhysicalType type, const ChunkStatistics& statistics,
                      std::vector<std::byte>& out) {
  uint8_t flags = 0;
  if (statistics.has_range) {
    flags = kHasRange;
    flags |= statistics.min_truncated ? kMinTruncated : 0;
    flags |= statistics.max_truncated ? kMaxTruncated : 0;
  }
  AppendFixed(out, flags);
  if (!statistics.has_range) {
    return;
  }
  if (type == PhysicalType::kBytes) {
    for (const std::string* bound : {&statistics.min_bytes, &statistics.max_bytes}) {
      AppendVarint(out, bound->size());
      codec::AppendSpan(out, std::as_bytes(std::span(*bound)));
    }
    return;
  }
  for (uint64_t const word : {statistics.min_word, statistics.max_word}) {
    codec::AppendSpan(out, std::as_bytes(std::span(&word, 1)).first(WidthBytes(type)));
  }
}

bool ReadWord(PhysicalType type, ByteReader& reader, uint64_t& word) {
  std::span<const std::byte> bytes;
  if (!reader.ReadSpan(WidthBytes(type), bytes)) {
    return false;
  }
  word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  word = NormalizeWord(type, word);
  return true;
}

bool ReadBound(ByteReader& reader, std::string& bound) {
  size_t size_bytes = 0;
  std::span<const std::byte> bytes;
  if (!reader.ReadVarintUpTo(kBoundBytesMax, size_bytes) || !reader.ReadSpan(size_bytes, bytes)) {
    return false;
  }
  bound.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return true;
}

Status ReadStatistics(PhysicalType type, ByteReader& reader, ChunkStatistics& statistics) {
  uint8_t flags = 0;
  if (!reader.ReadFixed(flags)) {
    return Status::Corruption("statistics end early");
  }
  if ((flags & ~(kHasRange | kMinTruncated | kMaxTruncated)) != 0) {
    return Status::Unsupported(StrCat("statistics flags ", int{flags}, ", at most 7 is known"));
  }
  statistics.has_range = (flags & kHasRange) != 0;
  statistics.min_truncated = (flags & kMinTruncated) != 0;
  statistics.max_truncated = (flags & kMaxTruncated) != 0;
  if (!statistics.has_range) {
    return Status::Ok();
  }
  bool const complete =
      type == PhysicalType::kBytes
          ? ReadBound(reader, statistics.min_bytes) && ReadBound(reader, statistics.max_bytes)
          : ReadWord(type, reader, statistics.min_word) &&
                ReadWord(type, reader, statistics.max_word);
  return complete ? Status::Ok() : Status::Corruption("the least and greatest value end early");
}

void AppendChunk(PhysicalType type, const StoredChunk& chunk, std::vector<std::byte>& out) {
  AppendFixed(out, static_cast<uint8_t>(chunk.info.encoding));
  AppendFixed(out, static_cast<uint8_t>(chunk.info.compression));
  AppendVarint(out, chunk.info.size_bytes);
  AppendVarint(out, chunk.raw_size_bytes);
  AppendVarint(out, chunk.info.null_count);
  AppendFixed(out, chunk.crc);
  if (type == PhysicalType::kBytes) {
    AppendVarint(out, chunk.value_size_bytes);
  }
  AppendStatistics(type, chunk.info.statistics, out);
}

// The largest compressed form that is kept saves an eighth, so it is never larger than raw.
Status ReadChunk(PhysicalType type, uint32_t row_count, uint64_t offset_bytes,
                 uint64_t chunks_size_bytes, ByteReader& reader, StoredChunk& chunk) {
  uint8_t encoding = 0;
  uint8_t compression = 0;
  if (!reader.ReadFixed(encoding) || !reader.ReadFixed(compression)) {
    return Status::Corruption("the footer ends early");
  }
  chunk.info.encoding = static_cast<Encoding>(encoding);
  chunk.info.compression = static_cast<codec::Compression>(compression);
  if (EncodingName(chunk.info.encoding).empty()) {
    return Status::Unsupported(StrCat("unknown encoding number ", int{encoding}));
  }
  if (codec::CompressionName(chunk.info.compression).empty()) {
    return Status::Unsupported(StrCat("unknown compression number ", int{compression}));
  }
  chunk.info.offset_bytes = offset_bytes;
  chunk.info.row_count = row_count;
  if (!reader.ReadVarintUpTo(chunks_size_bytes - offset_bytes, chunk.info.size_bytes)) {
    return Status::Corruption(
        StrCat("the chunk passes the end of its stripe's ", chunks_size_bytes, " bytes of chunks"));
  }
  if (!reader.ReadVarint(chunk.raw_size_bytes)) {
    return Status::Corruption("no size before compression");
  }
  if (!reader.ReadVarintUpTo(row_count, chunk.info.null_count)) {
    return Status::Corruption(StrCat("more NULLs than its ", row_count, " rows"));
  }
  if (!reader.ReadFixed(chunk.crc)) {
    return Status::Corruption("the footer ends early");
  }
  if (type == PhysicalType::kBytes &&
      !reader.ReadVarintUpTo(kChunkValueBytesMax, chunk.value_size_bytes)) {
    return Status::Corruption(StrCat("values of more than ", kChunkValueBytesMax, " bytes"));
  }
  uint64_t const raw_max = RawSizeBytesMax(type, row_count, chunk.value_size_bytes);
  if (chunk.raw_size_bytes > raw_max) {
    return Status::Corruption(
        StrCat(chunk.raw_size_bytes, " bytes before compression, at most ", raw_max, " expected"));
  }
  return ReadStatistics(type, reader, chunk.info.statistics);
}

struct Header {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t footer_size_bytes;
  uint64_t stripe_size_bytes;
  uint32_t column_count;
  uint32_t row_count;
  uint32_t row_group_count;
};

Result<Header> ReadHeader(ByteReader& reader, size_t footer_size_bytes,
                          uint64_t stripe_size_bytes) {
  Header header{};
  std::span<const std::byte> magic;
  if (!reader.ReadSpan(kMagic.size(), magic) || !reader.ReadFixed(header.version) ||
      !reader.ReadFixed(header.footer_size_bytes) || !reader.ReadFixed(header.stripe_size_bytes) ||
      !reader.ReadFixed(header.column_count) || !reader.ReadFixed(header.row_count) ||
      !reader.ReadFixed(header.row_group_count)) {
    return Status::Corruption("the footer ends early");
  }
  if (header.footer_size_bytes != footer_size_bytes ||
      header.stripe_size_bytes != stripe_size_bytes) {
    return Status::Corruption(StrCat("the footer is for a stripe of ", header.stripe_size_bytes,
                                     " bytes, footer ", header.footer_size_bytes, "; expected ",
                                     stripe_size_bytes, " and ", footer_size_bytes));
  }
  if (header.column_count > kColumnCountMax) {
    return Status::Corruption(
        StrCat(header.column_count, " columns, at most ", kColumnCountMax, " expected"));
  }
  if (header.row_count == 0 || header.row_count > kStripeRowsMax) {
    return Status::Corruption(
        StrCat(header.row_count, " rows, 1 to ", kStripeRowsMax, " expected"));
  }
  size_t const entry_count = size_t{header.column_count} * header.row_group_count;
  if (header.row_group_count > reader.remaining_bytes() ||
      entry_count > reader.remaining_bytes() / kChunkSizeBytesMin) {
    return Status::Corruption(StrCat(header.column_count, " columns of ", header.row_group_count,
                                     " row groups do not fit in a footer of ", footer_size_bytes,
                                     " bytes"));
  }
  return header;
}

Status ReadColumnTypes(ByteReader& reader, uint32_t column_count, Schema& schema) {
  for (uint32_t column = 0; column < column_count; ++column) {
    uint8_t number = 0;
    if (!reader.ReadFixed(number)) {
      return Status::Corruption("the footer ends early");
    }
    auto const type = static_cast<PhysicalType>(number);
    if (type < PhysicalType::kBool || type > PhysicalType::kBytes) {
      return Status::Unsupported(
          StrCat("column ", column, " has unknown type number ", int{number}));
    }
    schema.columns.push_back(type);
  }
  return Status::Ok();
}

Status ReadRowGroups(ByteReader& reader, const Header& header, Footer& footer) {
  uint64_t rows_seen = 0;
  for (uint32_t group = 0; group < header.row_group_count; ++group) {
    uint32_t rows = 0;
    if (!reader.ReadVarintUpTo(kRowGroupRowsMax, rows) || rows == 0) {
      return Status::Corruption(
          StrCat("row group ", group, " does not have 1 to ", kRowGroupRowsMax, " rows"));
    }
    rows_seen += rows;
    footer.row_group_rows.push_back(rows);
  }
  if (rows_seen != header.row_count) {
    return Status::Corruption(
        StrCat("row groups have ", rows_seen, " rows together, the stripe ", header.row_count));
  }
  return Status::Ok();
}

Status CheckEnvelope(std::span<const std::byte> bytes, uint64_t stripe_size_bytes) {
  if (bytes.size() < kHeaderSizeBytes + kCrcSizeBytes || bytes.size() > stripe_size_bytes) {
    return Status::Corruption(StrCat("footer of ", bytes.size(), " bytes, ",
                                     kHeaderSizeBytes + kCrcSizeBytes, " to ", stripe_size_bytes,
                                     " expected"));
  }
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return Status::Corruption("no stripe footer here: its first 8 bytes are not OROCHIST");
  }
  ByteReader crc_reader(bytes.last(kCrcSizeBytes));
  uint32_t expected = 0;
  bool const has_crc = crc_reader.ReadFixed(expected);
  ASSERT(has_crc);
  uint32_t const found = codec::Crc32c(bytes.first(bytes.size() - kCrcSizeBytes));
  if (found != expected) {
    return Status::Corruption(
        StrCat("footer checksum mismatch: CRC-32C is ", found, ", expected ", expected));
  }
  ByteReader version_reader(bytes.subspan(kMagic.size()));
  uint32_t version = 0;
  bool const has_version = version_reader.ReadFixed(version);
  ASSERT(has_version);
  if (version != kFooterVersion) {
    return Status::Unsupported(
        StrCat("stripe format version ", version, ", this build reads ", kFooterVersion));
  }
  return Status::Ok();
}

}  // namespace

uint64_t RawSizeBytesMax(PhysicalType type, uint32_t row_count, uint64_t value_size_bytes) {
  constexpr uint64_t kOverheadBytes = 64;
  uint64_t const bitmap_size_bytes = (row_count + 7) / 8;
  // Lengths of byte strings pack into at most 5 bytes each, block headers included.
  uint64_t const plain_size_bytes = type == PhysicalType::kBytes
                                        ? value_size_bytes + uint64_t{row_count} * 5
                                        : uint64_t{row_count} * WidthBytes(type);
  return kOverheadBytes + bitmap_size_bytes + plain_size_bytes;
}

void EncodeFooter(const Footer& footer, std::vector<std::byte>& out) {
  uint64_t chunks_size_bytes = 0;
  for (const StoredChunk& chunk : footer.chunks) {
    chunks_size_bytes += chunk.info.size_bytes;
  }
  out.clear();
  codec::AppendSpan(out, std::as_bytes(std::span(kMagic)));
  AppendFixed(out, kFooterVersion);
  AppendFixed(out, uint32_t{0});  // sizes are known at the end
  AppendFixed(out, uint64_t{0});
  AppendFixed(out, static_cast<uint32_t>(footer.schema.column_count()));
  AppendFixed(out, footer.row_count);
  AppendFixed(out, static_cast<uint32_t>(footer.row_group_rows.size()));
  ASSERT(out.size() == kHeaderSizeBytes);
  for (PhysicalType const type : footer.schema.columns) {
    AppendFixed(out, static_cast<uint8_t>(type));
  }
  for (uint32_t const rows : footer.row_group_rows) {
    AppendVarint(out, rows);
  }
  for (size_t index = 0; index < footer.chunks.size(); ++index) {
    AppendChunk(footer.schema.columns[index / footer.row_group_rows.size()], footer.chunks[index],
                out);
  }
  auto const footer_size_bytes = static_cast<uint32_t>(out.size() + kCrcSizeBytes);
  uint64_t const stripe_size_bytes = chunks_size_bytes + footer_size_bytes;
  std::memcpy(out.data() + 12, &footer_size_bytes, sizeof(footer_size_bytes));
  std::memcpy(out.data() + 16, &stripe_size_bytes, sizeof(stripe_size_bytes));
  AppendFixed(out, codec::Crc32c(out));
}

Result<Footer> DecodeFooter(std::span<const std::byte> bytes, uint64_t stripe_size_bytes) {
  RETURN_IF_ERROR(CheckEnvelope(bytes, stripe_size_bytes));
  ByteReader reader(bytes.first(bytes.size() - kCrcSizeBytes));
  ASSIGN_OR_RETURN(Header const header, ReadHeader(reader, bytes.size(), stripe_size_bytes));
  uint64_t const chunks_size_bytes = stripe_size_bytes - bytes.size();

  Footer footer;
  footer.row_count = header.row_count;
  RETURN_IF_ERROR(ReadColumnTypes(reader, header.column_count, footer.schema));
  RETURN_IF_ERROR(ReadRowGroups(reader, header, footer));
  footer.chunks.reserve(size_t{header.column_count} * header.row_group_count);
  uint64_t offset_bytes = 0;
  for (uint32_t column = 0; column < header.column_count; ++column) {
    for (uint32_t group = 0; group < header.row_group_count; ++group) {
      StoredChunk& chunk = footer.chunks.emplace_back();
      if (Status status = ReadChunk(footer.schema.columns[column], footer.row_group_rows[group],
                                    offset_bytes, chunks_size_bytes, reader, chunk);
          !status.ok()) {
        return std::move(status).WithContext(StrCat("column ", column, ", row group ", group));
      }
      offset_bytes += chunk.info.size_bytes;
    }
  }
  if (offset_bytes != chunks_size_bytes) {
    return Status::Corruption(StrCat("chunks have ", offset_bytes, " bytes together, ",
                                     chunks_size_bytes, " lie before the footer"));
  }
  if (reader.remaining_bytes() != 0) {
    return Status::Corruption(
        StrCat(reader.remaining_bytes(), " bytes in the footer after its last chunk"));
  }
  return footer;
}

}  // namespace orochi::columnar::internal
