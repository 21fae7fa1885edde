#pragma once

#include <string>

#include "base/result.h"

namespace orochi::kv::http {

inline constexpr uint64_t kSettingsFileSizeBytesMax = 1 << 20;

/// The content of a file of settings. kInvalidArgument, with its name, when it cannot be read or is
/// larger than that.
Result<std::string> ReadWholeFile(const std::string& path);

}  // namespace orochi::kv::http
