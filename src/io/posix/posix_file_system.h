#pragma once

#include "io/file.h"

namespace orochi::io {

/// The operating system's files. Errors carry the path, the call and the system's reason: a full
/// disk or quota is kResourceExhausted, a missing file kNotFound, a forbidden one
/// kPermissionDenied, anything else kIoError.
///
/// After a failed write or sync a WritableFile keeps failing with the same error: the kernel may
/// have dropped the dirty pages, and a later fsync that succeeds says nothing about them.
///
/// Threads: the file system may be used from any thread, each file from one at a time; reads of
/// one RandomAccessFile may run in parallel.
class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& directory) override;
};

}  // namespace orochi::io
