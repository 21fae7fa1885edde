#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace orochi::swim::simulation {

struct SimulationReport {
  uint64_t seed = 0;
  uint64_t node_count = 0;
  uint64_t event_count = 0;
  uint64_t datagram_count = 0;
  uint64_t stream_count = 0;
  uint64_t fault_count = 0;
  uint64_t dead_count = 0;        // times somebody was called dead
  uint64_t conflict_count = 0;    // copies of a data directory started
  uint64_t heard_late_count = 0;  // news that gossip did not bring to somebody in time
  uint64_t settle_us = 0;         // from healing until all views were equal
  uint64_t detection_us = 0;      // from a crash in peace until all knew
  uint64_t trace_hash = 0;        // equal for equal histories
};

/// One cluster under the faults that `seed` draws, then in peace: all views become equal, nothing
/// is said without cause, a crash is noticed everywhere within a bound, a restart at another
/// address at once. Throws Violation where a promise is broken; `trace`, if any, gets a line for
/// each event.
SimulationReport SimulateCluster(uint64_t seed,
                                 const std::function<void(const std::string&)>& trace);

}  // namespace orochi::swim::simulation
