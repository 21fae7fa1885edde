#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/status.h"
#include "cli/server_user.h"

namespace orochi::cli {

struct ProcessOptions {
  std::filesystem::path program;
  std::vector<std::string> arguments;                                 // without argv[0]
  std::vector<std::pair<std::string, std::string>> environment = {};  // added to ours
  const ServerUser* user = nullptr;                                   // null: as the caller is
  std::filesystem::path working_directory = "/";
};

struct ProcessResult {
  int exit_code = 0;   // 128 + n when signal n ended it
  std::string output;  // stdout and stderr as they came, the last kProcessOutputSizeMax bytes
};

inline constexpr size_t kProcessOutputSizeMax = 256 * 1024;

/// Runs a program to its end, stdin from /dev/null, and keeps what it printed.
/// A program that ends with an error is a result, not an error. kNotFound when it does not exist,
/// kPermissionDenied when `user` may not run it.
Result<ProcessResult> RunProcess(const ProcessOptions& options);

/// Becomes another program, with our terminal. Returns only when that fails.
Status ReplaceProcess(const ProcessOptions& options);

}  // namespace orochi::cli
