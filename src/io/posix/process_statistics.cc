#include "io/posix/process_statistics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace orochi::io {
namespace {

// Of /proc/self/stat, as proc(5) numbers them from 1; what comes before the third may have spaces.
constexpr size_t kFirstField = 3;
constexpr size_t kUserTicksField = 14;
constexpr size_t kSystemTicksField = 15;
constexpr size_t kThreadCountField = 20;
constexpr size_t kStartTicksField = 22;
constexpr size_t kVirtualSizeField = 23;
constexpr size_t kResidentPagesField = 24;

double BootSeconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (words >> word && word == "btime") {
      words >> seconds;
    }
  }
  return seconds;
}

uint64_t CountDescriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  uint64_t count = 0;
  while (!error && entries != std::filesystem::directory_iterator()) {
    ++count;
    entries.increment(error);
  }
  return count > 0 ? count - 1 : 0;  // without the one that reads the directory
}

}  // namespace

ProcessStatistics ReadProcessStatistics() {
  ProcessStatistics found;
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  size_t const name_end = line.rfind(')');
  std::istringstream words(name_end == std::string::npos ? "" : line.substr(name_end + 1));
  std::vector<std::string> fields(kFirstField);
  for (std::string word; words >> word;) {
    fields.push_back(word);
  }
  if (fields.size() > kResidentPagesField) {
    auto const number = [&](size_t field) { return std::strtod(fields[field].c_str(), nullptr); };
    auto const ticks_in_second = static_cast<double>(sysconf(_SC_CLK_TCK));
    found.cpu_seconds = (number(kUserTicksField) + number(kSystemTicksField)) / ticks_in_second;
    found.thread_count = static_cast<uint64_t>(number(kThreadCountField));
    found.virtual_size_bytes = static_cast<uint64_t>(number(kVirtualSizeField));
    found.resident_size_bytes = static_cast<uint64_t>(number(kResidentPagesField)) *
                                static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    found.start_seconds = BootSeconds() + number(kStartTicksField) / ticks_in_second;
  }
  found.open_descriptor_count = CountDescriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    found.open_descriptor_count_max = limit.rlim_cur;
  }
  return found;
}

}  // namespace orochi::io
