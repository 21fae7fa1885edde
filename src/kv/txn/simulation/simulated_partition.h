#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kv/txn/oracle.h"
#include "kv/txn/partition_core.h"
#include "kv/txn/simulation/list_rules.h"
#include "kv/engine/testing/map_state.h"
#include "kv/txn/simulation/replicated.h"

namespace orochi::kv::simulation {

/// What a partition's leaders reach the rest of the cluster by.
struct Outside {
  std::function<void(std::function<void(Timestamp)>)> stamp;
  std::function<void(const PushRequest&, std::function<void(std::optional<Answer>)>)> push;
  std::function<void(const ResolveRequest&, std::function<void(bool)>)> resolve;
};

/// One partition: what its group has committed, who leads it, and who thinks so still.
class SimulatedPartition {
 public:
  SimulatedPartition(sim::EventQueue& queue, Random& random, const GroupPace& pace,
                     const PartitionOptions& options, Outside outside)
      : queue_(queue),
        random_(random),
        pace_(pace),
        options_(options),
        outside_(std::move(outside)) {}

  const MapState& committed() const { return committed_; }
  /// All that was ever put into it.
  const MapState& ever() const { return ever_; }
  bool has_leader() const { return leader_ != nullptr; }

  /// To the leader, or to one that led before. Lost when there is none.
  void Handle(bool to_deposed, Request request, PartitionCore::Reply reply) {
    Leader* const to = to_deposed && deposed_ != nullptr ? deposed_.get() : leader_.get();
    if (to != nullptr) {
      to->core->Handle(std::move(request), std::move(reply));
    }
  }

  void Elect() {
    leader_ = std::make_unique<Leader>(*this);
    leader_->applied = committed_;
    leader_->core = std::make_unique<PartitionCore>(*leader_, rules_, options_);
  }
  void Depose() {
    leader_->log.Depose();
    deposed_ = std::move(leader_);
  }
  void StopDeposed() { deposed_.reset(); }

 private:
  struct Leader final : PartitionHost {
    explicit Leader(SimulatedPartition& its_partition)
        : partition(its_partition),
          log(partition.queue_, partition.random_, partition.pace_,
              [this](const WriteBatch& batch) { partition.Commit(batch); }) {}

    const Reader& state() const override { return applied; }
    void Propose(WriteBatch batch, std::function<void()> done) override {
      log.Propose(std::move(batch), [this, done = std::move(done)](const WriteBatch& entry) {
        applied.Apply(entry);
        done();
      });
    }
    void ConfirmLeadership(std::function<void()> confirmed) override {
      log.Confirm(std::move(confirmed));
    }
    void Stamp(std::function<void(Timestamp)> stamped) override {
      partition.outside_.stamp(std::move(stamped));
    }
    void Push(const PushRequest& request,
              std::function<void(std::optional<Answer>)> answered) override {
      partition.outside_.push(request, std::move(answered));
    }
    void Resolve(const ResolveRequest& request, std::function<void(bool)> done) override {
      partition.outside_.resolve(request, std::move(done));
    }
    void After(int64_t delay_us, std::function<void()> event) override {
      log.After(delay_us, std::move(event));
    }
    int64_t now_us() const override { return partition.queue_.now_us(); }

    SimulatedPartition& partition;
    MapState applied;
    SimulatedLog<WriteBatch> log;
    std::unique_ptr<PartitionCore> core;
  };

  void Commit(const WriteBatch& batch) {
    committed_.Apply(batch);
    WriteBatch puts;
    for (const WriteBatch::Change& change : batch.changes()) {
      if (change.value) {
        puts.Put(change.family, change.key, *change.value);
      }
    }
    ever_.Apply(puts);
  }

  sim::EventQueue& queue_;
  Random& random_;
  GroupPace pace_;
  PartitionOptions options_;
  Outside outside_;
  ListRules rules_;
  MapState committed_;
  MapState ever_;
  std::unique_ptr<Leader> leader_;
  std::unique_ptr<Leader> deposed_;
};

/// The group of the timestamp oracle.
class SimulatedOracle {
 public:
  SimulatedOracle(sim::EventQueue& queue, Random& random, const GroupPace& pace)
      : queue_(queue), random_(random), pace_(pace) {}

  void Issue(bool from_deposed, std::function<void(Timestamp)> issued) {
    Leader* const from = from_deposed && deposed_ != nullptr ? deposed_.get() : leader_.get();
    if (from != nullptr) {
      from->oracle->Issue(1, std::move(issued));
    }
  }
  bool has_leader() const { return leader_ != nullptr; }

  /// Its clock is wrong by up to ten seconds.
  void Elect() {
    leader_ = std::make_unique<Leader>(*this);
    leader_->clock_error_ms = static_cast<int64_t>(random_.Below(20'000)) - 10'000;
    leader_->oracle = std::make_unique<TimestampOracle>(*leader_, limit_,
                                                        TimestampOracle::Options{.window_ms = 500});
  }
  void Depose() {
    leader_->log.Depose();
    deposed_ = std::move(leader_);
  }
  void StopDeposed() { deposed_.reset(); }
  void JumpClock() {
    if (leader_ != nullptr) {
      leader_->clock_error_ms += static_cast<int64_t>(random_.Below(20'000)) - 10'000;
    }
  }

 private:
  struct Leader final : OracleHost {
    explicit Leader(SimulatedOracle& its_group)
        : group(its_group), log(group.queue_, group.random_, group.pace_, [this](Timestamp limit) {
            group.limit_ = limit;
          }) {}
    void ProposeLimit(Timestamp limit, std::function<void()> applied) override {
      log.Propose(limit, [applied = std::move(applied)](Timestamp) { applied(); });
    }
    void ConfirmLeadership(std::function<void()> confirmed) override {
      log.Confirm(std::move(confirmed));
    }
    int64_t now_ms() const override {
      return 60'000 + group.queue_.now_us() / 1000 + clock_error_ms;
    }

    SimulatedOracle& group;
    int64_t clock_error_ms = 0;
    SimulatedLog<Timestamp> log;
    std::unique_ptr<TimestampOracle> oracle;
  };

  sim::EventQueue& queue_;
  Random& random_;
  GroupPace pace_;
  Timestamp limit_;
  std::unique_ptr<Leader> leader_;
  std::unique_ptr<Leader> deposed_;
};

}  // namespace orochi::kv::simulation
