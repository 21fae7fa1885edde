#include "sstable/format/compressor.h"

#include <libdeflate.h>
#include <lz4.h>
#include <snappy-c.h>
#include <zstd.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

constexpr std::array<std::string_view, 5> kClassNames = {
    "LZ4Compressor", "SnappyCompressor", "DeflateCompressor", "ZstdCompressor", "NoopCompressor"};
constexpr std::string_view kPackage = "org.apache.cassandra.io.compress.";
constexpr size_t kLz4LengthSizeBytes = 4;
constexpr int kDeflateLevelDefault = 6;
constexpr int kZstdLevelDefault = 3;

Status WrongLength(std::string_view codec, uint64_t found, uint64_t expected) {
  return Status::Corruption(
      StrCat(codec, " chunk expands to ", found, " bytes, expected ", expected));
}

}  // namespace

struct ChunkCodec::Libraries {
  template <auto Free>
  struct Freed {
    template <class T>
    void operator()(T* object) const {
      Free(object);
    }
  };
  std::unique_ptr<ZSTD_DCtx, Freed<ZSTD_freeDCtx>> zstd_reader;
  std::unique_ptr<ZSTD_CCtx, Freed<ZSTD_freeCCtx>> zstd_writer;
  std::unique_ptr<libdeflate_decompressor, Freed<libdeflate_free_decompressor>> deflate_reader;
  std::unique_ptr<libdeflate_compressor, Freed<libdeflate_free_compressor>> deflate_writer;
};

std::string_view CompressorClassName(CompressorKind kind) {
  return kClassNames[static_cast<size_t>(kind)];
}

Result<CompressorKind> CompressorFromClassName(std::string_view name) {
  std::string_view simple = name;
  if (simple.starts_with(kPackage)) {
    simple.remove_prefix(kPackage.size());
  }
  for (size_t index = 0; index < kClassNames.size(); ++index) {
    if (simple == kClassNames[index]) {
      return static_cast<CompressorKind>(index);
    }
  }
  return Status::Unsupported(StrCat("compressor '", name,
                                    "' is not known; LZ4Compressor, SnappyCompressor, "
                                    "DeflateCompressor, ZstdCompressor and NoopCompressor are"));
}

ChunkCodec::ChunkCodec(CompressorKind kind, int level)
    : kind_(kind), level_(level), libraries_(std::make_unique<Libraries>()) {}
ChunkCodec::~ChunkCodec() = default;

Status ChunkCodec::DecompressLz4(std::span<const std::byte> input, std::span<std::byte> out) {
  if (input.size() < kLz4LengthSizeBytes) {
    return Status::Corruption(StrCat("LZ4 chunk of ", input.size(), " bytes has no length"));
  }
  uint32_t announced = 0;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(&announced, input.data(), sizeof(announced));
  if (announced != out.size()) {
    return WrongLength("LZ4", announced, out.size());
  }
  std::span<const std::byte> const block = input.subspan(kLz4LengthSizeBytes);
  if (block.size() > LZ4_MAX_INPUT_SIZE || out.size() > LZ4_MAX_INPUT_SIZE) {
    return Status::Corruption(StrCat("LZ4 block of ", block.size(), " bytes"));
  }
  int const produced = LZ4_decompress_safe(
      reinterpret_cast<const char*>(block.data()), reinterpret_cast<char*>(out.data()),
      static_cast<int>(block.size()), static_cast<int>(out.size()));
  if (produced < 0) {
    return Status::Corruption(StrCat("LZ4 block of ", block.size(), " bytes is damaged"));
  }
  if (static_cast<size_t>(produced) != out.size()) {
    return WrongLength("LZ4", static_cast<uint64_t>(produced), out.size());
  }
  return Status::Ok();
}

Status ChunkCodec::DecompressSnappy(std::span<const std::byte> input, std::span<std::byte> out) {
  auto const* source = reinterpret_cast<const char*>(input.data());
  size_t size_bytes = 0;
  if (snappy_uncompressed_length(source, input.size(), &size_bytes) != SNAPPY_OK) {
    return Status::Corruption(StrCat("Snappy chunk of ", input.size(), " bytes has no length"));
  }
  if (size_bytes != out.size()) {
    return WrongLength("Snappy", size_bytes, out.size());
  }
  char empty = 0;
  char* const target = out.empty() ? &empty : reinterpret_cast<char*>(out.data());
  if (snappy_uncompress(source, input.size(), target, &size_bytes) != SNAPPY_OK) {
    return Status::Corruption(StrCat("Snappy chunk of ", input.size(), " bytes is damaged"));
  }
  return Status::Ok();
}

Status ChunkCodec::DecompressDeflate(std::span<const std::byte> input, std::span<std::byte> out) {
  auto& reader = libraries_->deflate_reader;
  if (reader == nullptr) {
    reader.reset(libdeflate_alloc_decompressor());
    if (reader == nullptr) {
      return Status::ResourceExhausted("no memory for a Deflate decompressor");
    }
  }
  std::byte empty{};
  std::byte* const target = out.empty() ? &empty : out.data();
  size_t produced = 0;
  libdeflate_result const result = libdeflate_zlib_decompress(
      reader.get(), input.data(), input.size(), target, out.size(), &produced);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
    return Status::Corruption(StrCat("Deflate chunk expands to more than ", out.size(), " bytes"));
  }
  if (result != LIBDEFLATE_SUCCESS) {
    return Status::Corruption(StrCat("Deflate chunk of ", input.size(), " bytes is damaged"));
  }
  return produced == out.size() ? Status::Ok() : WrongLength("Deflate", produced, out.size());
}

Status ChunkCodec::DecompressZstd(std::span<const std::byte> input, std::span<std::byte> out) {
  auto& reader = libraries_->zstd_reader;
  if (reader == nullptr) {
    reader.reset(ZSTD_createDCtx());
    if (reader == nullptr) {
      return Status::ResourceExhausted("no memory for a Zstd decompressor");
    }
  }
  if (ZSTD_getDictID_fromFrame(input.data(), input.size()) != 0) {
    return Status::Unsupported("Zstd chunk needs a dictionary, which no Cassandra 5 writes");
  }
  size_t const produced =
      ZSTD_decompressDCtx(reader.get(), out.data(), out.size(), input.data(), input.size());
  if (ZSTD_isError(produced) != 0) {
    return Status::Corruption(
        StrCat("Zstd chunk of ", input.size(), " bytes is damaged: ", ZSTD_getErrorName(produced)));
  }
  return produced == out.size() ? Status::Ok() : WrongLength("Zstd", produced, out.size());
}

Status ChunkCodec::Decompress(std::span<const std::byte> input, std::span<std::byte> out) {
  switch (kind_) {
    case CompressorKind::kLz4:
      return DecompressLz4(input, out);
    case CompressorKind::kSnappy:
      return DecompressSnappy(input, out);
    case CompressorKind::kDeflate:
      return DecompressDeflate(input, out);
    case CompressorKind::kZstd:
      return DecompressZstd(input, out);
    case CompressorKind::kNoop:
      break;
  }
  if (input.size() != out.size()) {
    return WrongLength("Noop", input.size(), out.size());
  }
  if (!out.empty()) {
    std::memcpy(out.data(), input.data(), out.size());
  }
  return Status::Ok();
}

Result<uint64_t> ChunkCodec::ExpandedSize(std::span<const std::byte> input,
                                          uint64_t size_bytes_max) {
  uint64_t size_bytes = UINT64_MAX;
  switch (kind_) {
    case CompressorKind::kLz4:
      if (input.size() >= kLz4LengthSizeBytes) {
        uint32_t announced = 0;
        std::memcpy(&announced, input.data(), sizeof(announced));
        size_bytes = announced;
      }
      break;
    case CompressorKind::kSnappy: {
      size_t announced = 0;
      if (snappy_uncompressed_length(reinterpret_cast<const char*>(input.data()), input.size(),
                                     &announced) == SNAPPY_OK) {
        size_bytes = announced;
      }
      break;
    }
    case CompressorKind::kDeflate: {
      // A zlib stream does not say: room for twice as much until it fits.
      std::vector<std::byte> out;
      for (uint64_t room = 1; size_bytes == UINT64_MAX && room <= size_bytes_max; room *= 2) {
        out.resize(static_cast<size_t>(room));
        std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> const
            reader(libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
        size_t produced = 0;
        if (reader != nullptr &&
            libdeflate_zlib_decompress(reader.get(), input.data(), input.size(), out.data(),
                                       out.size(), &produced) == LIBDEFLATE_SUCCESS) {
          size_bytes = produced;
        }
      }
      break;
    }
    case CompressorKind::kZstd:
      size_bytes = ZSTD_getFrameContentSize(input.data(), input.size());  // errors are huge
      break;
    case CompressorKind::kNoop:
      size_bytes = input.size();
      break;
  }
  if (size_bytes > size_bytes_max) {
    return Status::Corruption(StrCat(CompressorClassName(kind_), " chunk of ", input.size(),
                                     " bytes does not say that it expands to at most ",
                                     size_bytes_max));
  }
  return size_bytes;
}

Status ChunkCodec::Compress(std::span<const std::byte> input, std::vector<std::byte>& out) {
  ASSERT(input.size() <= LZ4_MAX_INPUT_SIZE);  // writers cut chunks far below
  size_t size_bytes = 0;
  switch (kind_) {
    case CompressorKind::kLz4: {
      out.resize(kLz4LengthSizeBytes +
                 static_cast<size_t>(LZ4_compressBound(static_cast<int>(input.size()))));
      auto const length = static_cast<uint32_t>(input.size());
      std::memcpy(out.data(), &length, sizeof(length));
      int const produced = LZ4_compress_default(
          reinterpret_cast<const char*>(input.data()),
          reinterpret_cast<char*>(out.data() + kLz4LengthSizeBytes), static_cast<int>(input.size()),
          static_cast<int>(out.size() - kLz4LengthSizeBytes));
      size_bytes = produced > 0 ? kLz4LengthSizeBytes + static_cast<size_t>(produced) : 0;
      break;
    }
    case CompressorKind::kSnappy:
      size_bytes = snappy_max_compressed_length(input.size());
      out.resize(size_bytes);
      if (snappy_compress(reinterpret_cast<const char*>(input.data()), input.size(),
                          reinterpret_cast<char*>(out.data()), &size_bytes) != SNAPPY_OK) {
        size_bytes = 0;
      }
      break;
    case CompressorKind::kDeflate: {
      auto& writer = libraries_->deflate_writer;
      if (writer == nullptr) {
        writer.reset(libdeflate_alloc_compressor(level_ == 0 ? kDeflateLevelDefault : level_));
        if (writer == nullptr) {
          return Status::ResourceExhausted("no memory for a Deflate compressor");
        }
      }
      out.resize(libdeflate_zlib_compress_bound(writer.get(), input.size()));
      size_bytes = libdeflate_zlib_compress(writer.get(), input.data(), input.size(), out.data(),
                                            out.size());
      break;
    }
    case CompressorKind::kZstd: {
      auto& writer = libraries_->zstd_writer;
      if (writer == nullptr) {
        writer.reset(ZSTD_createCCtx());
        if (writer == nullptr) {
          return Status::ResourceExhausted("no memory for a Zstd compressor");
        }
        ZSTD_CCtx_setParameter(writer.get(), ZSTD_c_compressionLevel,
                               level_ == 0 ? kZstdLevelDefault : level_);
        ZSTD_CCtx_setParameter(writer.get(), ZSTD_c_checksumFlag, 1);
      }
      out.resize(ZSTD_compressBound(input.size()));
      size_t const produced =
          ZSTD_compress2(writer.get(), out.data(), out.size(), input.data(), input.size());
      size_bytes = ZSTD_isError(produced) != 0 ? 0 : produced;
      break;
    }
    case CompressorKind::kNoop:
      out.assign(input.begin(), input.end());
      return Status::Ok();
  }
  if (size_bytes == 0) {
    return Status::Internal(
        StrCat(CompressorClassName(kind_), " refused a chunk of ", input.size(), " bytes"));
  }
  out.resize(size_bytes);
  return Status::Ok();
}

}  // namespace orochi::sstable
