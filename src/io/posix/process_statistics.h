#pragma once

#include <cstdint>

namespace orochi::io {

/// What the operating system has of this process. Zeros where it does not tell.
struct ProcessStatistics {
  double cpu_seconds = 0;  // user and system
  uint64_t resident_size_bytes = 0;
  uint64_t virtual_size_bytes = 0;
  uint64_t thread_count = 0;
  uint64_t open_descriptor_count = 0;
  uint64_t open_descriptor_count_max = 0;
  double start_seconds = 0;  // since 1970
};

/// Threads: any. Reads /proc.
ProcessStatistics ReadProcessStatistics();

}  // namespace orochi::io
