#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "sstable/change/output_directory.h"
#include "sstable/change/writer_options.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::cli {

/// How and where subcommands that write SSTables write them, as asked for on the command line.
struct OutputOptions {
  std::string directory;
  std::string format;       // empty: as the command decides
  std::string compression;  // empty: as the command decides
  uint32_t chunk_kb = 0;    // 0: as the command decides
  uint64_t size_mb_max = 0;
  int threads = 1;

  /// The defaults of format and compression are for the help. `may_split`: the command can make
  /// several SSTables of what it is given.
  void AddTo(CLI::App& command, const std::string& format_default,
             const std::string& compression_default, bool may_split = true);

  /// Held while SSTables are written: two writers would take the same names.
  Result<sstable::OutputDirectory> Open() const {
    return sstable::OutputDirectory::Open(directory);
  }
  uint64_t size_bytes_max() const { return size_mb_max << 20; }
  /// Puts what was asked for in the place of what is in `options`.
  Status Apply(sstable::WriterOptions& options) const;
};

using sstable::WriterOptionsOf;

/// One line for what was written: files, partitions, rows, sizes; on standard output.
Status ReportWritten(const std::string& directory,
                     const std::vector<sstable::WrittenSstable>& written);

/// kFailedPrecondition when `directory` is one of those that `paths` name: what is read is never
/// changed.
Status CheckApart(const std::string& directory, const std::vector<std::string>& paths);

}  // namespace orochi::cli
