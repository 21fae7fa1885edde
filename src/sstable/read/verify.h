#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/descriptor.h"
#include "sstable/read/reader.h"

namespace orochi::sstable {

/// What Verify found. Without findings every check of its list passed.
struct VerifyReport {
  static constexpr size_t kFindingsMax = 100;

  /// Each names the file and, where there is one, the offset. At most kFindingsMax, then counted.
  std::vector<std::string> findings;
  uint64_t findings_left_out = 0;
  uint64_t partitions = 0;
  uint64_t rows = 0;  // markers not counted, static rows that say something counted
  uint64_t cells = 0;

  bool good() const { return findings.empty(); }
};

/// Reads everything that the SSTable has and compares what stands in two places:
///   - TOC.txt lists what is there; Digest.crc32 is Data.db's; all checksums
///   - partitions in token order and rows in clustering order, none twice; every size field;
///     deletion times that can be meant; counters made of whole shards
///   - Statistics.db: count of rows, extremes of timestamps, first and last key
///   - every partition is in Filter.db and at its place in Index.db or Partitions.db; the samples
///   of
///     Summary.db; row indexes point at rows and their headers say what Data.db says
/// An error is only for what stops the work from outside: a file that the system cannot read.
Result<VerifyReport> Verify(io::FileSystem& files, const std::string& directory,
                            const Descriptor& descriptor, const ReaderOptions& options = {});

}  // namespace orochi::sstable
