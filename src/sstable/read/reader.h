#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/descriptor.h"
#include "sstable/format/layout.h"
#include "sstable/format/statistics.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/read/data_file.h"

namespace orochi::sstable {

struct ReaderOptions {
  bool verify_checksums = true;
  /// How much a scan reads and expands at a time.
  size_t scan_size_bytes = 256 * 1024;
  /// A row that needs more memory is refused with kResourceExhausted.
  uint64_t row_size_bytes_max = uint64_t{256} << 20;
};

/// One SSTable: the files of one descriptor in one directory, which are only ever read.
///
/// Life:    Open; outlives its streams.    Borrows: the file system.
/// Threads: any number of streams, each in one thread.
/// Errors:  name the file and, for wrong bytes, the offset in it.
class SstableReader {
 public:
  /// Reads Statistics.db and CompressionInfo.db; the indexes are loaded when first needed.
  /// kNotFound and kCorruption when a component that TOC.txt lists is missing.
  static Result<std::unique_ptr<SstableReader>> Open(io::FileSystem& files,
                                                     const std::string& directory,
                                                     const Descriptor& descriptor,
                                                     const ReaderOptions& options = {});
  ~SstableReader();

  const Descriptor& descriptor() const { return descriptor_; }
  const Statistics& statistics() const { return statistics_; }
  const Layout& layout() const { return layout_; }
  const DataFile& data() const { return *data_; }

  /// Every partition with every row.
  std::unique_ptr<UnfilteredStream> Scan() const;

 private:
  struct State;
  SstableReader(io::FileSystem& files, std::string directory, Descriptor descriptor,
                const ReaderOptions& options);
  Status Load();
  std::string PathOf(Component component) const;

  io::FileSystem& files_;
  std::string directory_;
  Descriptor descriptor_;
  ReaderOptions options_;
  Statistics statistics_;
  Layout layout_;
  std::unique_ptr<DataFile> data_;
  std::unique_ptr<State> state_;
};

}  // namespace orochi::sstable
