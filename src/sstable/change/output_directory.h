#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "io/posix/directory_lock.h"

namespace orochi::sstable {

/// A directory that SSTables are written into, by one writer at a time of all processes that ask.
/// What writers left there that were killed, files and sorted runs, is removed by the next one,
/// which holds the directory and so knows that no living process needs it. Components that have
/// their names already are never touched.
///
/// Life:    Open -> writers of the directory -> destroyed after them.    Threads: none.
class OutputDirectory {
 public:
  /// Makes the directory if it is missing. kFailedPrecondition while somebody else holds it.
  static Result<OutputDirectory> Open(const std::string& path);
  OutputDirectory(OutputDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  OutputDirectory& operator=(OutputDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(lock_, other.lock_);
    return *this;
  }
  ~OutputDirectory();

  const std::string& path() const { return path_; }
  /// Where sorted runs go. It is not there before one is written, and not after the destructor.
  std::string scratch() const;
  /// For who removes the directory itself before letting go of it.
  void RemoveScratch();

 private:
  OutputDirectory(std::string path, io::DirectoryLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  Status RemoveUnfinished();

  std::string path_;  // empty once moved from
  io::DirectoryLock lock_;
};

}  // namespace orochi::sstable
