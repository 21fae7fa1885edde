#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/version.h"

namespace orochi::sstable {

/// The files of one SSTable.
enum class Component : uint8_t {
  kData,
  kIndex,       // big
  kSummary,     // big
  kPartitions,  // bti
  kRows,        // bti
  kFilter,      // absent when the table's false positive chance is 1
  kStatistics,
  kCompressionInfo,  // compressed tables only
  kCrc,              // uncompressed tables only
  kDigest,
  kToc,  // written last: without it the set is not complete
};

/// "Data.db", "Digest.crc32", "TOC.txt", ...
std::string_view ComponentFileName(Component component);

/// What the name of an SSTable's file says:
///   nb-7-big-Data.db, da-3gqb_0kb4_2eh0g2n7vy8j5r6i0h-bti-Rows.db.
/// The identifier is a decimal generation or a time-based one of 28 characters, kept as text.
struct Descriptor {
  Version version;
  std::string id;

  /// Takes the name of any component. kInvalidArgument when it is no SSTable's, kUnsupported for a
  /// version that cannot be read.
  static Result<Descriptor> Parse(std::string_view file_name);

  /// "nb-7-big"
  std::string Stem() const;
  /// "nb-7-big-Data.db"
  std::string FileName(Component component) const;

  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

/// The SSTables of `directory` by their Data.db files, ordered by generation and then by name.
/// Other files, sub-directories and components of unfinished SSTables are passed over; an SSTable
/// of a version that cannot be read is an error, so that its rows are not silently missing.
Result<std::vector<Descriptor>> ListSstables(io::FileSystem& files, const std::string& directory);

}  // namespace orochi::sstable
