#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "sstable/format/layout.h"
#include "sstable/format/unfiltered.h"
#include "sstable/format/version.h"
#include "sstable/write/row_buffer.h"

namespace orochi::sstable {

/// What timestamps, deletion times and TTLs of one SSTable are stored relative to. Any values are
/// right; those close below the smallest in the table make the file small.
struct EncodingMinima {
  int64_t timestamp = SerializationHeader::kTimestampEpoch;
  uint32_t local_deletion_time = SerializationHeader::kDeletionTimeEpoch;
  int32_t ttl = 0;
};

/// The bytes of rows, markers and partition heads in Data.db.
///
///   partition  u16 key size, key, deletion (absolute), static row where the table has statics
///   deletion   nb: i32 time, i64 timestamp; oa, da: 0x80 for live, else i64 timestamp, u32 time
///   row        u8 flags, [u8 more flags], clustering values, vint body size, vint size of the
///              previous row or marker, [liveness], [deletion], [columns that are missing], cells
///   marker     u8 flags, bound, vint body size, vint previous size, one deletion or two
///   cell       u8 flags, [vint timestamp], [vint time], [vint ttl], [vint + path], [value]
///
/// Life:    as long as the writer.    Threads: none.    Borrows: the layout.
class RowEncoder {
 public:
  RowEncoder(const Layout& layout, Version version, EncodingMinima minima);

  /// kInvalidArgument for a deletion whose timestamp the version has no form for.
  Status AppendDeletion(std::vector<std::byte>& out, const DeletionTime& deletion) const;
  /// The static row; `row` may be empty. REQUIRES: the layout has static columns.
  Status AppendStatic(std::vector<std::byte>& out, const Unfiltered& row);
  /// A row or a marker. `previous_size_bytes` is the distance from the start of the previous row or
  /// marker, or from the partition's start for the first. kInvalidArgument for what does not fit
  /// the layout: nothing that was appended is to be used then.
  Status Append(std::vector<std::byte>& out, const Unfiltered& unfiltered,
                uint64_t previous_size_bytes);

  /// Where the clustering of what was appended last stands in `out`: of a row its values, of a
  /// marker its bound with the kind.
  size_t clustering_begin() const { return clustering_begin_; }
  size_t clustering_end() const { return clustering_end_; }

  const EncodingMinima& minima() const { return minima_; }

 private:
  Status CheckClustering(const ClusteringView& clustering, size_t count_min) const;
  Status CheckRow(const Unfiltered& row, const std::vector<Column>& columns) const;
  Status CheckExpiry(const Unfiltered& row) const;
  void AppendRow(std::vector<std::byte>& out, const Unfiltered& row,
                 const std::vector<Column>& columns, uint64_t previous_size_bytes);
  void AppendSubset(const Unfiltered& row, size_t column_count);
  void AppendCell(const CellView& cell, const Column& column, const LivenessInfo& liveness);
  void AppendDeletionDelta(const DeletionTime& deletion);
  void AppendTimestamp(int64_t timestamp);
  void AppendLocalDeletionTime(uint32_t local_deletion_time);
  void AppendTtl(int32_t ttl);

  const Layout& layout_;
  Version version_;
  EncodingMinima minima_;
  std::vector<int32_t> clustering_sizes_bytes_;  // -1: any
  RowBuffer body_;                               // what the body size counts
  size_t clustering_begin_ = 0;
  size_t clustering_end_ = 0;
};

}  // namespace orochi::sstable
