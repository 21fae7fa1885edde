#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sstable/format/layout.h"
#include "sstable/format/statistics.h"
#include "sstable/format/unfiltered.h"
#include "sstable/write/cardinality_sketch.h"

namespace orochi::sstable {

/// Gathers what Statistics.db says about the rows of one SSTable.
///
/// Life:    (StartPartition AddRow* FinishPartition)*, then Collect.    Threads: none.
/// Bounds:  a few kilobytes, whatever is added.    Borrows: the layout.
class StatisticsCollector {
 public:
  explicit StatisticsCollector(const Layout& layout) : layout_(layout) {}

  void StartPartition(Bytes key, const DeletionTime& deletion);
  /// A row, a static row that is not empty, or a marker.
  void Add(const Unfiltered& unfiltered);
  void FinishPartition(uint64_t size_bytes);
  /// Rows come in order, so a partition's first and last tell all. Not for static rows.
  void CoverFirst(const ClusteringView& first);
  void CoverLast(const ClusteringView& last);

  /// Sets what was gathered; leaves the rest of `stats` alone.
  void Collect(StatsMetadata& stats) const;
  std::vector<std::byte> EncodeSketch() const { return sketch_.Encode(); }
  uint64_t partition_count() const { return partition_count_; }
  uint64_t row_count() const { return row_count_; }

 private:
  void AddTimestamp(int64_t timestamp);
  void AddDeletion(const DeletionTime& deletion);
  void AddTtl(int32_t ttl);
  void AddLocalDeletionTime(uint32_t time);
  void AddDropTime(uint32_t local_deletion_time);
  void CollectClusterings(StatsMetadata& stats) const;

  const Layout& layout_;
  CardinalitySketch sketch_;
  EstimatedHistogram partition_sizes_ = EstimatedHistogram::WithOffsets(kPartitionSizeOffsets);
  EstimatedHistogram cells_ = EstimatedHistogram::WithOffsets(kCellsPerPartitionOffsets);
  std::map<int64_t, int64_t> drop_times_;  // time rounded up, count
  int64_t last_drop_time_ = -1;
  int64_t* last_drop_count_ = nullptr;  // into drop_times_, of last_drop_time_
  bool has_timestamp_ = false;
  bool has_time_ = false;
  bool has_ttl_ = false;
  int64_t timestamp_min_ = 0;
  int64_t timestamp_max_ = 0;
  uint32_t local_deletion_time_min_ = kNoDeletionTime;
  uint32_t local_deletion_time_max_ = kNoDeletionTime;
  int32_t ttl_min_ = 0;
  int32_t ttl_max_ = 0;
  bool has_clustering_ = false;
  ClusteringPrefix clustering_min_;
  ClusteringPrefix clustering_max_;
  bool has_partition_deletions_ = false;
  int64_t partition_cells_ = 0;
  int64_t column_count_ = 0;
  uint64_t row_count_ = 0;
  uint64_t partition_count_ = 0;
};

}  // namespace orochi::sstable
