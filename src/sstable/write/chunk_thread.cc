#include "sstable/write/chunk_thread.h"

#include <pthread.h>
#include <signal.h>

#include <new>
#include <utility>

namespace orochi::sstable {

namespace {

/// A thread starts with its maker's mask.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

ChunkThread::ChunkThread(ChunkWriter& writer) : writer_(writer) {
  SignalsBlocked const blocked;
  thread_ = std::thread([this] { Run(); });
}

ChunkThread::~ChunkThread() {
  if (!thread_.joinable()) {
    return;
  }
  {
    std::lock_guard const lock(mutex_);
    dropping_ = true;
  }
  Stop().IgnoreError("nobody asked for the chunks any more");
}

Status ChunkThread::Write(std::vector<std::byte>& chunk) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kChunksMax; });
  RETURN_IF_ERROR(error_);
  waiting_.push_back(std::move(chunk));
  chunk.clear();
  if (!empty_.empty()) {
    chunk = std::move(empty_.back());
    empty_.pop_back();
  }
  lock.unlock();
  changed_.notify_all();
  return Status::Ok();
}

Status ChunkThread::Stop() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  return error_;
}

// Memory may run out in the thread as it may anywhere.
Status ChunkThread::WriteNow(std::vector<std::byte>& chunk) {
  try {
    return writer_.Write(chunk);
  } catch (const std::bad_alloc&) {
    return Status::ResourceExhausted("out of memory while a chunk is compressed");
  }
}

void ChunkThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    std::vector<std::byte> chunk = std::move(waiting_.front());
    bool const writes = error_.ok() && !dropping_;
    lock.unlock();
    Status status = writes ? WriteNow(chunk) : Status::Ok();
    chunk.clear();
    lock.lock();
    if (!status.ok()) {
      error_ = std::move(status);
    }
    // Only now: while the queue is full the caller makes no more chunks than there is room for.
    waiting_.pop_front();
    empty_.push_back(std::move(chunk));
    changed_.notify_all();
  }
}

}  // namespace orochi::sstable
