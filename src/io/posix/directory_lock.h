#pragma once

#include <string>

#include "base/result.h"

namespace orochi::io {

/// A directory that one holder at a time writes into, of all processes that ask. The kernel lets go
/// when the holder is destroyed or its process ends, however it ends; nothing is left on disk.
///
/// Threads: any.
class DirectoryLock {
 public:
  /// Makes the directory if it is missing. kFailedPrecondition when somebody else holds it.
  static Result<DirectoryLock> Acquire(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace orochi::io
