// transaction_simulation: runs seeds of the transaction simulation, or replays one. See --help.
#include "kv/txn/simulation/cluster_simulation.h"
#include "sim/seed_runner.h"

int main(int argc, char** argv) {
  orochi::sim::Simulation const simulation{
      .program = "transaction_simulation",
      .what =
          "Runs transactions over partitions under drawn faults, and checks that they are\n"
          "strictly serializable.",
      .run = [](uint64_t seed, const orochi::sim::Trace& trace) -> orochi::sim::SeedReport {
        auto const report = orochi::kv::simulation::SimulateTransactions(seed, trace);
        return {.trace_hash = report.trace_hash,
                .counts = {{"events", report.event_count},
                           {"transactions begun", report.transaction_count},
                           {"committed", report.commit_count},
                           {"aborted", report.abort_count},
                           {"outcomes unknown", report.unknown_count},
                           {"leaders deposed", report.failover_count},
                           {"garbage collected", report.collection_count}}};
      }};
  return orochi::sim::RunSeeds(simulation, argc, argv);
}
