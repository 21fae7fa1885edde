#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/random.h"

namespace orochi::kv::testing {

/// RocksDB's files, whose crash loses what was not synced: each file keeps what was, and any part
/// of what followed. From Crash on everything that changes a file fails, so that closing the
/// database changes nothing.
///
/// Threads: any.
class DroppingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  DroppingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "DroppingFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

  void Crash() { crashed_ = true; }
  /// After the database is closed. How many files lost something.
  int DropUnsynced(Random& random);

 private:
  struct Sizes {
    uint64_t written = 0;
    uint64_t synced = 0;
  };
  class File;

  std::atomic<bool> crashed_ = false;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Sizes>> files_;  // guarded by mutex_, as what it points to
};

}  // namespace orochi::kv::testing
