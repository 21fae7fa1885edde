#include "io/posix/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::io {
namespace {

constexpr size_t kWriteBufferBytes = 64u << 10;
constexpr mode_t kFileMode = 0666;
constexpr mode_t kDirectoryMode = 0777;

Status SystemError(std::string_view path, std::string_view call, int error) {
  std::string message = StrCat(path, ": ", call, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return Status::NotFound(std::move(message));
    case ENOSPC:
    case EDQUOT:
      return Status::ResourceExhausted(std::move(message))
          .WithHint("Free disk space and try again.");
    case EACCES:
    case EPERM:
    case EROFS:
      return Status::PermissionDenied(std::move(message));
    case EEXIST:
      return Status::AlreadyExists(std::move(message));
    default:
      return Status::IoError(std::move(message));
  }
}

// Closes on destruction; -1 holds nothing.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Result<Descriptor> Open(const std::string& path, int flags) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    return SystemError(path, "open", errno);
  }
  return Descriptor(fd);
}

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  Status ReadExact(uint64_t offset_bytes, std::span<std::byte> out) const override {
    size_t done = 0;
    while (done < out.size()) {
      ssize_t const count = ::pread(descriptor_.get(), out.data() + done, out.size() - done,
                                    static_cast<off_t>(offset_bytes + done));
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count < 0) {
        return SystemError(path_, "read", errno);
      }
      if (count == 0) {
        return Status::OutOfRange(StrCat(path_, ": read of ", out.size(), " bytes at ",
                                         offset_bytes, " meets the end after ", done));
      }
      done += static_cast<size_t>(count);
    }
    return Status::Ok();
  }

  Result<uint64_t> SizeBytes() const override {
    struct stat info {};
    if (::fstat(descriptor_.get(), &info) != 0) {
      return SystemError(path_, "stat", errno);
    }
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  std::string path_;
  Descriptor descriptor_;
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {
    buffer_.reserve(kWriteBufferBytes);
  }

  Status Append(std::span<const std::byte> bytes) override {
    ASSERT(!closed_);
    RETURN_IF_ERROR(failure_);
    if (buffer_.size() + bytes.size() <= kWriteBufferBytes) {
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
      return Status::Ok();
    }
    RETURN_IF_ERROR(Flush());
    if (bytes.size() >= kWriteBufferBytes) {
      return Keep(Write(bytes));
    }
    buffer_.assign(bytes.begin(), bytes.end());
    return Status::Ok();
  }

  Status Sync() override {
    ASSERT(!closed_);
    RETURN_IF_ERROR(failure_);
    RETURN_IF_ERROR(Flush());
    return Keep(::fsync(descriptor_.get()) == 0 ? Status::Ok()
                                                : SystemError(path_, "fsync", errno));
  }

  Status Close() override {
    ASSERT(!closed_);
    closed_ = true;
    RETURN_IF_ERROR(failure_);
    RETURN_IF_ERROR(Flush());
    // Not repeated on EINTR: Linux has closed the descriptor, whose number may be reused by now.
    if (::close(descriptor_.Release()) != 0 && errno != EINTR) {
      return SystemError(path_, "close", errno);
    }
    return Status::Ok();
  }

 private:
  Status Keep(Status status) {
    if (!status.ok()) {
      failure_ = status;
      failure_.IgnoreError("returned now, and kept for the calls that follow");
    }
    return status;
  }

  Status Flush() {
    Status status = Keep(Write(buffer_));
    buffer_.clear();
    return status;
  }

  Status Write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      ssize_t const count = ::write(descriptor_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count < 0) {
        return SystemError(path_, "write", errno);
      }
      bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return Status::Ok();
  }

  std::string path_;
  Descriptor descriptor_;
  std::vector<std::byte> buffer_;
  Status failure_;
  bool closed_ = false;
};

Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path, int flags) {
  ASSIGN_OR_RETURN(Descriptor descriptor, Open(path, O_WRONLY | O_CREAT | flags));
  return std::make_unique<PosixWritableFile>(path, std::move(descriptor));
}

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Result<std::unique_ptr<RandomAccessFile>> PosixFileSystem::OpenForRead(const std::string& path) {
  ASSIGN_OR_RETURN(Descriptor descriptor, Open(path, O_RDONLY));
  struct stat info {};
  if (::fstat(descriptor.get(), &info) != 0) {
    return SystemError(path, "stat", errno);
  }
  if (S_ISDIR(info.st_mode)) {  // opens, and then fails every read
    return SystemError(path, "open", EISDIR);
  }
  return std::make_unique<PosixRandomAccessFile>(path, std::move(descriptor));
}

Result<std::unique_ptr<WritableFile>> PosixFileSystem::Create(const std::string& path) {
  return OpenForWrite(path, O_TRUNC);
}

Result<std::unique_ptr<WritableFile>> PosixFileSystem::OpenForAppend(const std::string& path) {
  return OpenForWrite(path, O_APPEND);
}

Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return SystemError(StrCat(from, " to ", to), "rename", errno);
  }
  return Status::Ok();
}

Status PosixFileSystem::Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    return SystemError(path, "remove", errno);
  }
  return Status::Ok();
}

Result<bool> PosixFileSystem::Exists(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    return true;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return false;
  }
  return SystemError(path, "stat", errno);
}

Result<std::vector<std::string>> PosixFileSystem::List(const std::string& directory) {
  std::unique_ptr<DIR, int (*)(DIR*)> const stream(::opendir(directory.c_str()), &::closedir);
  if (stream == nullptr) {
    return SystemError(directory, "open directory", errno);
  }
  std::vector<std::string> names;
  errno = 0;
  for (const dirent* entry = ::readdir(stream.get()); entry != nullptr;
       entry = ::readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") {
      names.push_back(std::move(name));
    }
    errno = 0;
  }
  if (errno != 0) {
    return SystemError(directory, "read directory", errno);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFileSystem::CreateDirectories(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    std::string const parent = path.substr(0, end);
    if (!IsDirectory(parent) && ::mkdir(parent.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
      return SystemError(parent, "create directory", errno);
    }
  }
  if (IsDirectory(path)) {
    return Status::Ok();
  }
  if (::mkdir(path.c_str(), kDirectoryMode) != 0 && !IsDirectory(path)) {
    return SystemError(path, "create directory", errno);
  }
  return Status::Ok();
}

Status PosixFileSystem::SyncDirectory(const std::string& directory) {
  ASSIGN_OR_RETURN(Descriptor const descriptor, Open(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(descriptor.get()) != 0) {
    return SystemError(directory, "fsync", errno);
  }
  return Status::Ok();
}

}  // namespace orochi::io
