#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace orochi::raft::simulation {

struct SimulationReport {
  uint64_t seed = 0;
  uint64_t event_count = 0;
  uint64_t write_count = 0;  // answered
  uint64_t read_count = 0;
  uint64_t unknown_count = 0;
  uint64_t election_count = 0;
  uint64_t crash_count = 0;
  uint64_t snapshot_count = 0;
  uint64_t configuration_count = 0;  // changes begun
  uint64_t trace_hash = 0;           // equal for equal histories
};

/// One group with its clients under the faults that `seed` draws, first for safety with faults
/// going on, then for liveness with all of them healed: every client is served, every member has
/// the same state. Throws Violation where a promise is broken; `trace`, if any, gets a line for
/// each event.
SimulationReport SimulateGroup(uint64_t seed, const std::function<void(const std::string&)>& trace);

}  // namespace orochi::raft::simulation
