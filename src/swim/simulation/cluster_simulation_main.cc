// swim_simulation: runs seeds of the cluster simulation, or replays one (--help); --figures
// measures detection, for docs/performance.md.
#include <string_view>

#include "sim/seed_runner.h"
#include "swim/simulation/cluster_simulation.h"
#include "swim/simulation/detection_figures.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--figures") {
    orochi::swim::simulation::PrintDetectionFigures();
    return 0;
  }
  orochi::sim::Simulation const simulation{
      .program = "swim_simulation",
      .what =
          "Runs clusters under drawn faults and checks what they promise. --figures measures\n"
          "how soon a crash is known.",
      .run = [](uint64_t seed, const orochi::sim::Trace& trace) -> orochi::sim::SeedReport {
        auto const report = orochi::swim::simulation::SimulateCluster(seed, trace);
        return {.trace_hash = report.trace_hash,
                .counts = {{"nodes", report.node_count},
                           {"events", report.event_count},
                           {"datagrams received", report.datagram_count},
                           {"streams", report.stream_count},
                           {"faults", report.fault_count},
                           {"called dead", report.dead_count},
                           {"copies started", report.conflict_count},
                           {"heard by an exchange", report.heard_late_count},
                           {"longest to agree, ms", report.settle_us / 1'000, true},
                           {"longest to detect, ms", report.detection_us / 1'000, true}}};
      }};
  return orochi::sim::RunSeeds(simulation, argc, argv);
}
