#include "kv/txn/simulation/cluster_simulation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/txn/coordinator.h"
#include "kv/txn/record.h"
#include "kv/txn/simulation/ledger.h"
#include "kv/txn/simulation/simulated_partition.h"
#include "sim/serializability.h"

namespace orochi::kv::simulation {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr uint64_t kTransactionsAfterHealing = 3;  // of each client

// What the seed decides before anything happens.
struct Plan {
  uint64_t partition_count;
  uint64_t key_count;
  uint64_t client_count;
  int64_t safety_us;
  int64_t fault_every_us;
  int64_t answer_within_us;
  int64_t delay_us_max;
  uint32_t lost_permille;
  uint32_t twice_permille;
  uint32_t late_permille;
  uint64_t to_deposed_percent;
  uint64_t oracle_fault_percent;
  uint64_t client_death_percent;
  uint64_t one_shot_percent;
  uint64_t scan_percent;
  uint64_t step_count_max;
  int64_t collect_every_us;  // 0: never
  bool appends_only;  // so that what clients saw can be judged without the system's timestamps
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
    FindUnknown();
    for (const History& history : histories_) {
      trace_hash_ = trace_hash_ * 1'099'511'628'211ULL + history.timestamp.value();
    }
    if (plan_.appends_only) {
      CheckAppends();
    }
    CheckStrictlySerializable(histories_);
    report_.event_count = queue_.run_count();
    report_.collection_count = collected_count_;
    report_.trace_hash = trace_hash_;
    return report_;
  }

 private:
  // One client, who runs one transaction or command after the other.
  struct Client final : CoordinatorHost {
    explicit Client(ClusterSimulation& its_simulation) : simulation(its_simulation) {}
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
  uint32_t Permille(uint64_t percent_without, uint64_t bound) {
    return Chance(percent_without) ? 0 : static_cast<uint32_t>(random_.Below(bound));
  }

  void DrawPlan() {
    plan_.partition_count = 1 + random_.Below(4);
    plan_.key_count = Chance(50) ? 2 + random_.Below(4) : 4 + random_.Below(20);
    plan_.client_count = 2 + random_.Below(Chance(70) ? 5 : 12);
    plan_.safety_us = Between(500, 3'000) * 1000;
    plan_.fault_every_us = Between(10, 300) * 1000;
    plan_.answer_within_us = Between(10, 60) * 1000;
    plan_.delay_us_max = Chance(60) ? 1'000 : Between(1, 20) * 1000;
    plan_.lost_permille = Permille(50, 100);
    plan_.twice_permille = Permille(50, 300);
    plan_.late_permille = Permille(50, 80);
    plan_.to_deposed_percent = Chance(30) ? 0 : 10 + random_.Below(60);
    plan_.oracle_fault_percent = Chance(30) ? 0 : 10 + random_.Below(40);
    plan_.client_death_percent = Chance(50) ? 0 : random_.Below(10);
    plan_.one_shot_percent = random_.Below(60);
    plan_.scan_percent = random_.Below(30);
    plan_.step_count_max = 1 + random_.Below(6);
    plan_.appends_only = Chance(40);
    plan_.collect_every_us = Chance(50) ? 0 : Between(20, 300) * 1000;
  }

  static std::string KeyOf(uint64_t index) { return StrCat("k", index < 10 ? "0" : "", index); }
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
      bounds_.push_back(index == 0 ? "" : KeyOf(index * plan_.key_count / plan_.partition_count));
    }
    bounds_.erase(std::unique(bounds_.begin(), bounds_.end()), bounds_.end());
    for (const KeySpan& piece : Cut({})) {
      options.span = piece;
      partitions_.push_back(
          std::make_unique<SimulatedPartition>(queue_, random_, pace, options, outside));
      partitions_.back()->Elect();
    }
    for (uint64_t index = 0; index < plan_.client_count; ++index) {
      clients_.push_back(std::make_unique<Client>(*this));
      queue_.After(Between(0, 20'000), [this, index] { BeginNext(*clients_[index]); });
    }
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
    for (auto const& client : clients_) {
      if (client->idle) {
        BeginNext(*client);
      }
    }
  }

  // Time goes on when nobody does anything.
  void Tick() {
    queue_.After(kSecondUs, [this] { Tick(); });
  }

  void BeginNext(Client& client) {
    ++client.life;
    client.idle = false;
    client.transaction.reset();
    client.history = {.number = ++report_.transaction_count, .begin_us = queue_.now_us()};
    if (Chance(plan_.one_shot_percent)) {
      RunOneShot(client);
      return;
    }
    client.steps_left = 1 + random_.Below(plan_.step_count_max);
    client.transaction = std::make_unique<Transaction>(
        client, random_.Next(), random_.Next(), Transaction::Options{.heartbeat_us = 50'000});
    client.transaction->Begin([this, &client] { RunStep(client); });
    if (Chance(plan_.client_death_percent)) {
      queue_.After(Between(0, 30'000), [this, &client, life = client.life] {
        if (client.life == life && !healed_) {
          End(client, TransactionOutcome::kUnknown, kNever);
          client.transaction.reset();  // and nobody hears of it again
        }
      });
    }
  }

  std::string DrawOperation() {
    uint64_t const number = ++last_number_;
    uint64_t const kind = plan_.appends_only ? 7 : random_.Below(8);
    return kind == 0 ? "d" : kind == 1 ? StrCat("n", number) : StrCat(kind < 5 ? "p" : "a", number);
  }
  // A command's outcome is found by the number it wrote, and which condition failed is known: that
  // of its first operation.
  std::string DrawOneShotOperation(bool first) {
    uint64_t const kind = plan_.appends_only ? 1 : random_.Below(first ? 3 : 2);
    return StrCat(kind == 0 ? "p" : kind == 1 ? "a" : "n", ++last_number_);
  }

  void RunOneShot(Client& client) {
    std::string const key = KeyOf(random_.Below(plan_.key_count));
    OneShotRequest request;
    for (uint64_t left = 1 + random_.Below(2); left > 0; --left) {
      std::string other = KeyOf(random_.Below(plan_.key_count));
      if (PartitionOf(other) != PartitionOf(key)) {
        other = key;
      }
      std::string const operation = DrawOneShotOperation(request.operations.empty());
      request.operations.push_back({.key = other, .operation = operation});
      client.history.steps.push_back({.key = other, .operation = operation});
    }
    auto const answered = [this, &client,
                           life = client.life](std::optional<Result<Answer>> answer) {
      if (client.life != life) {
        return;
      }
      if (!answer) {
        End(client, TransactionOutcome::kUnknown, kNever);
        return;
      }
      const Answer& one = **answer;
      if (one.outcome == Outcome::kConditionFailed) {
        client.history.steps.resize(1);
        client.history.steps.front().holds = false;
        client.history.steps.front().result = one.results.front();
      }
      End(client, TransactionOutcome::kCommitted, one.timestamp);
    };
    Send(key, std::move(request), answered);
  }

  void RunStep(Client& client) {
    if (client.steps_left-- == 0) {
      client.transaction->Commit([this, &client](const Transaction::CommitResult& result) {
        End(client, result.outcome, result.timestamp);
      });
      return;
    }
    Step step;
    if (Chance(40)) {
      step.reads = true;
      uint64_t const first = random_.Below(plan_.key_count);
      bool const scans = Chance(plan_.scan_percent);
      uint64_t const end = scans ? first + 1 + random_.Below(plan_.key_count) : first + 1;
      step.span = scans ? KeySpan{.begin = KeyOf(first), .end = KeyOf(std::min<uint64_t>(end, 99))}
                        : KeySpan::Of(KeyOf(first));
      step.reverse = Chance(30);
      step.limit = Chance(50) ? UINT32_MAX : static_cast<uint32_t>(1 + random_.Below(4));
      client.transaction->Read(step.span, step.reverse, step.limit,
                               [this, &client, step](Transaction::ReadResult result) mutable {
                                 step.rows = std::move(result.rows);
                                 Went(client, result.outcome, std::move(step));
                               });
      return;
    }
    step.key = KeyOf(random_.Below(plan_.key_count));
    step.operation = DrawOperation();
    client.transaction->Write(step.key, step.operation,
                              [this, &client, step](Transaction::WriteResult result) mutable {
                                step.holds = result.outcome == Outcome::kOk;
                                step.result = std::move(result.result);
                                Went(client, result.outcome, std::move(step));
                              });
  }

  void Went(Client& client, Outcome outcome, Step step) {
    if (outcome == Outcome::kOk || outcome == Outcome::kConditionFailed) {
      client.history.steps.push_back(std::move(step));
      RunStep(client);
      return;
    }
    client.transaction->Abort(
        [this, &client] { End(client, TransactionOutcome::kAborted, kNever); });
  }

  void End(Client& client, TransactionOutcome outcome, Timestamp timestamp) {
    ++client.life;
    History& history = client.history;
    history.timestamp = timestamp;
    history.committed = outcome == TransactionOutcome::kCommitted;
    switch (outcome) {
      case TransactionOutcome::kCommitted:
        ++report_.commit_count;
        history.end_us = queue_.now_us();
        break;
      case TransactionOutcome::kAborted:
        ++report_.abort_count;
        history.end_us = queue_.now_us();
        break;
      case TransactionOutcome::kUnknown:
        ++report_.unknown_count;
        if (client.transaction != nullptr) {
          unknown_[histories_.size()] = {client.transaction->anchor(), client.transaction->id()};
        }
        break;
    }
    histories_.push_back(std::move(history));
    client.ended_after_healing += healed_ ? 1 : 0;
    client.idle = true;
    // Not from within what the transaction called.
    queue_.After(Between(0, 5'000), [this, &client, life = client.life] {
      if (client.life == life && client.idle &&
          client.ended_after_healing < kTransactionsAfterHealing) {
        BeginNext(client);
      }
    });
  }

  bool HasSettled() {
    return std::all_of(clients_.begin(), clients_.end(),
                       [](const auto& client) {
                         return client->idle &&
                                client->ended_after_healing >= kTransactionsAfterHealing;
                       }) &&
           AreIntentsGone();
  }
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
    for (const auto& client : clients_) {
      if (!client->idle || client->ended_after_healing < kTransactionsAfterHealing) {
        return StrCat("transaction ", client->history.number, " has not ended");
      }
    }
    for (const auto& partition : partitions_) {
      if (!partition->committed().map(Family::kIntent).empty()) {
        return "intents are left";
      }
    }
    return "old versions or records are left";
  }

  // What became of those whose clients were not told.
  void FindUnknown() {
    for (size_t index = 0; index < histories_.size(); ++index) {
      History& history = histories_[index];
      if (history.end_us != std::numeric_limits<int64_t>::max()) {
        continue;
      }
      if (auto const asked = unknown_.find(index); asked != unknown_.end()) {
        const auto& [anchor, id] = asked->second;
        if (!anchor.empty()) {
          auto const record = RecordOf(partitions_[PartitionOf(anchor)]->ever(), anchor, id);
          history.committed = *record && (*record)->committed;
          history.timestamp = history.committed ? (*record)->timestamp : kNever;
        }
      } else {
        FindOneShot(history);
      }
    }
  }
  // By the number that it wrote, and only it.
  void FindOneShot(History& history) const {
    for (const Step& step : history.steps) {
      std::string const number = StrCat(";", step.operation.substr(1));
      const MapState& state = partitions_[PartitionOf(step.key)]->ever();
      auto const scanned =
          mvcc::ScanAt(state, KeySpan::Of(step.key), Timestamp(~uint64_t{0}), false,
                       [&](std::string_view, const Version& newest) {
                         for (Timestamp at = newest.timestamp;;) {
                           auto const version = mvcc::NewestAt(state, step.key, at);
                           if (!*version) {
                             return true;
                           }
                           if ((*version)->value && (*version)->value->ends_with(number)) {
                             history.committed = true;
                             history.timestamp = (*version)->timestamp;
                           }
                           at = Timestamp((*version)->timestamp.value() - 1);
                         }
                       });
      ASSERT(scanned.ok());
    }
  }

  static std::vector<uint64_t> NumbersOf(const std::string& value) {
    std::vector<uint64_t> numbers;
    for (size_t at = 0; at < value.size(); at = value.find(';', at + 1)) {
      numbers.push_back(std::stoull(value.substr(at + 1)));
    }
    return numbers;
  }

  // Judged once more by what clients were told, and nothing else.
  void CheckAppends() const {
    using sim::ListTransaction;
    std::vector<ListTransaction> told;
    for (const History& history : histories_) {
      bool const unknown = history.end_us == std::numeric_limits<int64_t>::max();
      ListTransaction one{.name = history.number,
                          .begin_us = history.begin_us,
                          .end_us = history.end_us,
                          .end = unknown             ? ListTransaction::End::kUnknown
                                 : history.committed ? ListTransaction::End::kCommitted
                                                     : ListTransaction::End::kAborted,
                          .steps = {}};
      for (const Step& step : history.steps) {
        if (!step.reads) {
          one.steps.push_back({.key = step.key,
                               .appends = true,
                               .number = std::stoull(step.operation.substr(1)),
                               .list = {}});
        } else if (!unknown) {
          for (const auto& [key, value] : step.rows) {
            one.steps.push_back(
                {.key = key, .appends = false, .number = 0, .list = NumbersOf(value)});
          }
          if (step.rows.empty() && step.span.end == KeySpan::Of(step.span.begin).end) {
            one.steps.push_back(
                {.key = step.span.begin, .appends = false, .number = 0, .list = {}});
          }
        }
      }
      told.push_back(std::move(one));
    }
    if (std::string const anomaly = sim::FindAnomaly(told); !anomaly.empty()) {
      throw Violation(anomaly);
    }
  }

  SeededRandom random_;
  const std::function<void(const std::string&)>& trace_;
  sim::EventQueue queue_;
  Plan plan_{};
  bool healed_ = false;
  std::unique_ptr<SimulatedOracle> oracle_;
  std::vector<std::string> bounds_;  // where partitions begin
  std::vector<std::unique_ptr<SimulatedPartition>> partitions_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<History> histories_;
  std::map<size_t, std::pair<std::string, TransactionId>> unknown_;  // by place in histories_
  uint64_t last_number_ = 0;
  int64_t next_sweep_us_ = 0;
  int64_t next_collection_us_ = 0;
  uint64_t collected_count_ = 0;
  uint64_t trace_hash_ = 14'695'981'039'346'656'037ULL;
  SimulationReport report_;
};

}  // namespace

SimulationReport SimulateTransactions(uint64_t seed,
                                      const std::function<void(const std::string&)>& trace) {
  return ClusterSimulation(seed, trace).Run();
}

}  // namespace orochi::kv::simulation
