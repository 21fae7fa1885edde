#include "pg/fdw/export_directory.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "base/str_cat.h"
#include "sstable/format/descriptor.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::pg {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kReadableByAll = S_IWGRP | S_IWOTH;

}  // namespace

ExportDirectory::ExportDirectory(std::string path)
    : path_(std::move(path)), umask_(umask(kReadableByAll)) {}

Result<std::unique_ptr<ExportDirectory>> ExportDirectory::Make(const std::string& path) {
  std::unique_ptr<ExportDirectory> directory(new ExportDirectory(path));
  directory->keep_ = true;  // until it is known that what is in it is ours
  std::error_code error;
  fs::file_status const status = fs::status(path, error);
  directory->was_there_ = fs::exists(status);
  if (directory->was_there_ && !fs::is_directory(status)) {
    return Status::AlreadyExists(StrCat(path, " is there and no directory"));
  }
  fs::create_directories(path, error);
  if (error == std::errc::permission_denied) {
    return Status::PermissionDenied(StrCat(path, ": ", error.message()))
        .WithHint("The operating system user of the server must be able to write there.");
  }
  if (error) {
    return Status::IoError(StrCat(path, ": ", error.message()));
  }
  ASSIGN_OR_RETURN(directory->output_, sstable::OutputDirectory::Open(path));
  bool const is_empty = fs::is_empty(path, error);
  if (!error && !is_empty) {
    return Status::AlreadyExists(StrCat("directory ", path, " is not empty"))
        .WithHint("SSTables are exported into a directory of their own.");
  }
  if (error) {
    return Status::IoError(StrCat(path, ": ", error.message()));
  }
  directory->keep_ = false;
  return directory;
}

ExportDirectory::~ExportDirectory() {
  std::error_code ignored;  // what is left has names that nobody takes for a complete SSTable
  if (!keep_) {
    output_->RemoveScratch();
    // TOC.txt first: without it an SSTable is not complete.
    for (bool const contents : {true, false}) {
      for (fs::directory_iterator entry(path_, ignored), end; !ignored && entry != end;
           entry.increment(ignored)) {
        std::string const name = entry->path().filename().string();
        auto const parsed = sstable::Descriptor::Parse(name);
        bool const is_ours = parsed.ok() || name.starts_with(sstable::kUnfinishedPrefix);
        if (is_ours && name.ends_with("TOC.txt") == contents) {
          std::error_code failed;
          fs::remove(entry->path(), failed);
        }
      }
    }
    if (!was_there_) {
      fs::remove(path_, ignored);
    }
  }
  umask(umask_);
}

}  // namespace orochi::pg
