#include "sstable/change/output_directory.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "base/str_cat.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {

namespace fs = std::filesystem;

namespace {

Status Failed(const fs::path& path, const std::error_code& error) {
  std::string const text = StrCat(path.string(), ", left by a writer that was killed, cannot be ",
                                  "removed: ", error.message());
  return error == std::errc::permission_denied || error == std::errc::operation_not_permitted
             ? Status::PermissionDenied(text)
             : Status::IoError(text);
}

}  // namespace

Result<OutputDirectory> OutputDirectory::Open(const std::string& path) {
  ASSIGN_OR_RETURN(io::DirectoryLock lock, io::DirectoryLock::Acquire(path));
  OutputDirectory directory(path, std::move(lock));
  RETURN_IF_ERROR(directory.RemoveUnfinished());
  return directory;
}

Status OutputDirectory::RemoveUnfinished() {
  std::error_code error;
  std::vector<fs::path> left_over;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kUnfinishedPrefix)) {
      left_over.push_back(entry->path());
    }
  }
  if (error) {
    return Status::IoError(StrCat(path_, ": ", error.message()));
  }
  for (const fs::path& path : left_over) {
    fs::remove_all(path, error);
    if (error) {
      return Failed(path, error);
    }
  }
  return Status::Ok();
}

OutputDirectory::~OutputDirectory() {
  if (!path_.empty()) {
    RemoveScratch();
  }
}

void OutputDirectory::RemoveScratch() {
  std::error_code ignored;  // what is left has a name that nobody reads
  fs::remove_all(scratch(), ignored);
}

std::string OutputDirectory::scratch() const {
  return StrCat(path_, "/", kUnfinishedPrefix, "sort");
}

}  // namespace orochi::sstable
