// node_simulation: runs seeds of whole clusters, or replays one (--help).
#include "kv/node/simulation/cluster_simulation.h"
#include "sim/seed_runner.h"

int main(int argc, char** argv) {
  orochi::sim::Simulation const simulation{
      .program = "node_simulation",
      .what =
          "Runs clusters of nodes with many groups, under drawn faults, and checks what they "
          "promise.",
      .run = [](uint64_t seed, const orochi::sim::Trace& trace) -> orochi::sim::SeedReport {
        auto const report = orochi::kv::simulation::SimulateNodes(seed, trace);
        return {.trace_hash = report.trace_hash,
                .counts = {{"events", report.event_count},
                           {"transactions begun", report.transaction_count},
                           {"committed", report.commit_count},
                           {"aborted", report.abort_count},
                           {"outcomes unknown", report.unknown_count},
                           {"crashes", report.crash_count},
                           {"nodes cut off", report.cut_count},
                           {"pauses", report.pause_count},
                           {"moves asked for", report.move_count},
                           {"snapshot chunks", report.snapshot_count}}};
      }};
  return orochi::sim::RunSeeds(simulation, argc, argv);
}
