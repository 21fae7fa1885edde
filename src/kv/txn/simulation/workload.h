#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "kv/engine/reader.h"
#include "kv/txn/coordinator.h"
#include "kv/txn/simulation/ledger.h"
#include "sim/event_queue.h"

namespace orochi::kv::simulation {

struct WorkloadPlan {
  uint64_t client_count = 4;
  uint64_t key_count = 8;  // below 100
  uint64_t client_death_percent = 0;
  uint64_t one_shot_percent = 30;
  uint64_t scan_percent = 10;
  uint64_t step_count_max = 4;
  bool appends_only = false;  // so that what clients saw can be judged without the system's word
};

/// Clients who run transactions and one-shot commands one after the other over few keys (ListRules
/// has the operations), and the judgement of what they saw.
///
/// Threads: none.    Borrows: all.
class Workload {
 public:
  struct Cluster {
    /// What the client reaches the cluster by from now on; null when there is nothing now.
    std::function<CoordinatorHost*(size_t client)> host;
    /// Whether two keys are in one partition.
    std::function<bool(std::string_view, std::string_view)> together;
  };
  struct Counts {
    uint64_t begun = 0;  // one-shot commands too
    uint64_t committed = 0;
    uint64_t aborted = 0;
    uint64_t unknown = 0;
  };

  Workload(const WorkloadPlan& plan, Cluster cluster, sim::EventQueue& queue, Random& random);

  static std::string KeyOf(uint64_t index);

  void Begin();
  /// No faults from now on: each client runs a few more, and then rests.
  void Heal();
  bool IsDone() const;
  std::string WhyNotDone() const;
  /// The client's way to the cluster is gone, with whatever it had under way.
  void CutOff(size_t client);

  /// `ever(key)`: all versions and records that the key's partition ever had. Throws Violation when
  /// what clients were told cannot be.
  void Judge(const std::function<const Reader&(const std::string& key)>& ever);
  const Counts& counts() const { return counts_; }
  uint64_t hash() const { return hash_; }  // of the outcomes, after Judge

 private:
  struct Client {
    std::unique_ptr<Transaction> transaction;
    uint64_t life = 0;  // counts its transactions: what belongs to an earlier one is ignored
    History history;
    uint64_t steps_left = 0;
    uint64_t ended_after_healing = 0;
    bool idle = false;
  };

  bool Chance(uint64_t percent) { return random_.Below(100) < percent; }
  int64_t Between(int64_t least, int64_t greatest) {
    return least + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(greatest - least + 1)));
  }

  void BeginNext(size_t index);
  void BeginSoon(size_t index, int64_t delay_us_max);
  std::string DrawOperation();
  std::string DrawOneShotOperation(bool first);
  void RunOneShot(size_t index, CoordinatorHost& host);
  void RunStep(size_t index);
  void Went(size_t index, Outcome outcome, Step step);
  void End(size_t index, TransactionOutcome outcome, Timestamp timestamp);
  void FindUnknown(const std::function<const Reader&(const std::string& key)>& ever);
  static void FindOneShot(History& history,
                          const std::function<const Reader&(const std::string& key)>& ever);
  void CheckAppends() const;

  WorkloadPlan plan_;
  Cluster cluster_;
  sim::EventQueue& queue_;
  Random& random_;
  bool healed_ = false;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<History> histories_;
  std::map<size_t, std::pair<std::string, TransactionId>> unknown_;  // by place in histories_
  uint64_t last_number_ = 0;
  uint64_t hash_ = 14'695'981'039'346'656'037ULL;
  Counts counts_;
};

}  // namespace orochi::kv::simulation
