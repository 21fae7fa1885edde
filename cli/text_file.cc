#include "cli/text_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/str_cat.h"

namespace orochi::cli {

Result<std::string> ReadTextFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::string const message = StrCat("cannot read ", path.string(), ": ", strerror(errno));
    return errno == ENOENT   ? Status::NotFound(message)
           : errno == EACCES ? Status::PermissionDenied(message)
                             : Status::IoError(message);
  }
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

Status WriteTextFile(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::path const draft = path.string() + ".new";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) {
    return Status::IoError(StrCat("cannot write ", draft.string(), ": ", strerror(errno)));
  }
  std::error_code error;
  std::filesystem::rename(draft, path, error);
  if (error) {
    return Status::IoError(StrCat("cannot write ", path.string(), ": ", error.message()));
  }
  return Status::Ok();
}

std::string LastLines(const std::filesystem::path& path, size_t line_count) {
  constexpr std::streamoff kTailSizeBytesMax = 64 * 1024;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::streamoff const size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
  std::string tail(static_cast<size_t>(std::min(size, kTailSizeBytesMax)), '\0');
  file.seekg(size - static_cast<std::streamoff>(tail.size()));
  if (!file.read(tail.data(), static_cast<std::streamsize>(tail.size()))) {
    return {};
  }
  while (!tail.empty() && tail.back() == '\n') {
    tail.pop_back();
  }
  size_t begin = tail.size();
  for (size_t line = 0; line < line_count && begin != std::string::npos; ++line) {
    begin = begin == 0 ? std::string::npos : tail.rfind('\n', begin - 1);
  }
  return begin == std::string::npos ? tail : tail.substr(begin + 1);
}

}  // namespace orochi::cli
