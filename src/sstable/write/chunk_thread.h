#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/status.h"
#include "sstable/write/chunk_writer.h"

namespace orochi::sstable {

/// Has chunks written by a thread of its own, in the order in which they come.
///
/// Life:    Write* -> Stop. Destroyed before Stop, it drops the chunks that wait.
/// Threads: for one caller; the chunk writer is the thread's from the first Write until Stop. The
///          thread blocks all signals.
/// Borrows: the chunk writer.    Bounds: kChunksMax chunks that wait; Write waits above that.
class ChunkThread {
 public:
  static constexpr size_t kChunksMax = 8;

  explicit ChunkThread(ChunkWriter& writer);
  ~ChunkThread();
  ChunkThread(const ChunkThread&) = delete;
  ChunkThread& operator=(const ChunkThread&) = delete;

  /// Takes the chunk and gives back an empty one. The error of an earlier chunk, if there was one.
  Status Write(std::vector<std::byte>& chunk);
  /// Waits for all chunks and ends the thread. The first error of any of them.
  Status Stop();

 private:
  void Run();
  Status WriteNow(std::vector<std::byte>& chunk);

  ChunkWriter& writer_;
  std::mutex mutex_;  // guards what follows, down to the thread
  std::condition_variable changed_;
  std::deque<std::vector<std::byte>> waiting_;
  std::vector<std::vector<std::byte>> empty_;  // written ones, for their memory
  Status error_;
  bool stopping_ = false;
  bool dropping_ = false;
  std::thread thread_;
};

}  // namespace orochi::sstable
