#include "sstable/format/compression_info.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable {

namespace {

constexpr size_t kChunkCrcSizeBytes = 4;

Status EndsEarly(const BigEndianReader& reader, std::string_view what) {
  return Status::Corruption(StrCat("at offset ", reader.position_bytes(), ": ", what, " does not ",
                                   "fit in the ", reader.remaining_bytes(), " bytes left"));
}

Status CheckChunks(const CompressionInfo& info) {
  for (size_t index = 1; index < info.chunk_offsets.size(); ++index) {
    uint64_t const previous = info.chunk_offsets[index - 1];
    uint64_t const offset = info.chunk_offsets[index];
    if (offset < previous || offset - previous <= kChunkCrcSizeBytes) {
      return Status::Corruption(StrCat("chunk ", index - 1, " spans [", previous, ", ", offset,
                                       "), which leaves no room for data and checksum"));
    }
  }
  // An empty chunk may follow the last full one.
  uint64_t const count = info.chunk_offsets.size();
  uint64_t const needed =
      (info.data_size_bytes + info.chunk_size_bytes - 1) / info.chunk_size_bytes;
  if (count != needed && count != needed + 1) {
    return Status::Corruption(StrCat(info.data_size_bytes, " bytes in chunks of ",
                                     info.chunk_size_bytes, " need ", needed, " chunks, found ",
                                     count));
  }
  return Status::Ok();
}

}  // namespace

Result<CompressionInfo> CompressionInfo::Decode(std::span<const std::byte> bytes, Version version) {
  CompressionInfo info;
  BigEndianReader reader(bytes);
  if (!reader.ReadShortText(info.compressor)) {
    return EndsEarly(reader, "the compressor's name");
  }
  uint32_t option_count = 0;
  if (!reader.Read(option_count)) {
    return EndsEarly(reader, "the number of options");
  }
  for (uint32_t index = 0; index < option_count; ++index) {
    std::pair<std::string, std::string> option;
    if (!reader.ReadShortText(option.first) || !reader.ReadShortText(option.second)) {
      return EndsEarly(reader, StrCat("option ", index, " of ", option_count));
    }
    info.options.push_back(std::move(option));
  }
  if (!reader.Read(info.chunk_size_bytes)) {
    return EndsEarly(reader, "the chunk length");
  }
  if (!std::has_single_bit(info.chunk_size_bytes) || info.chunk_size_bytes > kChunkSizeBytesMax) {
    return Status::Corruption(StrCat("chunk length ", info.chunk_size_bytes,
                                     " is not a power of two up to ", kChunkSizeBytesMax));
  }
  if (version.has_max_compressed_length() && !reader.Read(info.compressed_size_bytes_max)) {
    return EndsEarly(reader, "the largest compressed length");
  }
  if (info.compressed_size_bytes_max < 0) {
    return Status::Corruption(
        StrCat("the largest compressed length is ", info.compressed_size_bytes_max));
  }
  uint32_t chunk_count = 0;
  if (!reader.Read(info.data_size_bytes) || !reader.Read(chunk_count)) {
    return EndsEarly(reader, "data length and chunk count");
  }
  if (chunk_count == 0 || chunk_count > reader.remaining_bytes() / sizeof(uint64_t)) {
    return Status::Corruption(StrCat("at offset ", reader.position_bytes(), ": ", chunk_count,
                                     " chunk offsets announced, ", reader.remaining_bytes(),
                                     " bytes follow"));
  }
  if (info.data_size_bytes > uint64_t{chunk_count} * info.chunk_size_bytes) {
    return Status::Corruption(StrCat("data length ", info.data_size_bytes, " does not fit in ",
                                     chunk_count, " chunks of ", info.chunk_size_bytes));
  }
  info.chunk_offsets.resize(chunk_count);
  std::span<const std::byte> const offsets = reader.rest();
  for (uint32_t index = 0; index < chunk_count; ++index) {
    info.chunk_offsets[index] = LoadBigEndian<uint64_t>(offsets.data() + 8 * size_t{index});
  }
  if (size_t const extra = reader.remaining_bytes() - 8 * size_t{chunk_count}; extra > 0) {
    return Status::Corruption(StrCat(extra, " bytes follow the last chunk offset"));
  }
  RETURN_IF_ERROR(CheckChunks(info));
  return info;
}

std::vector<std::byte> CompressionInfo::Encode(Version version) const {
  std::vector<std::byte> out;
  AppendShortText(out, compressor);
  AppendBigEndian(out, static_cast<uint32_t>(options.size()));
  for (const auto& [name, value] : options) {
    AppendShortText(out, name);
    AppendShortText(out, value);
  }
  AppendBigEndian(out, chunk_size_bytes);
  if (version.has_max_compressed_length()) {
    AppendBigEndian(out, compressed_size_bytes_max);
  }
  AppendBigEndian(out, data_size_bytes);
  AppendBigEndian(out, static_cast<uint32_t>(chunk_offsets.size()));
  for (uint64_t const offset : chunk_offsets) {
    AppendBigEndian(out, offset);
  }
  return out;
}

uint32_t CompressionInfo::UncompressedSizeBytes(size_t index) const {
  ASSERT(index < chunk_offsets.size());
  uint64_t const start = uint64_t{index} * chunk_size_bytes;
  if (start >= data_size_bytes) {
    return 0;
  }
  return static_cast<uint32_t>(std::min<uint64_t>(chunk_size_bytes, data_size_bytes - start));
}

}  // namespace orochi::sstable
