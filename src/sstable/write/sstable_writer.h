#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/descriptor.h"
#include "sstable/format/layout.h"
#include "sstable/format/statistics.h"
#include "sstable/format/unfiltered.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/format/version.h"
#include "sstable/write/data_file_writer.h"
#include "sstable/write/row_encoder.h"

namespace orochi::sstable {

/// Of the names of all that is being written and is no component yet. No name of a component starts
/// so, for Cassandra as for us.
inline constexpr std::string_view kUnfinishedPrefix = "orochi-unfinished.";

struct WriterOptions {
  /// nb, oa or da.
  Version version = Version::Oa();
  /// The identifier in the file names; no SSTable of this name may be in the directory.
  std::string id = "1";
  std::optional<CompressionOptions> compression = CompressionOptions{};  // none: not compressed
  double bloom_fp_chance = 0.01;                                         // 1: no Filter.db
  /// Of the table; big formats only. Cassandra rebuilds a summary whose interval is not its
  /// table's.
  int32_t index_interval_min = 128;
  /// A partition's rows are indexed by blocks of about this size; 0 takes 64 KiB (big) or 16 KiB
  /// (bti).
  uint32_t row_block_size_bytes = 0;
  EncodingMinima minima;
  int32_t level = 0;
  int64_t repaired_at_ms = 0;
  /// Data.db is compressed, checksummed and written by a thread of its own, beside the one that
  /// calls. REQUIRES: a file system whose files may belong to different threads.
  bool compresses_in_thread = false;
};

/// What was written.
struct WrittenSstable {
  Descriptor descriptor;
  uint64_t partition_count = 0;
  uint64_t row_count = 0;
  uint64_t data_size_bytes = 0;    // uncompressed
  uint64_t stored_size_bytes = 0;  // of Data.db
};

/// Writes one SSTable from partitions, rows and markers that come in order.
///
/// All components are written under names that no reader takes for an SSTable's and get theirs when
/// all of them are complete and synced: Data.db last but one, TOC.txt last. So whatever is cut
/// short, by a crash or an error, no set of files looks complete that is not.
///
/// Life:    (StartPartition AddStatic? Add*)* -> Finish. Destroyed before Finish, or after an
///          error, it removes what it wrote. After an error every call answers kFailedPrecondition.
/// Threads: none, or one of its own.    Borrows: the file system.
/// Bounds:  a chunk of data, the row index of one partition, for every 128th partition its key, for
///          every partition ten bits of bloom filter; sixteen bytes a partition until Finish.
class SstableWriter {
 public:
  /// kInvalidArgument for options that do not fit each other or that no reader would take,
  /// kAlreadyExists when the directory has an SSTable of this name.
  static Result<std::unique_ptr<SstableWriter>> Create(io::FileSystem& files, std::string directory,
                                                       Layout layout, WriterOptions options);
  ~SstableWriter();

  /// Ends the partition before. kInvalidArgument when the key does not come after the last one.
  Status StartPartition(Bytes key, const DeletionTime& deletion);
  /// REQUIRES: no row or marker of the partition was added.
  Status AddStatic(const Unfiltered& row);
  /// Rows and markers in clustering order; what a marker opens, the next one closes.
  Status Add(const Unfiltered& unfiltered);
  /// Writes the rest and gives the files their names. kFailedPrecondition without any partition:
  /// an SSTable has at least one.
  Result<WrittenSstable> Finish();

  /// So far, uncompressed.
  uint64_t data_size_bytes() const;

 private:
  struct Parts;
  explicit SstableWriter(std::unique_ptr<Parts> parts);

  Status DoStartPartition(Bytes key, const DeletionTime& deletion);
  Status DoAddStatic(const Unfiltered& row);
  Status DoAdd(const Unfiltered& unfiltered);
  Result<WrittenSstable> DoFinish();
  Status CheckOrder(const Unfiltered& unfiltered) const;
  Status FlushHead();
  void StartBlock(const Unfiltered& unfiltered, uint64_t offset_bytes);
  Status FinishBlock();
  Status FinishPartition();
  Status WriteComponents();
  Status Publish();
  Status Keep(Status status);

  std::unique_ptr<Parts> parts_;
};

/// Copies the rest of `stream` into `writer`, whose layout has the same columns.
Status WriteStream(UnfilteredStream& stream, SstableWriter& writer);

}  // namespace orochi::sstable
