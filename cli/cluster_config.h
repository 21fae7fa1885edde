#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace orochi::cli {

/// What the settings of a cluster depend on.
struct ClusterConfigInput {
  int port = 0;
  std::filesystem::path socket_directory;
  std::filesystem::path log_directory;
  uint64_t memory_bytes = 0;  // of the machine, or the container's limit where that is lower
  int cpu_count = 1;
};

/// The text of orochi.conf: what Orochi needs, and memory settings that fit the machine.
std::string RenderClusterConfig(const ClusterConfigInput& input);

/// `value` as a quoted string of PostgreSQL's configuration files.
std::string QuoteConfigValue(const std::string& value);

/// This machine's memory in bytes, or the cgroup's limit where that is lower.
uint64_t MachineMemoryBytes();

}  // namespace orochi::cli
