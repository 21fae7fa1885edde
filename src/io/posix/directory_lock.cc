#include "io/posix/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"

namespace orochi::io {

namespace {

Status Failed(const std::string& directory, const char* call, int error) {
  std::string const text = StrCat(directory, ": ", call, ": ", std::strerror(error));
  return error == EACCES || error == EPERM ? Status::PermissionDenied(text)
         : error == ENOENT                 ? Status::NotFound(text)
                                           : Status::IoError(text);
}

}  // namespace

Result<DirectoryLock> DirectoryLock::Acquire(const std::string& directory) {
  RETURN_IF_ERROR(PosixFileSystem().CreateDirectories(directory));
  DirectoryLock lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.descriptor_ < 0) {
    return Failed(directory, "open", errno);
  }
  int result = 0;
  do {
    result = ::flock(lock.descriptor_, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) {
    return lock;
  }
  if (errno == EWOULDBLOCK) {
    return Status::FailedPrecondition(StrCat(directory, ": somebody else is writing there"))
        .WithHint("wait until that has ended, or name another directory");
  }
  return Failed(directory, "lock", errno);
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

}  // namespace orochi::io
