// Goal: the simulation finds the mistakes it exists to find.
// Method: each bug of planted_bug.h is planted in turn, and seeds run until one breaks a promise;
// the same seeds run clean without it. The number of seeds is printed, and bounded. Arguments name
// the bugs to plant, all without any.
#include "kv/txn/planted_bug.h"
#include "kv/txn/simulation/cluster_simulation.h"
#include "sim/bug_search.h"

int main(int argc, char** argv) {
  using enum orochi::kv::PlantedBug;
  return orochi::sim::PlantBugs<orochi::kv::PlantedBug>(
      {{kReadCacheEmpty, "read_cache_empty"},
       {kNextStamp, "next_stamp"},
       {kReadUnconfirmed, "read_unconfirmed"},
       {kAbortForgotten, "abort_forgotten"},
       {kAnswerBeforeDurable, "answer_before_durable"},
       {kFloorForgotten, "floor_forgotten"},
       {kNoRefresh, "no_refresh"},
       {kReadPassesWrites, "read_passes_writes"},
       {kStrayCommitted, "stray_committed"},
       {kOracleUnconfirmed, "oracle_unconfirmed"},
       {kOracleForgetsLimit, "oracle_forgets_limit"},
       {kRecordBeforeIntents, "record_before_intents"},
       {kResolveUnconfirmed, "resolve_unconfirmed"},
       {kReadBelowSafepoint, "read_below_safepoint"}},
      [](uint64_t seed) { orochi::kv::simulation::SimulateTransactions(seed, {}); }, argc, argv);
}
