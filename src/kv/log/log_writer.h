#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "kv/log/segment_log.h"

namespace orochi::kv::log {

/// One write of the log, as it was done.
struct WriteMeasure {
  int64_t duration_ns = 0;  // until it was durable
  uint64_t size_bytes = 0;  // whole blocks
  size_t completion_count = 0;
};

/// Gives a SegmentLog its thread: it takes what all groups append, writes it, and says when it is
/// durable. A second thread makes spare files, so that a write seldom waits for one.
///
/// Life:    constructed -> calls from anywhere -> Stop. Destroying it stops it.
/// Threads: any. Callbacks come on the writer's thread, without a lock held; they may append.
/// Borrows: clock, and the device of the log.
class LogWriter {
 public:
  struct Callbacks {
    /// Durable, in order.
    std::function<void(const std::vector<Completion>&)> completed;
    /// Once, and then nothing is accepted: the process is to stop, without another write (R13).
    std::function<void(const Status&)> failed;
    /// After `completed`: for metrics.
    std::function<void(const WriteMeasure&)> written{};
  };

  LogWriter(std::unique_ptr<SegmentLog> log, Clock& clock, Callbacks callbacks);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter() { Stop(); }

  // As SegmentLog has them; kUnavailable after Stop.
  Status Append(GroupId group, raft::PersistRequest request);
  Status Compact(GroupId group, raft::SnapshotPoint point);
  Status Remove(GroupId group, raft::ReplicaId removed_below, uint64_t sequence);
  Result<std::vector<raft::Entry>> Read(GroupId group, raft::LogIndex first, raft::LogIndex last,
                                        uint64_t size_bytes_max);
  raft::ReplicaId RemovedBelow(GroupId group);
  std::vector<Damage> Damages();
  std::vector<GroupId> OldestHolders();
  LogStatistics statistics();

  /// Refuses what is new, writes what waits, delivers completions, confirms the last write.
  void Stop();

 private:
  int64_t NowMicros() { return clock_.MonotonicNanos() / 1000; }
  template <class Call>
  Status Ask(const Call& call);

  void Run();
  // True when there is nothing left to do for ever.
  bool RestUntilAsked(std::unique_lock<std::mutex>& lock, const Decision& decision);
  bool WriteOne(std::unique_lock<std::mutex>& lock);
  void Fail(std::unique_lock<std::mutex>& lock, Status status);
  void WantSpare();
  void MakeSpares();

  Clock& clock_;
  const Callbacks callbacks_;

  // Guards everything below but log_->files(), which the writer's thread has to itself between
  // BuildWrite and OnWritten, and callbacks_.
  std::mutex mutex_;
  std::unique_ptr<SegmentLog> log_;
  std::condition_variable asked_;
  std::condition_variable spare_asked_;
  std::string spare_wanted_;  // its name; empty when none is
  std::string spare_made_;
  bool making_spare_ = false;
  bool stopping_ = false;
  bool stopped_ = false;

  std::jthread spare_maker_;
  std::jthread writer_;
};

}  // namespace orochi::kv::log
