#pragma once

#include "base/result.h"
#include "sstable/change/output_directory.h"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

namespace orochi::pg {

/// A directory that is made for an export, or was empty. Unless Keep is called, the SSTables
/// in it are removed at the end, and so is the directory if it was made: an export is complete or
/// absent. Files are readable by everyone meanwhile, as those of COPY are: Cassandra is another
/// user.
class ExportDirectory {
 public:
  /// kAlreadyExists when something is there, kFailedPrecondition when another export writes there.
  static Result<std::unique_ptr<ExportDirectory>> Make(const std::string& path);
  ~ExportDirectory();
  ExportDirectory(const ExportDirectory&) = delete;
  ExportDirectory& operator=(const ExportDirectory&) = delete;

  const std::string& path() const { return path_; }
  /// For sorted runs; removed at the end in any case.
  std::string scratch() const { return output_->scratch(); }
  void Keep() { keep_ = true; }

 private:
  explicit ExportDirectory(std::string path);

  std::string path_;
  std::optional<sstable::OutputDirectory> output_;
  bool was_there_ = false;
  bool keep_ = false;
  mode_t umask_;
};

}  // namespace orochi::pg
