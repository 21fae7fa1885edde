#include "kv/server/data_directory.h"

#include <algorithm>
#include <span>

#include "base/str_cat.h"

namespace orochi::kv {
namespace {

constexpr uint64_t kClaimSizeBytesMax = 4096;

std::string ClaimOf(const std::string& cluster, NodeNumber number) {
  return StrCat("orochi-kvd 1\ncluster ", cluster, "\nnode ", number.value(), "\n");
}

Result<std::string> ReadClaim(io::FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(auto const file, files.OpenForRead(path));
  ASSIGN_OR_RETURN(uint64_t const size_bytes, file->SizeBytes());
  std::string claim(std::min(size_bytes, kClaimSizeBytesMax), '\0');
  RETURN_IF_ERROR(file->ReadExact(0, std::as_writable_bytes(std::span(claim))));
  return claim;
}

}  // namespace

Result<bool> EnterDataDirectory(io::FileSystem& files, const std::string& directory,
                                const std::string& cluster, NodeNumber number) {
  RETURN_IF_ERROR(files.CreateDirectories(directory));
  std::string const path = directory + "/node";
  ASSIGN_OR_RETURN(bool const claimed, files.Exists(path));
  if (!claimed) {
    ASSIGN_OR_RETURN(bool const has_log, files.Exists(directory + "/log"));
    ASSIGN_OR_RETURN(bool const has_state, files.Exists(directory + "/state"));
    if (has_log || has_state) {
      return Status::FailedPrecondition(
                 StrCat(directory, " has a log or a state, and no file 'node' that says whose"))
          .WithHint(
              "If this node has never run, remove 'log' and 'state' and start it again. If it has, "
              "its votes may be lost: let it join as another node with an empty directory.");
    }
    return false;
  }
  ASSIGN_OR_RETURN(std::string const found, ReadClaim(files, path));
  if (found != ClaimOf(cluster, number)) {
    return Status::FailedPrecondition(StrCat(path, " is not of node ", number.value(),
                                             " of cluster '", cluster, "': it says '",
                                             found.substr(0, 200), "'"))
        .WithHint("Each node has a data directory of its own.");
  }
  return true;
}

Status ClaimDataDirectory(io::FileSystem& files, const std::string& directory,
                          const std::string& cluster, NodeNumber number) {
  std::string const path = directory + "/node";
  std::string const temporary = path + ".new";
  std::string const claim = ClaimOf(cluster, number);
  ASSIGN_OR_RETURN(auto const file, files.Create(temporary));
  RETURN_IF_ERROR(file->Append(std::as_bytes(std::span(claim))));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(file->Close());
  RETURN_IF_ERROR(files.Rename(temporary, path));
  return files.SyncDirectory(directory);
}

}  // namespace orochi::kv
