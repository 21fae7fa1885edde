#include "io/testing/memory_file_system.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::io::testing {
namespace {

std::string DirectoryOf(const std::string& path) {
  size_t const slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

Status Missing(const std::string& path) {
  return Status::NotFound(StrCat(path, ": no such file or directory"));
}

}  // namespace

class MemoryRandomAccessFile final : public RandomAccessFile {
 public:
  MemoryRandomAccessFile(MemoryFileSystem& owner, std::string path,
                         std::shared_ptr<MemoryFileSystem::Inode> inode)
      : owner_(owner),
        path_(std::move(path)),
        inode_(std::move(inode)),
        power_cuts_(owner.power_cuts_) {}

  Status ReadExact(uint64_t offset_bytes, std::span<std::byte> out) const override {
    RETURN_IF_ERROR(owner_.CountCall(path_));
    RETURN_IF_ERROR(CheckPower());
    const std::vector<std::byte>& bytes = inode_->bytes;
    if (offset_bytes > bytes.size() || out.size() > bytes.size() - offset_bytes) {
      return Status::OutOfRange(StrCat(path_, ": read of ", out.size(), " bytes at ", offset_bytes,
                                       " passes the end at ", bytes.size()));
    }
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset_bytes), out.size(), out.begin());
    return Status::Ok();
  }

  Result<uint64_t> SizeBytes() const override {
    RETURN_IF_ERROR(owner_.CountCall(path_));
    RETURN_IF_ERROR(CheckPower());
    return uint64_t{inode_->bytes.size()};
  }

 private:
  Status CheckPower() const {
    return owner_.power_cuts_ == power_cuts_
               ? Status::Ok()
               : Status::IoError(StrCat(path_, ": opened before the power cut"));
  }

  MemoryFileSystem& owner_;
  std::string path_;
  std::shared_ptr<MemoryFileSystem::Inode> inode_;
  uint64_t power_cuts_;
};

class MemoryWritableFile final : public WritableFile {
 public:
  MemoryWritableFile(MemoryFileSystem& owner, std::string path,
                     std::shared_ptr<MemoryFileSystem::Inode> inode)
      : owner_(owner),
        path_(std::move(path)),
        inode_(std::move(inode)),
        power_cuts_(owner.power_cuts_) {}

  Status Append(std::span<const std::byte> bytes) override {
    ASSERT(!closed_);
    RETURN_IF_ERROR(Check());
    if (Status status = owner_.CountCall(path_); !status.ok()) {
      owner_.AppendTo(*inode_, path_, bytes.first(bytes.size() / 2))
          .IgnoreError("the call fails anyway");
      return Keep(std::move(status));
    }
    return Keep(owner_.AppendTo(*inode_, path_, bytes));
  }

  Status Sync() override {
    ASSERT(!closed_);
    RETURN_IF_ERROR(Check());
    RETURN_IF_ERROR(Keep(owner_.CountCall(path_)));
    inode_->synced_bytes = inode_->bytes;
    return Status::Ok();
  }

  Status Close() override {
    ASSERT(!closed_);
    closed_ = true;
    RETURN_IF_ERROR(Check());
    return owner_.CountCall(path_);
  }

 private:
  Status Keep(Status status) {
    if (!status.ok()) {
      failure_ = status;
      failure_.IgnoreError("returned now, and kept for the calls that follow");
    }
    return status;
  }

  Status Check() const {
    RETURN_IF_ERROR(failure_);
    return owner_.power_cuts_ == power_cuts_
               ? Status::Ok()
               : Status::IoError(StrCat(path_, ": opened before the power cut"));
  }

  MemoryFileSystem& owner_;
  std::string path_;
  std::shared_ptr<MemoryFileSystem::Inode> inode_;
  uint64_t power_cuts_;
  Status failure_;  // kept, as the posix file keeps it
  bool closed_ = false;
};

MemoryFileSystem::MemoryFileSystem() : directories_({"/", "."}) {}
MemoryFileSystem::~MemoryFileSystem() = default;

Status MemoryFileSystem::CountCall(std::string_view what) {
  ++call_count_;
  if (failing_call_ && *failing_call_ == call_count_) {
    failing_call_.reset();
    return Status::IoError(StrCat(what, ": call ", call_count_, " was told to fail"));
  }
  return Status::Ok();
}

void MemoryFileSystem::FailCall(uint64_t nth) {
  ASSERT(nth > 0);
  failing_call_ = call_count_ + nth;
}

Status MemoryFileSystem::CheckParent(const std::string& path) const {
  return directories_.contains(DirectoryOf(path)) ? Status::Ok() : Missing(DirectoryOf(path));
}

uint64_t MemoryFileSystem::UsedBytes() const {
  uint64_t used_bytes = 0;
  for (const auto& [name, inode] : names_) {
    used_bytes += inode->bytes.size();
  }
  return used_bytes;
}

Status MemoryFileSystem::AppendTo(Inode& inode, const std::string& path,
                                  std::span<const std::byte> bytes) {
  uint64_t const used_bytes = UsedBytes();
  uint64_t const free_bytes = capacity_bytes_ - std::min(capacity_bytes_, used_bytes);
  auto const fitting = bytes.first(std::min<uint64_t>(bytes.size(), free_bytes));
  inode.bytes.insert(inode.bytes.end(), fitting.begin(), fitting.end());
  if (fitting.size() < bytes.size()) {
    return Status::ResourceExhausted(StrCat(path, ": write: no space left after ", used_bytes,
                                            " of ", capacity_bytes_, " bytes"))
        .WithHint("Free disk space and try again.");
  }
  return Status::Ok();
}

Result<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::OpenForRead(const std::string& path) {
  RETURN_IF_ERROR(CountCall(path));
  auto const found = names_.find(path);
  if (found == names_.end()) {
    return directories_.contains(path) ? Status::IoError(StrCat(path, ": is a directory"))
                                       : Missing(path);
  }
  return std::make_unique<MemoryRandomAccessFile>(*this, path, found->second);
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::OpenForWrite(const std::string& path,
                                                                     bool truncate) {
  RETURN_IF_ERROR(CountCall(path));
  RETURN_IF_ERROR(CheckParent(path));
  if (directories_.contains(path)) {
    return Status::IoError(StrCat(path, ": is a directory"));
  }
  std::shared_ptr<Inode>& inode = names_[path];
  if (inode == nullptr) {
    inode = std::make_shared<Inode>();
  } else if (truncate) {
    inode->bytes.clear();
  }
  return std::make_unique<MemoryWritableFile>(*this, path, inode);
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::Create(const std::string& path) {
  return OpenForWrite(path, true);
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::OpenForAppend(const std::string& path) {
  return OpenForWrite(path, false);
}

Status MemoryFileSystem::Rename(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(CountCall(from));
  RETURN_IF_ERROR(CheckParent(to));
  auto const found = names_.find(from);
  if (found == names_.end()) {
    return Missing(from);
  }
  if (from != to) {
    std::shared_ptr<Inode> inode = found->second;
    names_.erase(found);
    names_[to] = std::move(inode);
  }
  return Status::Ok();
}

Status MemoryFileSystem::Remove(const std::string& path) {
  RETURN_IF_ERROR(CountCall(path));
  return names_.erase(path) == 1 ? Status::Ok() : Missing(path);
}

Result<bool> MemoryFileSystem::Exists(const std::string& path) {
  RETURN_IF_ERROR(CountCall(path));
  return names_.contains(path) || directories_.contains(path);
}

Result<std::vector<std::string>> MemoryFileSystem::List(const std::string& directory) {
  RETURN_IF_ERROR(CountCall(directory));
  if (!directories_.contains(directory)) {
    return Missing(directory);
  }
  std::set<std::string> found;
  auto const add = [&](const std::string& path) {
    if (path != directory && DirectoryOf(path) == directory) {
      found.insert(path.substr(path.rfind('/') + 1));
    }
  };
  for (const auto& [path, inode] : names_) {
    add(path);
  }
  std::for_each(directories_.begin(), directories_.end(), add);
  return std::vector<std::string>(found.begin(), found.end());
}

Status MemoryFileSystem::CreateDirectories(const std::string& path) {
  RETURN_IF_ERROR(CountCall(path));
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    directories_.insert(path.substr(0, end));
  }
  if (names_.contains(path)) {
    return Status::AlreadyExists(StrCat(path, ": is a file"));
  }
  directories_.insert(path);
  return Status::Ok();
}

Status MemoryFileSystem::SyncDirectory(const std::string& directory) {
  RETURN_IF_ERROR(CountCall(directory));
  if (!directories_.contains(directory)) {
    return Missing(directory);
  }
  std::erase_if(synced_names_,
                [&](const auto& entry) { return DirectoryOf(entry.first) == directory; });
  for (const auto& [path, inode] : names_) {
    if (DirectoryOf(path) == directory) {
      synced_names_[path] = inode;
    }
  }
  return Status::Ok();
}

void MemoryFileSystem::CutPower(Random* random) {
  ++power_cuts_;
  for (auto& [path, inode] : synced_names_) {
    std::vector<std::byte>& bytes = inode->bytes;
    const std::vector<std::byte>& synced = inode->synced_bytes;
    bool const only_grew =
        bytes.size() >= synced.size() && std::equal(synced.begin(), synced.end(), bytes.begin());
    if (random != nullptr && only_grew) {
      bytes.resize(synced.size() + random->Below(bytes.size() - synced.size() + 1));
    } else {
      bytes = synced;
    }
    inode->synced_bytes = bytes;
  }
  names_ = synced_names_;
}

}  // namespace orochi::io::testing
