#include "sstable/write/statistics_collector.h"

#include <algorithm>
#include <limits>

#include "sstable/types/java_type.h"

namespace orochi::sstable {

namespace {

constexpr int64_t kDropTimeStep_s = 60;
constexpr size_t kDropTimeBinsMax = 100;
/// Bins are joined once there are this many, so that joining is rare.
constexpr size_t kDropTimeBinsSpooled = 2000;

// Joins neighbours, the closer ones first, until at most `bins_max` are left. A pass joins each bin
// at most once, so that even times do not all end in one bin. The later time of two stays: nobody
// may believe that a tombstone is droppable before it is.
void JoinBins(std::map<int64_t, int64_t>& bins, size_t bins_max) {
  std::vector<int64_t> distances;
  while (bins.size() > bins_max) {
    distances.clear();
    for (auto left = bins.begin(), right = std::next(left); right != bins.end(); ++left, ++right) {
      distances.push_back(right->first - left->first);
    }
    auto const limit = distances.begin() + static_cast<ptrdiff_t>(bins.size() - bins_max - 1);
    std::nth_element(distances.begin(), limit, distances.end());
    for (auto left = bins.begin(); left != bins.end() && bins.size() > bins_max;) {
      auto right = std::next(left);
      if (right != bins.end() && right->first - left->first <= *limit) {
        right->second += left->second;
        bins.erase(left);
        ++right;
      }
      left = right;
    }
  }
}

}  // namespace

void StatisticsCollector::AddTimestamp(int64_t timestamp) {
  timestamp_min_ = has_timestamp_ ? std::min(timestamp_min_, timestamp) : timestamp;
  timestamp_max_ = has_timestamp_ ? std::max(timestamp_max_, timestamp) : timestamp;
  has_timestamp_ = true;
}

void StatisticsCollector::AddDropTime(uint32_t local_deletion_time) {
  int64_t const seconds = local_deletion_time;
  int64_t const rounded = (seconds + kDropTimeStep_s - 1) / kDropTimeStep_s * kDropTimeStep_s;
  if (rounded != last_drop_time_) {
    if (drop_times_.size() >= kDropTimeBinsSpooled) {
      JoinBins(drop_times_, kDropTimeBinsMax);
    }
    last_drop_time_ = rounded;
    last_drop_count_ = &drop_times_[rounded];
  }
  ++*last_drop_count_;
}

void StatisticsCollector::AddTtl(int32_t ttl) {
  ttl_min_ = has_ttl_ ? std::min(ttl_min_, ttl) : ttl;
  ttl_max_ = std::max(ttl_max_, ttl);
  has_ttl_ = true;
}

void StatisticsCollector::AddLocalDeletionTime(uint32_t time) {
  local_deletion_time_min_ = std::min(local_deletion_time_min_, time);
  local_deletion_time_max_ = has_time_ ? std::max(local_deletion_time_max_, time) : time;
  has_time_ = true;
  if (time < kInvalidDeletionTime) {
    AddDropTime(time);
  }
}

void StatisticsCollector::AddDeletion(const DeletionTime& deletion) {
  if (!deletion.live()) {
    AddTimestamp(deletion.marked_for_delete_at);
    AddLocalDeletionTime(deletion.local_deletion_time);
  }
}

void StatisticsCollector::StartPartition(Bytes key, const DeletionTime& deletion) {
  ++partition_count_;
  partition_cells_ = 0;
  sketch_.Add(key);
  has_partition_deletions_ |= !deletion.live();
  AddDeletion(deletion);
}

void StatisticsCollector::Add(const Unfiltered& unfiltered) {
  if (!unfiltered.is_row()) {
    AddDeletion(unfiltered.close);
    AddDeletion(unfiltered.open);
    return;
  }
  ++row_count_;
  const LivenessInfo& liveness = unfiltered.liveness;
  if (!liveness.empty()) {
    AddTimestamp(liveness.timestamp);
    AddTtl(liveness.ttl);
    AddLocalDeletionTime(liveness.local_expiration_time);
  }
  AddDeletion(unfiltered.deletion);
  partition_cells_ += static_cast<int64_t>(unfiltered.cells.size());
  for (const CellView& cell : unfiltered.cells) {
    AddTimestamp(cell.timestamp);
    AddTtl(cell.ttl);
    AddLocalDeletionTime(cell.local_deletion_time);
  }
  size_t columns = unfiltered.cells.size();
  if (!unfiltered.complex_columns.empty()) {
    columns = unfiltered.complex_columns.front().cell_begin;
    for (const ComplexColumnView& complex : unfiltered.complex_columns) {
      AddDeletion(complex.deletion);
      columns += complex.cell_end > complex.cell_begin ? 1 : 0;
    }
  }
  column_count_ += static_cast<int64_t>(columns);
}

void StatisticsCollector::FinishPartition(uint64_t size_bytes) {
  partition_sizes_.Add(static_cast<int64_t>(size_bytes));
  cells_.Add(partition_cells_);
}

void StatisticsCollector::CoverFirst(const ClusteringView& first) {
  if (!has_clustering_ || layout_.clustering.Compare(first, clustering_min_.view()) < 0) {
    clustering_min_.Assign(first);
  }
  if (!has_clustering_) {
    clustering_max_.Assign(first);
    has_clustering_ = true;
  }
}

void StatisticsCollector::CoverLast(const ClusteringView& last) {
  if (layout_.clustering.Compare(last, clustering_max_.view()) > 0) {
    clustering_max_.Assign(last);
  }
}

void StatisticsCollector::CollectClusterings(StatsMetadata& stats) const {
  for (const TypeRef& type : layout_.clustering.types()) {
    stats.clustering_types.push_back(JavaTypeName(*type));
  }
  if (!has_clustering_) {
    // Nothing is covered: from behind the last row to before the first.
    stats.covered_start.set_kind(ClusteringKind::kExclStartBound);
    stats.covered_end.set_kind(ClusteringKind::kExclEndBound);
    return;
  }
  stats.covered_start = clustering_min_;
  if (!IsBound(clustering_min_.view().kind)) {
    stats.covered_start.set_kind(ClusteringKind::kInclStartBound);
  }
  stats.covered_end = clustering_max_;
  if (!IsBound(clustering_max_.view().kind)) {
    stats.covered_end.set_kind(ClusteringKind::kInclEndBound);
  }
  auto const fill = [](const ClusteringView& view, std::vector<std::vector<std::byte>>& out) {
    for (const ClusteringValue& value : view.values) {
      if (value.is_null) {
        break;  // the old form cannot say null; what it leaves out is unbounded
      }
      out.emplace_back(value.bytes.begin(), value.bytes.end());
    }
  };
  fill(clustering_min_.view(), stats.clustering_min);
  fill(clustering_max_.view(), stats.clustering_max);
}

void StatisticsCollector::Collect(StatsMetadata& stats) const {
  stats.partition_sizes_bytes = partition_sizes_;
  stats.cells_per_partition = cells_;
  stats.timestamp_min = has_timestamp_ ? timestamp_min_ : std::numeric_limits<int64_t>::min();
  stats.timestamp_max = has_timestamp_ ? timestamp_max_ : std::numeric_limits<int64_t>::max();
  stats.local_deletion_time_min = local_deletion_time_min_;
  stats.local_deletion_time_max = local_deletion_time_max_;
  stats.ttl_min = ttl_min_;
  stats.ttl_max = ttl_max_;
  std::map<int64_t, int64_t> bins = drop_times_;
  JoinBins(bins, kDropTimeBinsMax);
  stats.tombstone_drop_times = {};
  for (auto const& [time, count] : bins) {
    stats.tombstone_drop_times.bins.push_back({.deletion_time_s = time, .count = count});
  }
  CollectClusterings(stats);
  stats.has_partition_deletions = has_partition_deletions_;
  stats.cell_count = column_count_;
  stats.row_count = static_cast<int64_t>(row_count_);
}

}  // namespace orochi::sstable
