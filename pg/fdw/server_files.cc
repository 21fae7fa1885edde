#include "pg/fdw/server_files.h"

#include <fcntl.h>

#include "base/str_cat.h"
#include "pg/injection.h"

extern "C" {
#include "storage/fd.h"
#include "utils/wait_event.h"
}

namespace orochi::pg {
namespace {

Status SystemError(const std::string& path, std::string_view call, int error) {
  std::string const message =
      StrCat(path, ": ", call, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return Status::NotFound(message);
    case EACCES:
    case EPERM:
      return Status::PermissionDenied(message).WithHint(
          "The operating system user of the server must be able to read it.");
    default:
      return Status::IoError(message);
  }
}

class VirtualFile final : public io::RandomAccessFile {
 public:
  VirtualFile(std::string path, File file) : path_(std::move(path)), file_(file) {}
  ~VirtualFile() override { FileClose(file_); }

  Status ReadExact(uint64_t offset_bytes, std::span<std::byte> out) const override {
    CheckInterrupts();
    size_t done = 0;
    while (done < out.size()) {
      auto* const at = reinterpret_cast<char*>(out.data() + done);
      auto const want = static_cast<int>(std::min<size_t>(out.size() - done, kReadSizeBytesMax));
      auto const offset = static_cast<off_t>(offset_bytes + done);
      int const count =
          TryPg([&]() noexcept { return FileRead(file_, at, want, offset, PG_WAIT_EXTENSION); });
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
    off_t const size = TryPg([&]() noexcept { return FileSize(file_); });
    if (size < 0) {
      return SystemError(path_, "seek", errno);
    }
    return static_cast<uint64_t>(size);
  }

 private:
  static constexpr size_t kReadSizeBytesMax = size_t{1} << 30;
  std::string path_;
  File file_;
};

// Checks for interrupts while somebody writes.
class InterruptibleFile final : public io::WritableFile {
 public:
  explicit InterruptibleFile(std::unique_ptr<io::WritableFile> file) : file_(std::move(file)) {}
  Status Append(std::span<const std::byte> bytes) override {
    CheckInterrupts();
    INJECTION_POINT("export_file_change");
    return file_->Append(bytes);
  }
  Status Sync() override { return file_->Sync(); }
  Status Close() override { return file_->Close(); }

 private:
  std::unique_ptr<io::WritableFile> file_;
};

}  // namespace

Result<std::unique_ptr<io::RandomAccessFile>> ServerFiles::OpenForRead(const std::string& path) {
  CheckInterrupts();
  std::string owned = path;  // before there is a file to lose
  File const file =
      TryPg([&]() noexcept { return PathNameOpenFile(path.c_str(), O_RDONLY | PG_BINARY); });
  if (file < 0) {
    return SystemError(path, "open", errno);
  }
  struct Closer {
    File file;
    ~Closer() {
      if (file >= 0) {
        FileClose(file);
      }
    }
  } closer{file};
  auto opened = std::make_unique<VirtualFile>(std::move(owned), file);
  closer.file = -1;
  return opened;
}

Result<std::unique_ptr<io::WritableFile>> ServerFiles::Create(const std::string& path) {
  ASSIGN_OR_RETURN(auto file, posix_.Create(path));
  return std::make_unique<InterruptibleFile>(std::move(file));
}

Result<std::unique_ptr<io::WritableFile>> ServerFiles::OpenForAppend(const std::string& path) {
  ASSIGN_OR_RETURN(auto file, posix_.OpenForAppend(path));
  return std::make_unique<InterruptibleFile>(std::move(file));
}

Status ServerFiles::Rename(const std::string& from, const std::string& to) {
  INJECTION_POINT("export_file_change");
  return posix_.Rename(from, to);
}

Status ServerFiles::Remove(const std::string& path) {
  return posix_.Remove(path);
}

Result<bool> ServerFiles::Exists(const std::string& path) {
  return posix_.Exists(path);
}

Result<std::vector<std::string>> ServerFiles::List(const std::string& directory) {
  return posix_.List(directory);
}

Status ServerFiles::CreateDirectories(const std::string& path) {
  return posix_.CreateDirectories(path);
}

Status ServerFiles::SyncDirectory(const std::string& directory) {
  INJECTION_POINT("export_file_change");
  return posix_.SyncDirectory(directory);
}

}  // namespace orochi::pg
