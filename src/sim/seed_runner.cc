#include "sim/seed_runner.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "sim/violation.h"

namespace orochi::sim {
namespace {

struct Arguments {
  uint64_t first = 1;
  uint64_t count = 1'000;
  bool trace = false;
  bool again = false;
};

void PrintUsage(const Simulation& simulation, std::FILE* to) {
  std::fprintf(to,
               "usage: %s [--first N] [--seeds N] [--again]\n"
               "       %s --seed N [--trace]\n"
               "\n"
               "%s A seed that breaks a promise is printed;\n"
               "--seed runs it alone, --trace prints its events. --again runs each seed twice and\n"
               "compares. Exit code 1 when a promise was broken, 2 for wrong arguments.\n",
               simulation.program, simulation.program, simulation.what);
}

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

void Print(const char* name, uint64_t value) {
  std::printf("  %-24s %12llu\n", name, static_cast<unsigned long long>(value));
}

}  // namespace

int RunSeeds(const Simulation& simulation, int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    PrintUsage(simulation, stdout);
    return 0;
  }
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) {
    PrintUsage(simulation, stderr);
    return 2;
  }
  Trace trace;
  if (arguments.trace) {
    trace = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  }
  std::vector<SeedReport::Count> total;
  uint64_t failed_count = 0;
  for (uint64_t seed = arguments.first; seed - arguments.first < arguments.count; ++seed) {
    try {
      SeedReport const report = simulation.run(seed, trace);
      if (arguments.again && simulation.run(seed, {}).trace_hash != report.trace_hash) {
        throw Violation("two runs of one seed differ");
      }
      total.resize(report.counts.size());
      for (size_t index = 0; index < total.size(); ++index) {
        const SeedReport::Count& count = report.counts[index];
        uint64_t const before = total[index].value;
        total[index] = count;
        total[index].value = count.greatest ? std::max(before, count.value) : before + count.value;
      }
    } catch (const Violation& violation) {
      ++failed_count;
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), violation.what());
    }
  }
  Print("seeds", arguments.count);
  Print("broke a promise", failed_count);
  for (const SeedReport::Count& count : total) {
    Print(count.name, count.value);
  }
  return failed_count == 0 ? 0 : 1;
}

}  // namespace orochi::sim
