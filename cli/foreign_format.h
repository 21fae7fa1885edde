#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orochi::cli {

/// What a file is where it should be text.
struct ForeignFormat {
  std::string_view name;    // "gzip-compressed data"
  std::string_view advice;  // a sentence, or the command that makes text of it
  bool advice_is_command = false;
};

/// How much of the start of a file RecognizeForeignFormat looks at.
inline constexpr size_t kForeignFormatPrefixSizeBytes = 512;

/// Recognises files that cannot be CSV in UTF-8 by their first bytes: compressed, UTF-16, or with a
/// zero byte in the first kForeignFormatPrefixSizeBytes, which no text has. `start` is that many
/// bytes, fewer only where the file is shorter.
std::optional<ForeignFormat> RecognizeForeignFormat(std::string_view start);

/// The advice of `format` for the file `name`.
std::string AdviceFor(const ForeignFormat& format, std::string_view name);

}  // namespace orochi::cli
