#include "sstable/read/testing/shared_data.h"

#include <cstdlib>
#include <filesystem>

namespace orochi::sstable::testing {

std::string SharedSstables() {
  const char* const chosen = std::getenv("OROCHI_SHARED_DATA");
  std::filesystem::path const data =
      chosen != nullptr ? std::filesystem::path(chosen)
                        : std::filesystem::path(OROCHI_SOURCE_DIR) / ".." / "shared" / "data";
  std::filesystem::path const sstables = data / "sstables";
  return std::filesystem::is_directory(sstables) ? sstables.string() : std::string();
}

}  // namespace orochi::sstable::testing
