#include "io/posix/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "base/str_cat.h"

namespace orochi::io {
namespace {

Status Failed(const std::string& path, std::string_view call, int error) {
  std::string message = StrCat(path, ": ", call, ": ", std::generic_category().message(error));
  return error == ENOENT                      ? Status::NotFound(std::move(message))
         : error == ENOSPC || error == EDQUOT ? Status::ResourceExhausted(std::move(message))
         : error == EACCES || error == EPERM || error == EROFS
             ? Status::PermissionDenied(std::move(message))
             : Status::IoError(std::move(message));
}

int OpenRetrying(const std::string& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

Status WriteAll(const std::string& path, int descriptor, uint64_t offset_bytes,
                std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t const count =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset_bytes));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Failed(path, "write", errno);
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset_bytes += static_cast<uint64_t>(count);
  }
  return Status::Ok();
}

}  // namespace

Status DurableFile::CreateZeroed(const std::string& path, uint64_t size_bytes) {
  constexpr uint64_t kChunkBytes = 1 << 20;
  int const descriptor = OpenRetrying(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (descriptor < 0) {
    return Failed(path, "create", errno);
  }
  DurableFile const file(path, descriptor, Mode::kDataSync);
  std::vector<std::byte> const zeros(std::min(kChunkBytes, size_bytes));
  for (uint64_t at = 0; at < size_bytes; at += kChunkBytes) {
    uint64_t const chunk_bytes = std::min(kChunkBytes, size_bytes - at);
    RETURN_IF_ERROR(WriteAll(path, descriptor, at, std::span(zeros).first(chunk_bytes)));
  }
  return ::fdatasync(descriptor) == 0 ? Status::Ok() : Failed(path, "fdatasync", errno);
}

Result<DurableFile> DurableFile::Open(const std::string& path, Mode mode) {
  int descriptor = -1;
  if (mode == Mode::kDirect) {
    descriptor = OpenRetrying(path, O_RDWR | O_DIRECT | O_DSYNC);
    if (descriptor < 0 && errno == EINVAL) {  // a file system without direct I/O
      mode = Mode::kDataSync;
    }
  }
  if (mode == Mode::kDataSync) {
    descriptor = OpenRetrying(path, O_RDWR);
  }
  if (descriptor < 0) {
    return Failed(path, "open", errno);
  }
  return DurableFile(path, descriptor, mode);
}

DurableFile::DurableFile(DurableFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      mode_(other.mode_) {}

DurableFile& DurableFile::operator=(DurableFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  mode_ = other.mode_;
  return *this;
}

DurableFile::~DurableFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Status DurableFile::Write(uint64_t offset_bytes, std::span<const std::byte> bytes) {
  RETURN_IF_ERROR(WriteAll(path_, descriptor_, offset_bytes, bytes));
  return mode_ == Mode::kDirect ? Status::Ok() : Sync();
}

Status DurableFile::Sync() {
  return ::fdatasync(descriptor_) == 0 ? Status::Ok() : Failed(path_, "fdatasync", errno);
}

Status DurableFile::Read(uint64_t offset_bytes, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    ssize_t const count =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset_bytes));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Failed(path_, "read", errno);
    }
    if (count == 0) {
      return Status::OutOfRange(StrCat(path_, ": read at ", offset_bytes, " meets the end, ",
                                       bytes.size(), " bytes before its own"));
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset_bytes += static_cast<uint64_t>(count);
  }
  return Status::Ok();
}

Result<uint64_t> DurableFile::SizeBytes() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) {
    return Failed(path_, "stat", errno);
  }
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace orochi::io
