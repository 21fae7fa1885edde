#include "codec/compression.h"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/str_cat.h"

namespace orochi::codec {
namespace {

Status CompressLz4(std::span<const std::byte> input, std::vector<std::byte>& out) {
  if (input.size() > LZ4_MAX_INPUT_SIZE) {
    return Status::OutOfRange(
        StrCat("lz4 block of ", input.size(), " bytes, at most ", LZ4_MAX_INPUT_SIZE, " fit"));
  }
  auto const input_size = static_cast<int>(input.size());
  out.resize(static_cast<size_t>(LZ4_compressBound(input_size)));
  int const written = LZ4_compress_default(reinterpret_cast<const char*>(input.data()),
                                           reinterpret_cast<char*>(out.data()), input_size,
                                           static_cast<int>(out.size()));
  if (written <= 0) {
    return Status::Internal(StrCat("lz4 could not compress ", input.size(), " bytes"));
  }
  out.resize(static_cast<size_t>(written));
  return Status::Ok();
}

Status DecompressLz4(std::span<const std::byte> input, std::span<std::byte> out) {
  if (input.size() > INT32_MAX || out.size() > LZ4_MAX_INPUT_SIZE) {
    return Status::Corruption(StrCat("lz4 block of ", input.size(), " bytes for ", out.size(),
                                     " bytes is larger than lz4 makes them"));
  }
  std::byte nothing{};  // LZ4 wants an address even for no bytes.
  std::byte* const target = out.empty() ? &nothing : out.data();
  int const written = LZ4_decompress_safe(
      reinterpret_cast<const char*>(input.data()), reinterpret_cast<char*>(target),
      static_cast<int>(input.size()), static_cast<int>(out.size()));
  if (written < 0 || static_cast<size_t>(written) != out.size()) {
    return Status::Corruption(StrCat("lz4 block of ", input.size(), " bytes gave ", written,
                                     ", expected ", out.size(), " bytes"));
  }
  return Status::Ok();
}

Status CompressZstd(int level, std::span<const std::byte> input, std::vector<std::byte>& out) {
  if (level < 1 || level > 19) {
    return Status::InvalidArgument(StrCat("zstd level ", level, " is not between 1 and 19"));
  }
  out.resize(ZSTD_compressBound(input.size()));
  size_t const written = ZSTD_compress(out.data(), out.size(), input.data(), input.size(), level);
  if (ZSTD_isError(written) != 0) {
    return Status::Internal(
        StrCat("zstd could not compress ", input.size(), " bytes: ", ZSTD_getErrorName(written)));
  }
  out.resize(written);
  return Status::Ok();
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// Kept by each thread, some 100 kB: making one costs more than decompressing a small block, above
// all in virtual machines, where the CPUID instructions of its creation trap.
Result<ZSTD_DCtx*> Context() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context;
  if (context == nullptr) {
    context.reset(ZSTD_createDCtx());
    if (context == nullptr) {
      return Status::ResourceExhausted("out of memory for a zstd decompression context");
    }
  }
  return context.get();
}

Status DecompressZstd(std::span<const std::byte> input, std::span<std::byte> out) {
  ASSIGN_OR_RETURN(ZSTD_DCtx* const context, Context());
  size_t const written =
      ZSTD_decompressDCtx(context, out.data(), out.size(), input.data(), input.size());
  if (ZSTD_isError(written) != 0) {
    return Status::Corruption(StrCat("zstd block of ", input.size(), " bytes for ", out.size(),
                                     " bytes: ", ZSTD_getErrorName(written)));
  }
  if (written != out.size()) {
    return Status::Corruption(StrCat("zstd block of ", input.size(), " bytes gave ", written,
                                     ", expected ", out.size(), " bytes"));
  }
  return Status::Ok();
}

}  // namespace

std::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kLz4:
      return "lz4";
    case Compression::kZstd:
      return "zstd";
  }
  return {};
}

Result<Compression> CompressionFromName(std::string_view name) {
  for (Compression const compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    if (name == CompressionName(compression)) {
      return compression;
    }
  }
  return Status::InvalidArgument(StrCat("unknown compression \"", name, "\""))
      .WithHint("Use one of none, lz4, zstd.");
}

Status Compress(Compression compression, int level, std::span<const std::byte> input,
                std::vector<std::byte>& out) {
  switch (compression) {
    case Compression::kNone:
      out.assign(input.begin(), input.end());
      return Status::Ok();
    case Compression::kLz4:
      return CompressLz4(input, out);
    case Compression::kZstd:
      return CompressZstd(level, input, out);
  }
  return Status::InvalidArgument(StrCat("unknown compression number ", compression));
}

Status Decompress(Compression compression, std::span<const std::byte> input,
                  std::span<std::byte> out) {
  switch (compression) {
    case Compression::kNone:
      if (input.size() != out.size()) {
        return Status::Corruption(
            StrCat("uncompressed block has ", input.size(), " bytes, expected ", out.size()));
      }
      std::copy(input.begin(), input.end(), out.begin());
      return Status::Ok();
    case Compression::kLz4:
      return DecompressLz4(input, out);
    case Compression::kZstd:
      return DecompressZstd(input, out);
  }
  return Status::Unsupported(StrCat("unknown compression number ", compression));
}

}  // namespace orochi::codec
