#include "kv/txn/simulation/cluster_simulation.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "kv/txn/coordinator.h"
#include "kv/txn/simulation/ledger.h"
#include "kv/txn/simulation/simulated_partition.h"
#include "kv/txn/simulation/workload.h"

namespace orochi::kv::simulation {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

// What the seed decides before anything happens.
struct Plan {
  uint64_t partition_count;
  int64_t safety_us;
  int64_t fault_every_us;
  int64_t answer_within_us;
  int64_t delay_us_max;
  uint32_t lost_permille;
  uint32_t twice_permille;
  uint32_t late_permille;
  uint64_t to_deposed_percent;
  uint64_t oracle_fault_percent;
  int64_t collect_every_us;  // 0: never
  WorkloadPlan clients;
};

class ClusterSimulation {
 public:
  ClusterSimulation(uint64_t seed, const std::function<void(const std::string&)>& trace)
      : random_(seed), trace_(trace) {
    report_.seed = seed;
    DrawPlan();
  }

  SimulationReport Run() {
    Begin();
    while (queue_.now_us() < plan_.safety_us) {
      queue_.RunNext();
    }
    Heal();
    int64_t const deadline_us = queue_.now_us() + 120 * kSecondUs;
    while (!HasSettled()) {
      if (queue_.now_us() > deadline_us) {
        throw Violation(StrCat("two minutes after all faults were healed: ", WhyUnsettled()));
      }
      queue_.RunNext();
    }
    workload_->Judge([this](const std::string& key) -> const Reader& {
      return partitions_[PartitionOf(key)]->ever();
    });
    report_.transaction_count = workload_->counts().begun;
    report_.commit_count = workload_->counts().committed;
    report_.abort_count = workload_->counts().aborted;
    report_.unknown_count = workload_->counts().unknown;
    report_.event_count = queue_.run_count();
    report_.collection_count = collected_count_;
    report_.trace_hash = workload_->hash();
    return report_;
  }

 private:
  // What clients reach the cluster by.
  struct Way final : CoordinatorHost {
    explicit Way(ClusterSimulation& its_simulation) : simulation(its_simulation) {}
    void Stamp(std::function<void(Timestamp)> stamped) override {
      simulation.AskOracle(std::move(stamped));
    }
    void Send(const std::string& key, Request request,
              std::function<void(std::optional<Result<Answer>>)> answered) override {
      simulation.Send(key, std::move(request), std::move(answered));
    }
    std::vector<KeySpan> Cut(const KeySpan& span) override { return simulation.Cut(span); }
    void After(int64_t delay_us, std::function<void()> event) override {
      simulation.queue_.After(delay_us, std::move(event));
    }

    ClusterSimulation& simulation;
  };

  bool Chance(uint64_t percent) { return random_.Below(100) < percent; }
  int64_t Between(int64_t least, int64_t greatest) {
    return least + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(greatest - least + 1)));
  }
  uint32_t Permille(uint64_t percent_without, uint64_t bound) {
    return Chance(percent_without) ? 0 : static_cast<uint32_t>(random_.Below(bound));
  }

  void DrawPlan() {
    plan_.partition_count = 1 + random_.Below(4);
    plan_.clients.key_count = Chance(50) ? 2 + random_.Below(4) : 4 + random_.Below(20);
    plan_.clients.client_count = 2 + random_.Below(Chance(70) ? 5 : 12);
    plan_.safety_us = Between(500, 3'000) * 1000;
    plan_.fault_every_us = Between(10, 300) * 1000;
    plan_.answer_within_us = Between(10, 60) * 1000;
    plan_.delay_us_max = Chance(60) ? 1'000 : Between(1, 20) * 1000;
    plan_.lost_permille = Permille(50, 100);
    plan_.twice_permille = Permille(50, 300);
    plan_.late_permille = Permille(50, 80);
    plan_.to_deposed_percent = Chance(30) ? 0 : 10 + random_.Below(60);
    plan_.oracle_fault_percent = Chance(30) ? 0 : 10 + random_.Below(40);
    plan_.clients.client_death_percent = Chance(50) ? 0 : random_.Below(10);
    plan_.clients.one_shot_percent = random_.Below(60);
    plan_.clients.scan_percent = random_.Below(30);
    plan_.clients.step_count_max = 1 + random_.Below(6);
    plan_.clients.appends_only = Chance(40);
    plan_.collect_every_us = Chance(50) ? 0 : Between(20, 300) * 1000;
  }

  uint64_t PartitionOf(std::string_view key) const {
    auto const after = std::upper_bound(bounds_.begin(), bounds_.end(), key);
    return static_cast<uint64_t>(after - bounds_.begin()) - 1;
  }
  std::vector<KeySpan> Cut(const KeySpan& span) const {
    std::vector<KeySpan> pieces;
    for (size_t index = 0; index < bounds_.size(); ++index) {
      KeySpan const whole{.begin = bounds_[index],
                          .end = index + 1 < bounds_.size() ? bounds_[index + 1] : ""};
      if (whole.Overlaps(span)) {
        bool const ends_here = !span.end.empty() && (whole.end.empty() || span.end < whole.end);
        pieces.push_back(
            {.begin = std::max(whole.begin, span.begin), .end = ends_here ? span.end : whole.end});
      }
    }
    return pieces;
  }

  void Begin() {
    GroupPace const pace{.commit_us_max = Chance(70) ? 2'000 : Between(2, 20) * 1000,
                         .confirm_us_max = Chance(70) ? 1'000 : Between(1, 20) * 1000};
    PartitionOptions options;
    options.read_cache_entries_max = Chance(30) ? 4 : 1'000;
    options.abandoned_after_us = 300'000;
    oracle_ = std::make_unique<SimulatedOracle>(queue_, random_, pace);
    oracle_->Elect();
    Outside const outside{
        .stamp = [this](std::function<void(Timestamp)> stamped) { AskOracle(std::move(stamped)); },
        .push =
            [this](const PushRequest& request, auto answered) {
              Send(request.anchor, request,
                   [answered](const std::optional<Result<Answer>>& answer) {
                     bool const is_there = answer && answer->ok();
                     answered(is_there ? std::optional<Answer>(**answer) : std::nullopt);
                   });
            },
        .resolve =
            [this](const ResolveRequest& request, auto done) {
              Send(request.keys.front(), request,
                   [done](const std::optional<Result<Answer>>& answer) {
                     done(answer && answer->ok());
                   });
            }};
    for (uint64_t index = 0; index < plan_.partition_count; ++index) {
      bounds_.push_back(
          index == 0 ? ""
                     : Workload::KeyOf(index * plan_.clients.key_count / plan_.partition_count));
    }
    bounds_.erase(std::unique(bounds_.begin(), bounds_.end()), bounds_.end());
    for (const KeySpan& piece : Cut({})) {
      options.span = piece;
      partitions_.push_back(
          std::make_unique<SimulatedPartition>(queue_, random_, pace, options, outside));
      partitions_.back()->Elect();
    }
    workload_ = std::make_unique<Workload>(
        plan_.clients,
        Workload::Cluster{.host = [this](size_t /*client*/) { return &way_; },
                          .together =
                              [this](std::string_view one, std::string_view other) {
                                return PartitionOf(one) == PartitionOf(other);
                              }},
        queue_, random_);
    workload_->Begin();
    queue_.After(plan_.fault_every_us, [this] { Fault(); });
    if (plan_.collect_every_us > 0) {
      queue_.After(plan_.collect_every_us, [this] { Collect(); });
    }
  }

  // Moves the safepoint to a time that some transactions are older than.
  void Collect() {
    if (healed_) {
      return;
    }
    queue_.After(plan_.collect_every_us, [this] { Collect(); });
    AskOracle([this](Timestamp stamp) {
      queue_.After(Between(0, 2 * plan_.collect_every_us), [this, stamp] { CollectAt(stamp); });
    });
  }
  void CollectAt(Timestamp safepoint) {
    for (const KeySpan& piece : Cut({})) {
      Send(piece.begin, CollectRequest{.safepoint = safepoint},
           [this](const std::optional<Result<Answer>>& answer) {
             collected_count_ += answer && answer->ok() ? 1 : 0;
           });
    }
  }

  int64_t Delay() {
    int64_t const delay_us = Between(50, plan_.delay_us_max);
    return !healed_ && random_.Below(1000) < plan_.late_permille ? delay_us * Between(10, 100)
                                                                 : delay_us;
  }
  bool IsLost() { return !healed_ && random_.Below(1000) < plan_.lost_permille; }
  void Trace(const std::string& line) {
    if (trace_) {
      trace_(StrCat(queue_.now_us(), " ", line));
    }
  }

  // Asked again until there is an answer; each attempt is a request of its own.
  void AskOracle(std::function<void(Timestamp)> stamped) {
    auto const answered = std::make_shared<bool>(false);
    auto const answer = [this, answered, stamped](Timestamp stamp) {
      if (!IsLost()) {
        queue_.After(Delay(), [answered, stamped, stamp] {
          if (!std::exchange(*answered, true)) {
            stamped(stamp);
          }
        });
      }
    };
    if (!IsLost()) {
      queue_.After(Delay(), [this, answer] {
        oracle_->Issue(!healed_ && Chance(plan_.to_deposed_percent), answer);
      });
    }
    queue_.After(plan_.answer_within_us, [this, answered, stamped] {
      if (!std::exchange(*answered, true)) {
        AskOracle(stamped);
      }
    });
  }

  void Send(const std::string& key, Request request,
            std::function<void(std::optional<Result<Answer>>)> answered) {
    auto const once = std::make_shared<bool>(false);
    auto const reply = [this, once, answered](Result<Answer> answer) {
      static_cast<void>(answer.ok());
      if (!IsLost()) {
        queue_.After(Delay(), [once, answered, answer] {
          if (!std::exchange(*once, true)) {
            answered(answer);
          }
        });
      }
    };
    uint64_t const partition = PartitionOf(key);
    Trace(StrCat("request ", request.index(), " to partition ", partition));
    // One-shot commands are not sent again, and a connection delivers nothing twice.
    bool const once_at_most = std::holds_alternative<OneShotRequest>(request);
    int const copies =
        !once_at_most && !healed_ && random_.Below(1000) < plan_.twice_permille ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      if (!IsLost()) {
        queue_.After(Delay(), [this, partition, request, reply] {
          partitions_[partition]->Handle(!healed_ && Chance(plan_.to_deposed_percent), request,
                                         reply);
        });
      }
    }
    queue_.After(plan_.answer_within_us, [once, answered] {
      if (!std::exchange(*once, true)) {
        answered(std::nullopt);
      }
    });
  }

  void Fault() {
    if (healed_) {
      return;
    }
    queue_.After(Between(1, 2 * plan_.fault_every_us), [this] { Fault(); });
    int64_t const lingers_us = Between(1, 200) * 1000;
    if (Chance(plan_.oracle_fault_percent)) {
      if (Chance(30)) {
        oracle_->JumpClock();
      } else if (oracle_->has_leader()) {
        ++report_.failover_count;
        oracle_->Depose();
        queue_.After(Between(1, 50) * 1000, [this] { oracle_->Elect(); });
        queue_.After(lingers_us, [this] { oracle_->StopDeposed(); });
      }
      return;
    }
    uint64_t const index = random_.Below(partitions_.size());
    if (partitions_[index]->has_leader()) {
      ++report_.failover_count;
      Trace(StrCat("the leader of partition ", index, " is deposed"));
      partitions_[index]->Depose();
      queue_.After(Between(1, 50) * 1000, [this, index] { partitions_[index]->Elect(); });
      queue_.After(lingers_us, [this, index] { partitions_[index]->StopDeposed(); });
    }
  }

  void Heal() {
    healed_ = true;
    for (auto const& partition : partitions_) {
      partition->StopDeposed();
    }
    oracle_->StopDeposed();
    Tick();
    workload_->Heal();
  }

  // Time goes on when nobody does anything.
  void Tick() {
    queue_.After(kSecondUs, [this] { Tick(); });
  }

  bool HasSettled() { return workload_->IsDone() && AreIntentsGone(); }
  // Nobody meets the intents of the dead unless somebody reads: a sweep does so.
  bool AreIntentsGone() {
    bool gone = true;
    for (const auto& partition : partitions_) {
      gone = gone && partition->committed().map(Family::kIntent).empty();
    }
    if (!gone && queue_.now_us() > next_sweep_us_) {
      next_sweep_us_ = queue_.now_us() + kSecondUs;
      for (const KeySpan& piece : Cut({})) {
        AskOracle([this, piece](Timestamp stamp) {
          Send(piece.begin, ReadRequest{.transaction = {}, .timestamp = stamp, .span = piece},
               [](const std::optional<Result<Answer>>& answer) {
                 if (answer) {
                   static_cast<void>(answer->ok());
                 }
               });
        });
      }
    }
    return gone;
  }
  std::string WhyUnsettled() const {
    if (std::string why = workload_->WhyNotDone(); !why.empty()) {
      return why;
    }
    for (const auto& partition : partitions_) {
      if (!partition->committed().map(Family::kIntent).empty()) {
        return "intents are left";
      }
    }
    return "old versions or records are left";
  }

  SeededRandom random_;
  const std::function<void(const std::string&)>& trace_;
  sim::EventQueue queue_;
  Plan plan_{};
  bool healed_ = false;
  std::unique_ptr<SimulatedOracle> oracle_;
  std::vector<std::string> bounds_;  // where partitions begin
  std::vector<std::unique_ptr<SimulatedPartition>> partitions_;
  Way way_{*this};
  std::unique_ptr<Workload> workload_;
  int64_t next_sweep_us_ = 0;
  int64_t next_collection_us_ = 0;
  uint64_t collected_count_ = 0;
  SimulationReport report_;
};

}  // namespace

SimulationReport SimulateTransactions(uint64_t seed,
                                      const std::function<void(const std::string&)>& trace) {
  return ClusterSimulation(seed, trace).Run();
}

}  // namespace orochi::kv::simulation
