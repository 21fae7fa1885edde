// raft_simulation: runs seeds of the group simulation, or replays one. See --help.
#include "raft/simulation/group_simulation.h"
#include "sim/seed_runner.h"

int main(int argc, char** argv) {
  orochi::sim::Simulation const simulation{
      .program = "raft_simulation",
      .what = "Runs Raft groups under drawn faults and checks what they promise.",
      .run = [](uint64_t seed, const orochi::sim::Trace& trace) -> orochi::sim::SeedReport {
        auto const report = orochi::raft::simulation::SimulateGroup(seed, trace);
        return {.trace_hash = report.trace_hash,
                .counts = {{"events", report.event_count},
                           {"writes answered", report.write_count},
                           {"reads answered", report.read_count},
                           {"outcomes unknown", report.unknown_count},
                           {"elections won", report.election_count},
                           {"crashes", report.crash_count},
                           {"snapshots installed", report.snapshot_count},
                           {"configurations changed", report.configuration_count}}};
      }};
  return orochi::sim::RunSeeds(simulation, argc, argv);
}
