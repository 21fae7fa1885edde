// raft_simulation: runs seeds of the group simulation, or replays one. See --help.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "raft/simulation/group_simulation.h"
#include "raft/simulation/ledger.h"

namespace {

using orochi::raft::simulation::SimulateGroup;
using orochi::raft::simulation::SimulationReport;
using orochi::raft::simulation::Violation;

constexpr char kUsage[] =
    "usage: raft_simulation [--first N] [--seeds N] [--again]\n"
    "       raft_simulation --seed N [--trace]\n"
    "\n"
    "Runs Raft groups under drawn faults and checks what they promise. A seed that breaks a "
    "promise\n"
    "is printed; --seed runs it alone, --trace prints its events. --again runs each seed twice "
    "and\n"
    "compares. Exit code 1 when a promise was broken, 2 for wrong arguments.\n";

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
  total.event_count += report.event_count;
  total.write_count += report.write_count;
  total.read_count += report.read_count;
  total.unknown_count += report.unknown_count;
  total.election_count += report.election_count;
  total.crash_count += report.crash_count;
  total.snapshot_count += report.snapshot_count;
  total.configuration_count += report.configuration_count;
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
    trace = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  }
  SimulationReport total;
  uint64_t failed_count = 0;
  for (uint64_t seed = arguments.first; seed - arguments.first < arguments.count; ++seed) {
    try {
      SimulationReport const report = SimulateGroup(seed, trace);
      if (arguments.again && SimulateGroup(seed, {}).trace_hash != report.trace_hash) {
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
  Print("events", total.event_count);
  Print("writes answered", total.write_count);
  Print("reads answered", total.read_count);
  Print("outcomes unknown", total.unknown_count);
  Print("elections won", total.election_count);
  Print("crashes", total.crash_count);
  Print("snapshots installed", total.snapshot_count);
  Print("configurations changed", total.configuration_count);
  return failed_count == 0 ? 0 : 1;
}
