#include "kv/http/file_content.h"

#include <span>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"

namespace orochi::kv::http {

Result<std::string> ReadWholeFile(const std::string& path) {
  io::PosixFileSystem files;
  auto const file = files.OpenForRead(path);
  if (!file.ok()) {
    return Status::InvalidArgument(file.status().message());
  }
  ASSIGN_OR_RETURN(uint64_t const size_bytes, (*file)->SizeBytes());
  if (size_bytes > kSettingsFileSizeBytesMax) {
    return Status::InvalidArgument(
        StrCat(path, ": found ", size_bytes, " bytes, at most ", kSettingsFileSizeBytesMax));
  }
  std::string content(size_bytes, '\0');
  if (Status read = (*file)->ReadExact(0, std::as_writable_bytes(std::span(content))); !read.ok()) {
    return Status::InvalidArgument(StrCat(path, ": ", read.message()));
  }
  return content;
}

}  // namespace orochi::kv::http
