#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "raft/raft_core.h"
#include "raft/simulation/ledger.h"
#include "raft/simulation/state_machine.h"
#include "sim/event_queue.h"

namespace orochi::raft::simulation {

/// What travels: a message, and beside kSnapshot the state itself.
struct Packet {
  Message message;
  std::shared_ptr<const ListState> state;  // shared by the copies of a packet
};

/// How slow one replica's parts are.
struct ReplicaPace {
  int64_t tick_us = 50'000;
  int64_t disk_us_max = 2'000;
  int64_t apply_us_max = 0;  // 0: at once
};

/// One replica: the core under test with a simulated disk and state machine. What was not yet
/// durable when it crashes is lost, but for a part of what the disk was writing.
///
/// Threads: none.    Borrows: queue, random, ledger.
class Replica {
 public:
  struct Answers {
    /// The command proposed at {index, term} is applied, as the list's entry number `length`.
    std::function<void(uint64_t operation, uint64_t length)> done;
    /// It may or may not be applied, now or later.
    std::function<void(uint64_t operation)> unknown;
    std::function<void(ReplicaId to, Packet packet)> send;
    std::function<void()> leads;  // a term, from now on
  };

  Replica(Options options, ReplicaPace pace, SnapshotPoint birth, sim::EventQueue& queue,
          Random& random, Ledger& ledger, Answers answers);

  ReplicaId id() const { return options_.id; }
  bool is_up() const { return core_ != nullptr; }
  bool is_paused() const { return paused_; }
  bool is_writing() const { return disk_busy_; }
  RaftCore& core() { return *core_; }
  const ListState& state() const { return state_; }
  ReplicaPace& pace() { return pace_; }
  uint64_t snapshot_count() const { return snapshot_count_; }

  void Start();
  void Crash();
  /// Nothing happens here until Resume; what comes meanwhile comes then.
  void Pause() { paused_ = true; }
  void Resume();

  void Receive(const Packet& packet);
  /// False when this replica does not take it; then nothing will happen.
  bool Write(uint64_t operation, uint64_t number);
  bool Read(uint64_t operation);
  /// The state machine's state becomes durable, so that the log before it may go.
  void Flush();
  /// Drops log entries but for the last `keep_count` applied ones.
  void Compact(uint64_t keep_count);
  /// Does what the core asks for. Call after every change made through core().
  void Pump();

 private:
  struct Waiting {
    uint64_t operation;
    Term term;
  };
  struct WaitingRead {
    uint64_t operation;
    LogIndex index;
  };

  void ScheduleTick();
  void CheckCommit();
  void WriteNext();
  void MakeDurable(const PersistRequest& request);
  void Apply(std::vector<Entry> entries);
  void ApplyNow(const std::vector<Entry>& entries);
  void ServeReads();
  void SendSnapshot(ReplicaId to);
  void ForgetClients();
  // Runs `event` after the delay, unless this replica has crashed meanwhile; later when paused.
  void Later(int64_t delay_us, std::function<void()> event);

  const Options options_;
  ReplicaPace pace_;
  sim::EventQueue& queue_;
  Random& random_;
  Ledger& ledger_;
  Answers answers_;

  // Durable.
  HardState hard_state_;
  SnapshotPoint base_;
  std::vector<Entry> log_;
  ListState flushed_;

  // Lost in a crash.
  std::unique_ptr<RaftCore> core_;
  ListState state_;
  std::map<LogIndex, std::shared_ptr<const ListState>> received_;  // shared with the packets
  std::deque<std::pair<PersistRequest, ListState>> writing_;       // with the state to install
  bool disk_busy_ = false;
  std::map<LogIndex, Waiting> writes_;
  std::map<uint64_t, uint64_t> read_operations_;  // token: operation
  std::vector<WaitingRead> reads_;

  Term led_term_;  // as seen when last pumped; 0 when not leading
  LogIndex led_commit_;

  uint64_t incarnation_ = 0;
  bool paused_ = false;
  bool pumping_ = false;
  std::vector<std::function<void()>> postponed_;
  uint64_t snapshot_count_ = 0;
};

}  // namespace orochi::raft::simulation
