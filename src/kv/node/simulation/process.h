#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "kv/engine/mem_engine.h"
#include "kv/engine/testing/map_state.h"
#include "kv/log/segment_log.h"
#include "kv/log/simulation/simulated_device.h"
#include "kv/node/node.h"
#include "kv/txn/simulation/list_rules.h"
#include "sim/disk.h"
#include "sim/event_queue.h"
#include "sim/violation.h"

namespace orochi::kv::simulation {

using sim::Violation;

/// How slow one node's parts are.
struct Pace {
  int64_t tick_us = 50'000;
  int64_t disk_us_max = 1'000;
};

/// An engine in memory, all of whose puts are remembered elsewhere, too.
class WatchedEngine final : public Engine {
 public:
  explicit WatchedEngine(MapState& ever) : ever_(ever) {}
  Status Write(const WriteBatch& batch) override;
  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return state_.Get(family, key);
  }
  std::unique_ptr<Cursor> NewCursor(Family family) const override {
    return state_.NewCursor(family);
  }
  std::unique_ptr<Reader> TakeSnapshot() const override { return state_.TakeSnapshot(); }
  Status Flush() override { return state_.Flush(); }
  raft::LogIndex FlushedApplied(log::GroupId group) const override {
    return state_.FlushedApplied(group);
  }
  Result<uint64_t> ApproximateSize(Family family, const KeyRange& range) const override {
    return state_.ApproximateSize(family, range);
  }
  void Crash(Random& random) { state_.Crash(random); }

 private:
  MemEngine state_;
  MapState& ever_;
};

/// One node: its disk, which survives, and its process, which may crash, pause and come back.
///
/// Threads: none.    Borrows: all.
class Process final : public NodeHost {
 public:
  struct Outside {
    std::function<void(NodeNumber from, NodeNumber to, std::vector<PeerMessage>)> send;
  };

  Process(const NodeOptions& options, const log::LogOptions& log_options, Pace pace,
          sim::EventQueue& queue, Random& random, MapState& ever, Outside outside);

  NodeNumber number() const { return options_.number; }
  bool is_up() const { return node_ != nullptr; }
  bool is_paused() const { return paused_; }
  Node& node() { return *node_; }
  Pace& pace() { return pace_; }
  const Engine& state() const { return engine_; }

  /// The first time, with the first nodes of the cluster.
  void Start(const std::vector<NodeRecord>& nodes);
  void Restart();
  void Crash();
  void Pause() { paused_ = true; }
  void Resume();
  void Receive(NodeNumber from, const std::vector<PeerMessage>& messages);
  /// Runs what somebody does with the node, and what follows from it.
  void Do(const std::function<void(Node&)>& what);

  void Send(NodeNumber to, std::vector<PeerMessage> messages) override;
  Status Append(log::GroupId group, raft::PersistRequest request) override;
  Status Compact(log::GroupId group, raft::SnapshotPoint point) override;
  Status Remove(log::GroupId group, raft::ReplicaId removed_below, uint64_t sequence) override;
  raft::ReplicaId RemovedBelow(log::GroupId group) const override {
    return log_->RemovedBelow(group);
  }
  Engine& engine() override { return engine_; }
  void After(int64_t delay_us, std::function<void()> event) override;
  int64_t now_us() const override { return queue_.now_us(); }
  int64_t wall_ms() const override { return 60'000 + queue_.now_us() / 1000 + clock_error_ms_; }
  Random& random() override { return random_; }
  void Fail(Status status) override;
  void set_clock_error_ms(int64_t error_ms) { clock_error_ms_ = error_ms; }

 private:
  void Open(log::SegmentLog::Expect expect);
  void ScheduleTick();
  void WantWrite();
  void BeginWrite();
  void EndWrite();
  Status Written();
  int64_t DrawDiskTime() {
    return 1 + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(pace_.disk_us_max)));
  }

  const NodeOptions options_;
  const log::LogOptions log_options_;
  Pace pace_;
  sim::EventQueue& queue_;
  Random& random_;
  Outside outside_;
  const ListRules rules_;
  int64_t clock_error_ms_ = 0;

  sim::Disk disk_;
  log::simulation::SimulatedDevice device_;
  WatchedEngine engine_;

  std::unique_ptr<log::SegmentLog> log_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<log::WriteOrder> order_;  // the write under way
  bool write_wanted_ = false;
  uint64_t life_ = 0;
  bool paused_ = false;
  std::vector<std::function<void()>> postponed_;
};

}  // namespace orochi::kv::simulation
