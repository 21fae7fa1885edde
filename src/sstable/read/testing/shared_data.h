#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace orochi::sstable::testing {

/// The directory of real SSTables, or empty where this machine has none: OROCHI_SHARED_DATA, or
/// shared/data next to the source tree. Tests that need it skip, and say so.
inline std::string SharedSstables() {
  const char* const chosen = std::getenv("OROCHI_SHARED_DATA");
  std::filesystem::path const data =
      chosen != nullptr ? std::filesystem::path(chosen)
                        : std::filesystem::path(OROCHI_SOURCE_DIR) / ".." / "shared" / "data";
  std::filesystem::path const sstables = data / "sstables";
  return std::filesystem::is_directory(sstables) ? sstables.string() : std::string();
}

}  // namespace orochi::sstable::testing
