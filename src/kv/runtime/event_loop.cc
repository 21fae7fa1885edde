#include "kv/runtime/event_loop.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv::runtime {
namespace {

constexpr int64_t kNanosInMicro = 1000;

// For what one thread writes and others may look at.
void Add(std::atomic<uint64_t>& counter, uint64_t count) {
  counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::Start(LoopOptions options, Clock& clock,
                                                    LoopCallbacks callbacks) {
  if (options.tick_us < 0 || options.batch_length_max == 0) {
    return Status::InvalidArgument(StrCat("event loop: a tick of ", options.tick_us,
                                          " us and batches of at most ", options.batch_length_max,
                                          " tasks; expected 0 or more, and 1 or more"));
  }
  ASSIGN_OR_RETURN(io::Waker waker, io::Waker::Create());
  std::unique_ptr<EventLoop> loop(
      new EventLoop(options, clock, std::move(callbacks), std::move(waker)));
  loop->thread_ = std::thread([raw = loop.get()] { raw->Run(); });
  return loop;
}

EventLoop::EventLoop(LoopOptions options, Clock& clock, LoopCallbacks callbacks, io::Waker waker)
    : options_(options),
      callbacks_(std::move(callbacks)),
      clock_(clock),
      waker_(std::move(waker)) {}

bool EventLoop::Post(Task task) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    return false;
  }
  Enqueue(lock, std::move(task));
  return true;
}

Status EventLoop::Offer(Task task) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    return Status::Unavailable("the event loop has stopped");
  }
  uint64_t const waiting_count = posted_.size() + running_count_.load(std::memory_order_relaxed);
  if (waiting_count >= options_.offered_length_max) {
    ++refused_count_;
    return Status::ResourceExhausted(StrCat("event loop: ", waiting_count, " tasks wait, at most ",
                                            options_.offered_length_max));
  }
  Enqueue(lock, std::move(task));
  return Status::Ok();
}

void EventLoop::Enqueue(std::unique_lock<std::mutex>& lock, Task task) {
  if (posted_.empty()) {
    first_posted_ns_ = NowNanos();
  }
  posted_.push_back(std::move(task));
  bool const wake = std::exchange(resting_, false);
  lock.unlock();
  if (wake) {
    waker_.Wake();
  }
}

TimerId EventLoop::After(int64_t delay_us, Task task) {
  ASSERT(IsLoopThread());
  last_timer_ = last_timer_.Next();
  int64_t const due_ns = NowNanos() + std::max<int64_t>(0, delay_us) * kNanosInMicro;
  timers_.emplace(TimerKey(due_ns, last_timer_), std::move(task));
  timer_due_ns_.emplace(last_timer_, due_ns);
  return last_timer_;
}

bool EventLoop::Cancel(TimerId timer) {
  ASSERT(IsLoopThread());
  auto const found = timer_due_ns_.find(timer);
  if (found == timer_due_ns_.end()) {
    return false;
  }
  timers_.erase(TimerKey(found->second, timer));
  timer_due_ns_.erase(found);
  return true;
}

void EventLoop::AtBatchEnd(Task task) {
  ASSERT(IsLoopThread());
  at_batch_end_.push_back(std::move(task));
}

void EventLoop::Stop() {
  ASSERT(!IsLoopThread());
  {
    std::lock_guard const guard(mutex_);
    stopping_ = true;
  }
  waker_.Wake();
  std::lock_guard const guard(join_mutex_);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void EventLoop::Run() {
  loop_thread_.store(std::this_thread::get_id());
  tick_due_ns_ = NowNanos() + options_.tick_us * kNanosInMicro;
  while (TakePosted()) {
    RunBatch();
  }
  // Here, so that what they own dies on the thread that used it.
  timers_.clear();
  timer_due_ns_.clear();
}

// Returns when there may be something to run; false when nothing ever will be again.
bool EventLoop::TakePosted() {
  if (running_index_ < running_.size()) {
    return true;
  }
  running_.clear();
  running_index_ = 0;
  int64_t const wait_us = WaitMicros(NowNanos());
  {
    std::lock_guard const guard(mutex_);
    if (posted_.empty() && stopping_) {
      return false;
    }
    resting_ = posted_.empty() && wait_us != 0;
    running_.swap(posted_);
    running_posted_ns_ = first_posted_ns_;
    running_count_.store(running_.size(), std::memory_order_relaxed);
    if (!resting_) {
      return true;
    }
  }
  waker_.Wait(wait_us);
  std::lock_guard const guard(mutex_);
  resting_ = false;
  running_.swap(posted_);
  running_posted_ns_ = first_posted_ns_;
  running_count_.store(running_.size(), std::memory_order_relaxed);
  return true;
}

int64_t EventLoop::WaitMicros(int64_t now_ns) const {
  bool const has_tick = options_.tick_us > 0;
  if (!has_tick && timers_.empty()) {
    return -1;
  }
  int64_t due_ns = has_tick ? tick_due_ns_ : timers_.begin()->first.first;
  if (!timers_.empty()) {
    due_ns = std::min(due_ns, timers_.begin()->first.first);
  }
  // Rounded up: a microsecond early would be a batch with nothing in it.
  return std::max<int64_t>(0, (due_ns - now_ns + kNanosInMicro - 1) / kNanosInMicro);
}

void EventLoop::RunBatch() {
  int64_t const begin_ns = NowNanos();
  bool const has_posted = running_index_ < running_.size();
  LoopBatch batch;
  batch.lag_ns = has_posted ? std::max<int64_t>(0, begin_ns - running_posted_ns_) : 0;
  batch.task_count = RunTasks();
  size_t const timer_count = RunTimers(begin_ns);
  bool const ticked = RunTick(begin_ns);
  if (batch.task_count == 0 && timer_count == 0 && !ticked) {
    return;
  }
  RunBatchEnd();
  Add(batch_count_, 1);
  if (callbacks_.on_batch) {
    batch.run_ns = NowNanos() - begin_ns;
    callbacks_.on_batch(batch);
  }
}

size_t EventLoop::RunTasks() {
  size_t const end = std::min(running_.size(), running_index_ + options_.batch_length_max);
  size_t const task_count = end - running_index_;
  while (running_index_ < end) {
    // Moved out: what it owns is gone when the next one runs.
    Task task = std::move(running_[running_index_++]);
    task();
  }
  running_count_.store(running_.size() - running_index_, std::memory_order_relaxed);
  Add(task_count_, task_count);
  return task_count;
}

size_t EventLoop::RunTimers(int64_t now_ns) {
  TimerId const last = last_timer_;  // those set from here on wait for the next batch
  size_t timer_count = 0;
  while (!timers_.empty() && timers_.begin()->first.first <= now_ns &&
         timers_.begin()->first.second <= last) {
    auto node = timers_.extract(timers_.begin());
    timer_due_ns_.erase(node.key().second);
    node.mapped()();
    ++timer_count;
  }
  Add(timer_count_, timer_count);
  return timer_count;
}

bool EventLoop::RunTick(int64_t now_ns) {
  int64_t const tick_ns = options_.tick_us * kNanosInMicro;
  if (tick_ns == 0 || now_ns < tick_due_ns_) {
    return false;
  }
  // After a pause there is one tick, not a burst: election timers count ticks, and a burst would
  // run them out before what waits in the sockets has been read.
  int64_t const late_count = (now_ns - tick_due_ns_) / tick_ns;
  tick_due_ns_ += (late_count + 1) * tick_ns;
  Add(skipped_tick_count_, static_cast<uint64_t>(late_count));
  Add(tick_count_, 1);
  if (callbacks_.on_tick) {
    callbacks_.on_tick();
  }
  return true;
}

void EventLoop::RunBatchEnd() {
  if (callbacks_.on_batch_end) {
    callbacks_.on_batch_end();
  }
  // By index: one may add another.
  for (size_t index = 0; index < at_batch_end_.size(); ++index) {
    Task task = std::move(at_batch_end_[index]);
    task();
  }
  at_batch_end_.clear();
}

LoopStatistics EventLoop::statistics() const {
  LoopStatistics statistics;
  {
    std::lock_guard const guard(mutex_);
    statistics.refused_count = refused_count_;
    statistics.waiting_count = posted_.size();
  }
  statistics.task_count = task_count_.load(std::memory_order_relaxed);
  statistics.batch_count = batch_count_.load(std::memory_order_relaxed);
  statistics.timer_count = timer_count_.load(std::memory_order_relaxed);
  statistics.tick_count = tick_count_.load(std::memory_order_relaxed);
  statistics.skipped_tick_count = skipped_tick_count_.load(std::memory_order_relaxed);
  statistics.waiting_count += running_count_.load(std::memory_order_relaxed);
  return statistics;
}

}  // namespace orochi::kv::runtime
