#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace orochi::kv::simulation {

struct SimulationReport {
  uint64_t seed = 0;
  uint64_t event_count = 0;
  uint64_t transaction_count = 0;  // begun, one-shot commands too
  uint64_t commit_count = 0;
  uint64_t abort_count = 0;
  uint64_t unknown_count = 0;
  uint64_t failover_count = 0;
  uint64_t collection_count = 0;  // of one partition's garbage
  uint64_t trace_hash = 0;        // equal for equal histories
};

/// Partitions, the timestamp oracle and clients under the faults that `seed` draws: leaders deposed
/// who do not know it, messages lost, late and twice, clients that die, clocks that jump. First for
/// safety; then all is healed, every client is served and no intent is left. Throws Violation where
/// a promise is broken; `trace`, if any, gets a line for each message.
SimulationReport SimulateTransactions(uint64_t seed,
                                      const std::function<void(const std::string&)>& trace);

}  // namespace orochi::kv::simulation
