#pragma once

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/tagged.h"
#include "io/posix/sockets.h"

namespace orochi::kv::runtime {

/// May own what cannot be copied.
using Task = absl::AnyInvocable<void()>;
using TimerId = Tagged<uint64_t, struct TimerIdTag>;

struct LoopOptions {
  int64_t tick_us = 0;                    // period of on_tick; 0: no ticks
  size_t batch_length_max = 1024;         // posted tasks that run before the batch ends
  size_t offered_length_max = 64 * 1024;  // tasks that wait, above which Offer refuses
};

/// What a loop has done and how late it was. Lag is the time between the first Post of what waits
/// and its first task; `on_batch` of LoopCallbacks brings it batch by batch.
struct LoopStatistics {
  uint64_t task_count = 0;
  uint64_t batch_count = 0;
  uint64_t timer_count = 0;  // that fired
  uint64_t tick_count = 0;
  uint64_t skipped_tick_count = 0;
  uint64_t refused_count = 0;  // by Offer, because too many waited
  uint64_t waiting_count = 0;  // now
};

/// One batch as it ended.
struct LoopBatch {
  int64_t lag_ns = 0;  // 0: nothing had been posted
  int64_t run_ns = 0;
  size_t task_count = 0;
};

struct LoopCallbacks {
  std::function<void()> on_tick{};
  /// After each batch, when something ran: what the batch made is to go out now.
  std::function<void()> on_batch_end{};
  /// After that: for metrics.
  std::function<void(const LoopBatch&)> on_batch{};
};

/// One thread that owns a node: everything that touches the node runs here, one after another, in
/// batches of {posted tasks, timers that are due, a tick}, each followed by on_batch_end. So what
/// waits while a batch runs is the next batch, and batches grow with load.
///
/// Life:    Start -> Stop. Destroying it stops it.
/// Threads: Post, Offer, Stop, statistics and IsLoopThread from any; the rest on the loop's own.
/// Borrows: clock.
/// Bounds:  Offer refuses above options.offered_length_max; Post does not, and is for answers to
///          what the node has asked for, whose number the node bounds itself.
class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> Start(LoopOptions options, Clock& clock,
                                                  LoopCallbacks callbacks);
  ~EventLoop() { Stop(); }
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs `task` on the loop's thread, after all posted before it. False after Stop: then the task
  /// is destroyed here and now, without having run.
  bool Post(Task task);
  /// The same for what outsiders send: kResourceExhausted when too much waits, kUnavailable after
  /// Stop.
  Status Offer(Task task);

  /// Runs `task` in about `delay_us`, never earlier; those due at one time in the order of After.
  TimerId After(int64_t delay_us, Task task);
  /// False when it has run or does not exist.
  bool Cancel(TimerId timer);
  /// Runs `task` once, after on_batch_end of the batch that runs now.
  void AtBatchEnd(Task task);

  bool IsLoopThread() const { return std::this_thread::get_id() == loop_thread_.load(); }
  int64_t NowNanos() { return clock_.MonotonicNanos(); }
  LoopStatistics statistics() const;

  /// Refuses what is new, runs all that was posted, ends that batch, drops timers, returns when the
  /// thread is gone. REQUIRES: not on the loop's thread.
  void Stop();

 private:
  using TimerKey = std::pair<int64_t, TimerId>;  // due, on the monotonic clock, in nanoseconds

  EventLoop(LoopOptions options, Clock& clock, LoopCallbacks callbacks, io::Waker waker);

  void Enqueue(std::unique_lock<std::mutex>& lock, Task task);
  void Run();
  bool TakePosted();
  void RunBatch();
  size_t RunTasks();
  size_t RunTimers(int64_t now_ns);
  bool RunTick(int64_t now_ns);
  void RunBatchEnd();
  int64_t WaitMicros(int64_t now_ns) const;

  const LoopOptions options_;
  const LoopCallbacks callbacks_;
  Clock& clock_;
  io::Waker waker_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Task> posted_;
  int64_t first_posted_ns_ = 0;  // when the first of posted_ came
  bool resting_ = false;         // the thread waits, or is about to: Post has to wake it
  bool stopping_ = false;
  uint64_t refused_count_ = 0;

  // Only the loop's thread.
  std::vector<Task> running_;  // taken from posted_; [running_index_, size) wait
  size_t running_index_ = 0;
  int64_t running_posted_ns_ = 0;
  std::map<TimerKey, Task> timers_;
  std::map<TimerId, int64_t> timer_due_ns_;
  TimerId last_timer_{};
  int64_t tick_due_ns_ = 0;
  std::vector<Task> at_batch_end_;

  // Written by the loop's thread alone; statistics() reads them, each for itself.
  std::atomic<uint64_t> task_count_{0};
  std::atomic<uint64_t> batch_count_{0};
  std::atomic<uint64_t> timer_count_{0};
  std::atomic<uint64_t> tick_count_{0};
  std::atomic<uint64_t> skipped_tick_count_{0};
  std::atomic<uint64_t> running_count_{0};
  std::atomic<std::thread::id> loop_thread_{};

  std::mutex join_mutex_;  // two that stop it at once
  std::thread thread_;
};

}  // namespace orochi::kv::runtime
