#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/bloom_filter.h"
#include "sstable/format/descriptor.h"
#include "sstable/format/layout.h"
#include "sstable/format/selection.h"
#include "sstable/format/statistics.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/read/components.h"
#include "sstable/read/data_file.h"

namespace orochi::sstable {

namespace internal {
class PartitionIndex;
}

struct ReaderOptions {
  bool verify_checksums = true;
  /// How much a scan reads and expands at a time.
  size_t scan_size_bytes = 256 * 1024;
  /// A row that is longer than this, and than what is read at a time, is refused with
  /// kResourceExhausted.
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
  /// The partitions of a range, with the rows of a selection.
  Result<std::unique_ptr<UnfilteredStream>> Scan(PartitionRange range,
                                                 RowSelection selection = {}) const;
  /// The partition of `key`, or a stream of none. Wide partitions are read from where the selection
  /// starts. Uses the bloom filter first.
  Result<std::unique_ptr<UnfilteredStream>> Lookup(Bytes key, RowSelection selection = {}) const;
  /// False when the partition is certainly not there: the bloom filter or the range of keys says
  /// so.
  Result<bool> MayContain(Bytes key) const;

  /// Loads what lookups need now rather than with the first one.
  Status LoadIndex() const;
  /// Nothing where the SSTable has no filter. Loads it.
  Result<const BloomFilter*> Filter() const;
  const ComponentSet& components() const;
  std::string PathOf(Component component) const;

 private:
  struct State;
  SstableReader(io::FileSystem& files, std::string directory, Descriptor descriptor,
                const ReaderOptions& options);
  Status Load();
  Result<const internal::PartitionIndex*> Index() const;

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
