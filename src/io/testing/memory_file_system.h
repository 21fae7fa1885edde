#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "io/file.h"

namespace orochi::io::testing {

/// Files in memory that fail when told to. What a power cut leaves is what the FileSystem contract
/// promises and no more: bytes that were Synced, names whose directory was SyncDirectory'd.
/// Directories themselves are kept.
///
/// Life: outlives the files opened through it.    Threads: none.
class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& directory) override;

  /// The n-th call from now on, counted from 1, of the file system or any of its files fails with
  /// kIoError and changes nothing, but for an Append, which has written half of its bytes. Later
  /// calls work. Replaces what was asked for before.
  void FailCall(uint64_t nth);
  /// Calls so far: a test repeats its work with FailCall(1), FailCall(2), ... up to this.
  uint64_t call_count() const { return call_count_; }

  /// Appends that would make all files together larger write what fits, then fail with
  /// kResourceExhausted.
  void SetCapacityBytes(uint64_t capacity_bytes) { capacity_bytes_ = capacity_bytes; }

  /// What was not synced is gone; every open file fails from here on. With `random`, files keep a
  /// random part of what was appended since their last Sync.
  void CutPower(Random* random = nullptr);

 private:
  friend class MemoryRandomAccessFile;
  friend class MemoryWritableFile;
  struct Inode {
    std::vector<std::byte> bytes;
    std::vector<std::byte> synced_bytes;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;  // shared by names and open files

  Status CountCall(std::string_view what);
  Status CheckParent(const std::string& path) const;
  Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path, bool truncate);
  uint64_t UsedBytes() const;
  Status AppendTo(Inode& inode, const std::string& path, std::span<const std::byte> bytes);

  Names names_;
  Names synced_names_;
  std::set<std::string> directories_;
  std::optional<uint64_t> failing_call_;
  uint64_t call_count_ = 0;
  uint64_t capacity_bytes_ = UINT64_MAX;
  uint64_t power_cuts_ = 0;
};

}  // namespace orochi::io::testing
