#pragma once

#include "io/posix/posix_file_system.h"
#include "pg/bridge.h"

namespace orochi::pg {

/// The server's files for code that reads and writes SSTables in a backend.
///
/// Files are read through PostgreSQL's virtual descriptors, so that a table of a thousand SSTables
/// does not run out of real ones. Every read and write checks for interrupts: a cancelled statement
/// leaves the library by CaughtError.
///
/// Threads: the backend's own.    Ownership: files close when destroyed, also after an abort.
class ServerFiles final : public io::FileSystem {
 public:
  Result<std::unique_ptr<io::RandomAccessFile>> OpenForRead(const std::string& path) override;
  Result<std::unique_ptr<io::WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<io::WritableFile>> OpenForAppend(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& directory) override;

 private:
  io::PosixFileSystem posix_;
};

}  // namespace orochi::pg
