// kv_log_simulation: runs seeds of the log simulation, or replays one. See the usage.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "kv/log/simulation/ledger.h"
#include "kv/log/simulation/log_simulation.h"

namespace {

using orochi::kv::log::simulation::SimulateLog;
using orochi::kv::log::simulation::SimulationReport;
using orochi::kv::log::simulation::Violation;

constexpr char kUsage[] =
    "usage: kv_log_simulation [--first N] [--seeds N] [--again]\n"
    "       kv_log_simulation --seed N [--trace]\n"
    "\n"
    "Runs logs under drawn crashes and faults and checks what they promise. A seed that breaks a\n"
    "promise is printed; --seed runs it alone, --trace prints its events. --again runs each seed\n"
    "twice and compares. Exit code 1 when a promise was broken, 2 for wrong arguments.\n";

struct Arguments {
  uint64_t first = 1;
  uint64_t count = 1'000;
  bool trace = false;
  bool again = false;
};

bool Parse(int argc, char** argv, Arguments& arguments) {
  for (int index = 1; index < argc; ++index) {
    std::string_view const name = argv[index];
    if (name == "--trace") {
      arguments.trace = true;
    } else if (name == "--again") {
      arguments.again = true;
    } else if (index + 1 < argc && (name == "--first" || name == "--seeds" || name == "--seed")) {
      char* end = nullptr;
      uint64_t const value = std::strtoull(argv[++index], &end, 10);
      if (*end != '\0') {
        return false;
      }
      (name == "--seeds" ? arguments.count : arguments.first) = value;
      arguments.count = name == "--seed" ? 1 : arguments.count;
    } else {
      return false;
    }
  }
  return true;
}

void Add(SimulationReport& total, const SimulationReport& report) {
  total.write_count += report.write_count;
  total.completion_count += report.completion_count;
  total.crash_count += report.crash_count;
  total.damage_count += report.damage_count;
  total.failure_count += report.failure_count;
  total.freed_count += report.freed_count;
  total.moved_count += report.moved_count;
  total.read_count += report.read_count;
}

void Print(const char* name, uint64_t value) {
  std::printf("  %-24s %12llu\n", name, static_cast<unsigned long long>(value));
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  std::function<void(const std::string&)> trace;
  if (arguments.trace) {
    trace = [](const std::string& line) {
      std::printf("%s\n", line.c_str());
      std::fflush(stdout);
    };
  }
  SimulationReport total;
  uint64_t failed_count = 0;
  for (uint64_t seed = arguments.first; seed - arguments.first < arguments.count; ++seed) {
    try {
      SimulationReport const report = SimulateLog(seed, trace);
      if (arguments.again && SimulateLog(seed, {}).trace_hash != report.trace_hash) {
        throw Violation("two runs of one seed differ");
      }
      Add(total, report);
    } catch (const Violation& violation) {
      ++failed_count;
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), violation.what());
    }
  }
  Print("seeds", arguments.count);
  Print("broke a promise", failed_count);
  Print("durable writes", total.write_count);
  Print("requests acknowledged", total.completion_count);
  Print("crashes", total.crash_count);
  Print("failed writes", total.failure_count);
  Print("damages reported", total.damage_count);
  Print("segments freed", total.freed_count);
  Print("records moved", total.moved_count);
  Print("reads checked", total.read_count);
  return failed_count == 0 ? 0 : 1;
}
