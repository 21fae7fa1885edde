// kv_log_simulation: runs seeds of the log simulation, or replays one. See --help.
#include "kv/log/simulation/log_simulation.h"
#include "sim/seed_runner.h"

int main(int argc, char** argv) {
  orochi::sim::Simulation const simulation{
      .program = "kv_log_simulation",
      .what = "Runs logs under drawn crashes and faults and checks what they promise.",
      .run = [](uint64_t seed, const orochi::sim::Trace& trace) -> orochi::sim::SeedReport {
        auto const report = orochi::kv::log::simulation::SimulateLog(seed, trace);
        return {.trace_hash = report.trace_hash,
                .counts = {{"durable writes", report.write_count},
                           {"requests acknowledged", report.completion_count},
                           {"crashes", report.crash_count},
                           {"failed writes", report.failure_count},
                           {"damages reported", report.damage_count},
                           {"segments freed", report.freed_count},
                           {"records moved", report.moved_count},
                           {"reads checked", report.read_count}}};
      }};
  return orochi::sim::RunSeeds(simulation, argc, argv);
}
