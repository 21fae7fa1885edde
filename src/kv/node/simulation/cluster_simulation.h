#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace orochi::kv::simulation {

struct NodesReport {
  uint64_t event_count = 0;
  uint64_t transaction_count = 0;
  uint64_t commit_count = 0;
  uint64_t abort_count = 0;
  uint64_t unknown_count = 0;
  uint64_t crash_count = 0;
  uint64_t cut_count = 0;
  uint64_t pause_count = 0;
  uint64_t move_count = 0;
  uint64_t snapshot_count = 0;  // chunks of them
  uint64_t trace_hash = 0;
};

/// A whole cluster under the faults that `seed` draws: nodes with many groups over one log and one
/// engine each, the meta group with the oracle, clients with transactions. Nodes crash, pause and
/// are cut off, replicas move. First for safety; then all is healed, every client is served, and
/// all replicas of a partition are equal. Throws Violation where a promise is broken; `trace`, if
/// any, gets a line for each event of note.
NodesReport SimulateNodes(uint64_t seed, const std::function<void(const std::string&)>& trace);

}  // namespace orochi::kv::simulation
