#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/posix/directory_lock.h"
#include "io/posix/durable_file.h"
#include "io/posix/posix_file_system.h"
#include "kv/log/device.h"

namespace orochi::kv::log {

/// The log's files in a directory of the operating system, which it makes and locks.
///
/// Threads: as Device says.
class FileDevice final : public Device {
 public:
  using Mode = io::DurableFile::Mode;

  /// kFailedPrecondition when another process has the directory.
  static Result<std::unique_ptr<FileDevice>> Open(const std::string& directory, Mode mode);

  uint32_t block_size_bytes() const override { return io::DurableFile::kAlignmentBytes; }
  Result<std::vector<std::string>> List() override;
  Status Create(const std::string& name, uint64_t size_bytes) override;
  Result<uint64_t> SizeBytes(const std::string& name) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& name) override;
  Status SyncDirectory() override;
  Status Write(const std::string& name, uint64_t offset_bytes,
               std::span<const std::byte> bytes) override;
  Status Read(const std::string& name, uint64_t offset_bytes, std::span<std::byte> bytes) override;
  Status Sync(const std::string& name) override;

 private:
  FileDevice(std::string directory, Mode mode, io::DirectoryLock lock)
      : directory_(std::move(directory)), mode_(mode), lock_(std::move(lock)) {}

  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }
  /// Opened at its first use and kept. Shared with a reader that has it while it is removed.
  Result<std::shared_ptr<io::DurableFile>> Find(const std::string& name);

  const std::string directory_;
  const Mode mode_;
  const io::DirectoryLock lock_;
  io::PosixFileSystem files_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<io::DurableFile>> open_;  // guarded by mutex_
};

}  // namespace orochi::kv::log
