#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace orochi::kv::log::simulation {

struct SimulationReport {
  uint64_t seed = 0;
  uint64_t write_count = 0;       // durable writes
  uint64_t completion_count = 0;  // requests acknowledged
  uint64_t crash_count = 0;
  uint64_t damage_count = 0;   // damages reported
  uint64_t failure_count = 0;  // failed writes
  uint64_t freed_count = 0;    // segments
  uint64_t moved_count = 0;    // records written once more
  uint64_t read_count = 0;     // checked against the model
  uint64_t trace_hash = 0;     // equal for equal histories
};

/// One log under the appends, crashes and faults that `seed` draws; in the end all faults stop and
/// it must be whole and small. Throws Violation where a promise is broken; `trace`, if any, gets a
/// line for each event.
SimulationReport SimulateLog(uint64_t seed, const std::function<void(const std::string&)>& trace);

}  // namespace orochi::kv::log::simulation
