#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/status.h"

namespace orochi::cli {

/// The whole content of a small file. kNotFound when there is none.
Result<std::string> ReadTextFile(const std::filesystem::path& path);

/// Replaces the file in one step: a reader sees the old content or the new, never a part.
Status WriteTextFile(const std::filesystem::path& path, const std::string& content);

/// The last `line_count` lines, or fewer; empty when the file cannot be read.
std::string LastLines(const std::filesystem::path& path, size_t line_count);

}  // namespace orochi::cli
