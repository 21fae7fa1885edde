#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/change/change_buffer.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {

struct LoadOptions {
  WriterOptions writer;         // the id is chosen by Finish
  uint64_t size_bytes_max = 0;  // of an SSTable's uncompressed data; 0: one SSTable
  /// Above this, changes are sorted and written to `scratch_directory`, and merged at the end.
  uint64_t memory_bytes_max = uint64_t{256} << 20;
  std::string scratch_directory;
};

/// Writes SSTables of one table from changes in any order.
///
/// Life:    Add* -> Finish.    Threads: none.    Borrows: the file system.
/// Bounds:  memory_bytes_max of changes and what sorting them needs on top. Scratch files are
///          removed by Finish; after an error they stay for the caller to remove with the
///          directory.
class TableLoader {
 public:
  TableLoader(io::FileSystem& files, std::string directory, Layout layout, LoadOptions options);

  Status Add(RowChange change);
  /// Empty when there was no change.
  Result<std::vector<WrittenSstable>> Finish();
  uint64_t change_count() const { return change_count_; }

 private:
  Status Spill();
  Status RemoveScratch(const Descriptor& descriptor);

  io::FileSystem& files_;
  std::string directory_;
  Layout layout_;
  LoadOptions options_;
  ChangeBuffer buffer_;
  std::vector<Descriptor> runs_;
  uint64_t change_count_ = 0;
};

}  // namespace orochi::sstable
