#include "kv/log/log_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace orochi::kv::log {

LogWriter::LogWriter(std::unique_ptr<SegmentLog> log, Clock& clock, Callbacks callbacks)
    : clock_(clock),
      callbacks_(std::move(callbacks)),
      log_(std::move(log)),
      spare_maker_([this] { MakeSpares(); }),
      writer_([this] { Run(); }) {}

template <class Call>
Status LogWriter::Ask(const Call& call) {
  std::lock_guard const guard(mutex_);
  if (stopping_) {
    return Status::Unavailable("the log writer has stopped");
  }
  Status status = call();
  asked_.notify_one();
  return status;
}

Status LogWriter::Append(GroupId group, raft::PersistRequest request) {
  int64_t const now_us = NowMicros();
  return Ask([&] { return log_->Append(group, std::move(request), now_us); });
}

Status LogWriter::Compact(GroupId group, raft::SnapshotPoint point) {
  return Ask([&] { return log_->Compact(group, std::move(point)); });
}

Status LogWriter::Remove(GroupId group, raft::ReplicaId removed_below, uint64_t sequence) {
  int64_t const now_us = NowMicros();
  return Ask([&] { return log_->Remove(group, removed_below, sequence, now_us); });
}

Result<std::vector<raft::Entry>> LogWriter::Read(GroupId group, raft::LogIndex first,
                                                 raft::LogIndex last, uint64_t size_bytes_max) {
  std::lock_guard const guard(mutex_);
  return log_->Read(group, first, last, size_bytes_max);
}

raft::ReplicaId LogWriter::RemovedBelow(GroupId group) {
  std::lock_guard const guard(mutex_);
  return log_->RemovedBelow(group);
}

std::vector<Damage> LogWriter::Damages() {
  std::lock_guard const guard(mutex_);
  return log_->damages();
}

std::vector<GroupId> LogWriter::OldestHolders() {
  std::lock_guard const guard(mutex_);
  return log_->OldestHolders();
}

LogStatistics LogWriter::statistics() {
  std::lock_guard const guard(mutex_);
  return log_->statistics();
}

void LogWriter::Stop() {
  {
    std::lock_guard const guard(mutex_);
    stopping_ = true;
    asked_.notify_one();
  }
  if (writer_.joinable()) {
    writer_.join();
  }
  {
    std::lock_guard const guard(mutex_);
    stopped_ = true;
    spare_asked_.notify_one();
  }
  if (spare_maker_.joinable()) {
    spare_maker_.join();
  }
}

void LogWriter::Run() {
  std::unique_lock lock(mutex_);
  WantSpare();
  while (true) {
    Decision const decision = log_->Next(NowMicros());
    bool const ended =
        decision.kind == Decision::Kind::kWrite ? !WriteOne(lock) : RestUntilAsked(lock, decision);
    if (ended) {
      return;
    }
  }
}

bool LogWriter::RestUntilAsked(std::unique_lock<std::mutex>& lock, const Decision& decision) {
  if (stopping_) {
    log_->RequestConfirmation();  // rather than wait for its time
    return log_->Next(NowMicros()).kind == Decision::Kind::kIdle;
  }
  if (decision.kind == Decision::Kind::kWait) {
    int64_t const wait_us = std::max<int64_t>(0, decision.until_us - NowMicros());
    asked_.wait_for(lock, std::chrono::microseconds(wait_us));
  } else {
    asked_.wait(lock);
  }
  return false;
}

// False when the log has failed.
bool LogWriter::WriteOne(std::unique_lock<std::mutex>& lock) {
  if (!spare_made_.empty()) {
    log_->files().AddSpare(std::exchange(spare_made_, {}));
  }
  WriteOrder const order = log_->BuildWrite();
  lock.unlock();
  int64_t const begin_ns = clock_.MonotonicNanos();
  Status status = log_->files().Write(order);
  int64_t const duration_ns = clock_.MonotonicNanos() - begin_ns;
  lock.lock();
  if (!status.ok()) {
    Fail(lock, std::move(status));
    return false;
  }
  log_->OnWritten(NowMicros());
  std::vector<Completion> const completions = log_->TakeCompletions();
  WantSpare();
  lock.unlock();
  if (!completions.empty()) {
    callbacks_.completed(completions);
  }
  if (callbacks_.written) {
    callbacks_.written({.duration_ns = duration_ns,
                        .size_bytes = order.frame.bytes.size_bytes(),
                        .completion_count = completions.size()});
  }
  status = log_->files().Recycle(order);
  lock.lock();
  if (!status.ok()) {
    Fail(lock, std::move(status));
    return false;
  }
  return true;
}

void LogWriter::Fail(std::unique_lock<std::mutex>& lock, Status status) {
  log_->OnFailed(std::move(status));
  Status const failure = log_->failure();
  lock.unlock();
  callbacks_.failed(failure);
  lock.lock();
}

void LogWriter::WantSpare() {
  if (log_->files().spare_count() == 0 && log_->files().spare_count_max() > 0 && !making_spare_ &&
      spare_made_.empty() && !stopping_) {
    making_spare_ = true;
    spare_wanted_ = log_->files().TakeSpareName();
    spare_asked_.notify_one();
  }
}

// A spare that cannot be made is not missed until a write needs it, which then fails itself.
void LogWriter::MakeSpares() {
  std::unique_lock lock(mutex_);
  while (true) {
    spare_asked_.wait(lock, [this] { return stopped_ || !spare_wanted_.empty(); });
    if (stopped_) {
      return;
    }
    std::string const name = std::exchange(spare_wanted_, {});
    lock.unlock();
    bool const made = log_->files().device().Create(name, log_->files().segment_size_bytes()).ok();
    lock.lock();
    making_spare_ = false;
    if (made) {
      spare_made_ = name;
    }
  }
}

}  // namespace orochi::kv::log
