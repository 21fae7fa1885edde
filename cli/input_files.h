#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/status.h"

namespace orochi::cli {

/// One file to load.
struct InputFile {
  std::filesystem::path path;
  std::string name;    // for messages: as the user can find it
  std::string series;  // path below the directory that was named, without ".csv", with '/'
  uint64_t size_bytes = 0;
};

/// The files that `arguments` name: a file stands for itself, a directory for every *.csv file
/// below it. Sorted by series; the same arguments give the same order.
/// kNotFound for a path that does not exist or a directory without CSV files, kPermissionDenied
/// where this user may not look, kInvalidArgument for what cannot be read twice, as a pipe, and
/// when two files have one series name and `needs_distinct_series`.
Result<std::vector<InputFile>> FindInputFiles(const std::vector<std::string>& arguments,
                                              bool needs_distinct_series);

}  // namespace orochi::cli
