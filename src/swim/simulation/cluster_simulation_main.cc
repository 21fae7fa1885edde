// swim_simulation: runs seeds of the cluster simulation, or replays one. See --help.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "swim/simulation/cluster_simulation.h"
#include "swim/simulation/detection_figures.h"
#include "swim/simulation/ledger.h"

namespace {

using orochi::swim::simulation::SimulateCluster;
using orochi::swim::simulation::SimulationReport;
using orochi::swim::simulation::Violation;

constexpr char kUsage[] =
    "usage: swim_simulation [--first N] [--seeds N] [--again]\n"
    "       swim_simulation --seed N [--trace]\n"
    "       swim_simulation --figures\n"
    "\n"
    "Runs SWIM clusters under drawn faults and checks what they promise. A seed that breaks a "
    "promise\n"
    "is printed; --seed runs it alone, --trace prints its events. --again runs each seed twice "
    "and\n"
    "compares. --figures measures detection, for docs/performance.md. Exit code 1 when a promise "
    "was broken, 2 for wrong arguments.\n";

struct Arguments {
  uint64_t first = 1;
  uint64_t count = 1'000;
  bool trace = false;
  bool again = false;
  bool figures = false;
};

bool Parse(int argc, char** argv, Arguments& arguments) {
  for (int index = 1; index < argc; ++index) {
    std::string_view const name = argv[index];
    if (name == "--trace") {
      arguments.trace = true;
    } else if (name == "--again") {
      arguments.again = true;
    } else if (name == "--figures") {
      arguments.figures = true;
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
  total.node_count += report.node_count;
  total.event_count += report.event_count;
  total.datagram_count += report.datagram_count;
  total.stream_count += report.stream_count;
  total.fault_count += report.fault_count;
  total.dead_count += report.dead_count;
  total.conflict_count += report.conflict_count;
  total.settle_us = std::max(total.settle_us, report.settle_us);
  total.detection_us = std::max(total.detection_us, report.detection_us);
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
  if (arguments.figures) {
    orochi::swim::simulation::PrintDetectionFigures();
    return 0;
  }
  std::function<void(const std::string&)> trace;
  if (arguments.trace) {
    trace = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  }
  SimulationReport total;
  uint64_t failed_count = 0;
  for (uint64_t seed = arguments.first; seed - arguments.first < arguments.count; ++seed) {
    try {
      SimulationReport const report = SimulateCluster(seed, trace);
      if (arguments.again && SimulateCluster(seed, {}).trace_hash != report.trace_hash) {
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
  Print("nodes", total.node_count);
  Print("events", total.event_count);
  Print("datagrams received", total.datagram_count);
  Print("streams", total.stream_count);
  Print("faults", total.fault_count);
  Print("called dead", total.dead_count);
  Print("copies started", total.conflict_count);
  Print("longest to agree, ms", total.settle_us / 1'000);
  Print("longest to detect, ms", total.detection_us / 1'000);
  return failed_count == 0 ? 0 : 1;
}
