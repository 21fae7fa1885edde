#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace orochi::sim {

/// What one seed's history came to.
struct SeedReport {
  struct Count {
    const char* name;
    uint64_t value;
    bool greatest = false;  // of all seeds, instead of the sum
  };
  uint64_t trace_hash = 0;      // equal for equal histories
  std::vector<Count> counts{};  // the same names in the same order always
};

/// Called for each event, if it is one.
using Trace = std::function<void(const std::string& line)>;

struct Simulation {
  const char* program;  // as it is called
  const char* what;     // one sentence: what is simulated and checked
  /// Throws Violation where a promise is broken.
  std::function<SeedReport(uint64_t seed, const Trace& trace)> run;
};

/// A simulation's main function: runs seeds and says which broke a promise and what the others came
/// to in sum, or replays one (--help says how). The exit code: 1 when a promise was broken, 2 for
/// wrong arguments.
int RunSeeds(const Simulation& simulation, int argc, char** argv);

}  // namespace orochi::sim
