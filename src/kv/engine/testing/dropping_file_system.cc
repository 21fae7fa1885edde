#include "kv/engine/testing/dropping_file_system.h"

#include <unistd.h>

namespace orochi::kv::testing {
namespace {

rocksdb::IOStatus Crashed() {
  return rocksdb::IOStatus::IOError("the file system has crashed");
}

}  // namespace

class DroppingFileSystem::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile>&& file, DroppingFileSystem& owner,
       std::shared_ptr<Sizes> sizes)
      : FSWritableFileOwnerWrapper(std::move(file)), owner_(owner), sizes_(std::move(sizes)) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (owner_.crashed_) {
      return Crashed();
    }
    rocksdb::IOStatus status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    std::lock_guard const guard(owner_.mutex_);
    sizes_->written += data.size();
    return status;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& /*info*/,
                           rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Truncate(uint64_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
    return owner_.crashed_ ? Crashed() : FSWritableFileOwnerWrapper::Truncate(size, options, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    return NoteSynced(owner_.crashed_ ? Crashed()
                                      : FSWritableFileOwnerWrapper::Flush(options, debug));
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    return Sync(options, debug);
  }
  rocksdb::IOStatus RangeSync(uint64_t /*offset*/, uint64_t /*size*/,
                              const rocksdb::IOOptions& /*options*/,
                              rocksdb::IODebugContext* /*debug*/) override {
    return rocksdb::IOStatus::OK();  // a hint, which makes nothing durable
  }

 private:
  rocksdb::IOStatus NoteSynced(rocksdb::IOStatus status) {
    if (status.ok()) {
      std::lock_guard const guard(owner_.mutex_);
      sizes_->synced = sizes_->written;
    }
    return status;
  }

  DroppingFileSystem& owner_;
  const std::shared_ptr<Sizes> sizes_;  // shared with the file system, which outlives the file
};

rocksdb::IOStatus DroppingFileSystem::NewWritableFile(
    const std::string& name, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSWritableFile>* result, rocksdb::IODebugContext* debug) {
  if (crashed_) {
    return Crashed();
  }
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &file, debug);
  if (status.ok()) {
    std::lock_guard const guard(mutex_);
    auto sizes = std::make_shared<Sizes>();
    files_[name] = sizes;
    *result = std::make_unique<File>(std::move(file), *this, std::move(sizes));
  }
  return status;
}

rocksdb::IOStatus DroppingFileSystem::RenameFile(const std::string& from, const std::string& to,
                                                 const rocksdb::IOOptions& options,
                                                 rocksdb::IODebugContext* debug) {
  if (crashed_) {
    return Crashed();
  }
  rocksdb::IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
  std::lock_guard const guard(mutex_);
  if (auto node = files_.extract(from); status.ok() && node) {
    files_.erase(to);
    node.key() = to;
    files_.insert(std::move(node));
  }
  return status;
}

rocksdb::IOStatus DroppingFileSystem::DeleteFile(const std::string& name,
                                                 const rocksdb::IOOptions& options,
                                                 rocksdb::IODebugContext* debug) {
  if (crashed_) {
    return Crashed();
  }
  std::lock_guard const guard(mutex_);
  files_.erase(name);
  return FileSystemWrapper::DeleteFile(name, options, debug);
}

int DroppingFileSystem::DropUnsynced(Random& random) {
  std::lock_guard const guard(mutex_);
  int dropped_count = 0;
  for (const auto& [name, sizes] : files_) {
    uint64_t const kept = sizes->synced + random.Below(sizes->written - sizes->synced + 1);
    if (kept < sizes->written && ::truncate(name.c_str(), static_cast<off_t>(kept)) == 0) {
      ++dropped_count;
    }
  }
  files_.clear();
  crashed_ = false;
  return dropped_count;
}

}  // namespace orochi::kv::testing
