#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orochi::codec {

/// General-purpose block compression. Persisted: numbers never change meaning.
enum class Compression : uint8_t { kNone = 0, kLz4 = 1, kZstd = 2 };

/// "none", "lz4", "zstd"; empty for an unknown number.
std::string_view CompressionName(Compression compression);
/// kInvalidArgument lists the names that work.
Result<Compression> CompressionFromName(std::string_view name);

/// Replaces `out` by the compressed form of `input`. `level` counts for zstd (1 to 19) only.
Status Compress(Compression compression, int level, std::span<const std::byte> input,
                std::vector<std::byte>& out);

/// Fills `out` exactly. kCorruption when `input` is not a block that expands to out.size() bytes.
Status Decompress(Compression compression, std::span<const std::byte> input,
                  std::span<std::byte> out);

}  // namespace orochi::codec
