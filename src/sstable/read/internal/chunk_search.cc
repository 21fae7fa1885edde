#include "sstable/read/internal/chunk_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <vector>

#include "base/assert.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/compressor.h"
#include "sstable/format/crc32.h"
#include "sstable/read/data_window.h"

namespace orochi::sstable::internal {

namespace {

constexpr size_t kCrcSizeBytes = 4;
constexpr uint32_t kReadSizeBytes = 64 * 1024;
/// Of chunks whose length nothing tells; Cassandra's default is 16 KiB, people choose up to 1 MiB.
constexpr uint64_t kChunkSizeBytesMax = uint64_t{4} << 20;
constexpr uint32_t kPolynomial = 0xEDB88320;

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    }
    table[byte] = value;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

/// How the chunks of one file are made.
struct Shape {
  CompressorKind kind = CompressorKind::kLz4;
  uint32_t chunk_size_bytes = 0;  // 0: the first chunk will tell
  int32_t compressed_size_bytes_max = CompressionInfo::kNeverRaw;
};

class Search {
 public:
  Search(const DataFile& file, Shape shape)
      : file_(file), shape_(shape), codec_(shape.kind), window_(file, kReadSizeBytes) {}

  Result<std::optional<CompressionInfo>> Run() {
    CompressionInfo info;
    info.compressor = CompressorClassName(shape_.kind);
    uint64_t position = 0;
    while (position < file_.size_bytes()) {
      window_.Seek(position);
      ASSIGN_OR_RETURN(uint64_t const size_bytes, ChunkAt());
      if (size_bytes == 0) {
        return std::optional<CompressionInfo>();
      }
      info.chunk_offsets.push_back(position);
      info.data_size_bytes += expanded_size_bytes_;
      position += size_bytes;
    }
    info.chunk_size_bytes = shape_.chunk_size_bytes;
    info.compressed_size_bytes_max = shape_.compressed_size_bytes_max;
    return info.chunk_offsets.empty() ? std::optional<CompressionInfo>() : std::optional(info);
  }

 private:
  // The size, with its checksum, of the chunk that starts here; 0 when there is none.
  Result<uint64_t> ChunkAt() {
    uint64_t const chunk =
        shape_.chunk_size_bytes == 0 ? kChunkSizeBytesMax : shape_.chunk_size_bytes;
    uint64_t const size_bytes_max = std::min(window_.remaining_bytes(), 2 * chunk + 1024);
    uint32_t crc = 0xFFFFFFFF;
    for (uint64_t size_bytes = 0; size_bytes + kCrcSizeBytes <= size_bytes_max; ++size_bytes) {
      if (window_.available() < size_bytes + kCrcSizeBytes) {
        RETURN_IF_ERROR(window_.Ensure(size_bytes + kCrcSizeBytes));
      }
      const std::byte* const here = window_.at() + size_bytes;
      if (size_bytes > 0 && LoadBigEndian<uint32_t>(here) == ~crc &&
          Expands({window_.at(), static_cast<size_t>(size_bytes)},
                  window_.remaining_bytes() == size_bytes + kCrcSizeBytes)) {
        return size_bytes + kCrcSizeBytes;
      }
      crc = kTable[(crc ^ std::to_integer<uint32_t>(*here)) & 0xFF] ^ (crc >> 8);
    }
    return uint64_t{0};
  }

  bool Expands(std::span<const std::byte> content, bool is_last) {
    bool const is_raw = content.size() >= static_cast<size_t>(shape_.compressed_size_bytes_max);
    uint64_t size_bytes = content.size();
    if (!is_raw) {
      uint64_t const most =
          shape_.chunk_size_bytes == 0 ? kChunkSizeBytesMax : shape_.chunk_size_bytes;
      Result<uint64_t> const expanded = codec_.ExpandedSize(content, most);
      if (!expanded.ok()) {
        return false;
      }
      size_bytes = *expanded;
      expanded_.resize(static_cast<size_t>(size_bytes));
      if (!codec_.Decompress(content, expanded_).ok()) {
        return false;
      }
    }
    if (shape_.chunk_size_bytes == 0) {
      uint64_t const chunk =
          is_last ? std::bit_ceil(std::max<uint64_t>(size_bytes, 1)) : size_bytes;
      if (!std::has_single_bit(chunk)) {
        return false;
      }
      shape_.chunk_size_bytes = static_cast<uint32_t>(chunk);
    }
    if (size_bytes > shape_.chunk_size_bytes ||
        (size_bytes < shape_.chunk_size_bytes && !is_last)) {
      return false;
    }
    expanded_size_bytes_ = size_bytes;
    return true;
  }

  const DataFile& file_;
  Shape shape_;
  ChunkCodec codec_;
  DataWindow window_;
  std::vector<std::byte> expanded_;
  uint64_t expanded_size_bytes_ = 0;
};

std::vector<Shape> ShapesToTry(const CompressionInfo* stored) {
  std::vector<Shape> shapes;
  if (stored != nullptr) {
    Result<CompressorKind> const kind = CompressorFromClassName(stored->compressor);
    if (kind.ok()) {
      shapes.push_back({*kind, stored->chunk_size_bytes, stored->compressed_size_bytes_max});
    }
  }
  for (CompressorKind const kind : {CompressorKind::kLz4, CompressorKind::kZstd,
                                    CompressorKind::kSnappy, CompressorKind::kDeflate}) {
    shapes.push_back({.kind = kind});
  }
  return shapes;
}

}  // namespace

Result<std::optional<CompressionInfo>> SearchChunks(io::FileSystem& files,
                                                    const std::string& data_path,
                                                    const CompressionInfo* stored) {
  ASSIGN_OR_RETURN(std::unique_ptr<DataFile> const file,
                   DataFile::OpenPlain(files, data_path, kReadSizeBytes));
  for (const Shape& shape : ShapesToTry(stored)) {
    ASSIGN_OR_RETURN(std::optional<CompressionInfo> info, Search(*file, shape).Run());
    if (info.has_value()) {
      return info;
    }
  }
  return std::optional<CompressionInfo>();
}

}  // namespace orochi::sstable::internal
