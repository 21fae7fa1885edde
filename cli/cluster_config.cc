#include "cli/cluster_config.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/str_cat.h"

namespace orochi::cli {

namespace {

constexpr uint64_t kMiB = 1024 * 1024;

std::string Megabytes(uint64_t bytes) {
  return StrCat("'", bytes / kMiB, "MB'");
}

}  // namespace

std::string QuoteConfigValue(const std::string& value) {
  std::string quoted = "'";
  for (char const c : value) {
    if (c == '\'' || c == '\\') {
      quoted.push_back(c);
    }
    quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

uint64_t MachineMemoryBytes() {
  uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                   static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  uint64_t limit = 0;
  // "max" there means no limit and does not parse.
  if (std::ifstream file("/sys/fs/cgroup/memory.max"); file >> limit && limit > 0) {
    bytes = std::min(bytes, limit);
  }
  return bytes;
}

std::string RenderClusterConfig(const ClusterConfigInput& input) {
  uint64_t const memory = input.memory_bytes;
  uint64_t const shared_buffers = std::clamp(memory / 4, 32 * kMiB, 8192 * kMiB);
  uint64_t const effective_cache = std::max(memory / 8 * 5, 128 * kMiB);
  uint64_t const maintenance = std::clamp(memory / 16, 32 * kMiB, 1024 * kMiB);
  uint64_t const work = std::clamp(memory / 256, 4 * kMiB, 64 * kMiB);
  int const workers = std::max(2, input.cpu_count);
  return StrCat(
      "# Written by `orochi up` at every start: changes here are lost.\n"
      "# Put your own settings into custom.conf beside this file; they are read after these.\n"
      "\n"
      "# Connections: the socket directory is private to the server's user; TCP is loopback only.\n"
      "listen_addresses = '127.0.0.1'\n"
      "port = ",
      input.port, "\nunix_socket_directories = ", QuoteConfigValue(input.socket_directory.string()),
      "\nunix_socket_permissions = 0700\n"
      "password_encryption = 'scram-sha-256'\n"
      "\n"
      "shared_preload_libraries = 'orochi'\n"
      "\n"
      "# A statement over all chunks locks each of them and its indexes: room for a few sessions\n"
      "# that touch 10,000 chunks at once.\n"
      "max_locks_per_transaction = 1024\n"
      "max_worker_processes = ",
      workers + 16, "\nmax_parallel_workers = ", workers,
      "\nmax_parallel_workers_per_gather = ", std::max(1, workers / 2),
      "\n"
      "\n"
      "# Memory and I/O, from the machine's size at this start.\n"
      "shared_buffers = ",
      Megabytes(shared_buffers), "\neffective_cache_size = ", Megabytes(effective_cache),
      "\nmaintenance_work_mem = ", Megabytes(maintenance), "\nwork_mem = ", Megabytes(work),
      "\n"
      "max_wal_size = '4GB'\n"
      "checkpoint_timeout = '15min'\n"
      "wal_compression = on\n"
      "random_page_cost = 1.1\n"
      "# Compiling a plan over many chunks costs more than it saves.\n"
      "jit = off\n"
      "\n"
      "# Log: one file per weekday, overwritten a week later.\n"
      "logging_collector = on\n"
      "log_directory = ",
      QuoteConfigValue(input.log_directory.string()),
      "\n"
      "log_filename = 'server-%a.log'\n"
      "log_rotation_age = '1d'\n"
      "log_rotation_size = 0\n"
      "log_truncate_on_rotation = on\n");
}

}  // namespace orochi::cli
