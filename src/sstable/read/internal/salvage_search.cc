// How SalvageStream finds rows behind what cannot be read.
#include <algorithm>

#include "sstable/read/internal/salvage_stream.h"
#include "sstable/types/scalar_text.h"

namespace orochi::sstable::internal {

namespace {

/// Rows that follow each other, so many that no chance makes them.
constexpr int kChainRows = 4;
/// Longer rows are not looked for.
constexpr uint64_t kRowSizeBytesMax = uint64_t{16} << 20;

}  // namespace

// Within what Statistics.db says of all timestamps.
bool SalvageStream::IsInTime(int64_t timestamp) const {
  const StatsMetadata& stats = source_.statistics.stats;
  return !source_.has_stats ||
         (timestamp >= stats.timestamp_min && timestamp <= stats.timestamp_max);
}

bool SalvageStream::IsInTime(const DeletionTime& deletion) const {
  return deletion.live() || IsInTime(deletion.marked_for_delete_at);
}

// Things that hold for every row of the table and for few that are none.
bool SalvageStream::IsLikely(const Unfiltered& unfiltered) const {
  for (size_t index = 0; index < unfiltered.clustering.values.size(); ++index) {
    const ClusteringValue& value = unfiltered.clustering.values[index];
    if (!value.is_null &&
        !ValidateValue(*source_.layout.clustering.types()[index], value.bytes).ok()) {
      return false;
    }
  }
  if (!IsInTime(unfiltered.deletion) || !IsInTime(unfiltered.open) || !IsInTime(unfiltered.close) ||
      (!unfiltered.liveness.empty() && !IsInTime(unfiltered.liveness.timestamp))) {
    return false;
  }
  return std::all_of(unfiltered.cells.begin(), unfiltered.cells.end(), [&](const CellView& cell) {
    const Column& column = source_.layout.regulars[cell.column_index];
    bool const checked =
        column.is_complex || cell.tombstone() || column.type->kind == TypeKind::kCounter;
    return IsInTime(cell.timestamp) && (checked || ValidateValue(*column.type, cell.value).ok());
  });
}

// Do rows follow each other from `position_bytes` on, each saying how long the one before it is?
// They must go on for kChainRows, or up to the partition's end at `end_bytes`.
SalvageStream::Chain SalvageStream::TryRow(PartitionCursor& probe, uint64_t position_bytes,
                                           uint64_t begin_bytes, uint64_t end_bytes) const {
  const ClusteringFormat& order = source_.layout.clustering;
  ClusteringPrefix previous;
  if (has_last_) {
    previous = last_;
  }
  bool has_previous = has_last_;
  uint64_t previous_position = 0;
  probe.SeekWithin(position_bytes);
  for (int count = 0; count < kChainRows; ++count) {
    Result<bool> const found = probe.Next();
    if (!found.ok()) {
      return Chain::kNone;
    }
    if (!*found) {
      bool const at_end = probe.position_bytes() == end_bytes;
      return !at_end || count == 0 ? Chain::kNone : count == 1 ? Chain::kOne : Chain::kSeveral;
    }
    const Unfiltered& current = probe.current();
    uint64_t const here = probe.position_bytes();
    uint64_t const size_of_previous = probe.stored_previous_size_bytes();
    bool const linked = count == 0 ? size_of_previous <= here - begin_bytes
                                   : size_of_previous == here - previous_position;
    if (!linked || here + probe.size_bytes() >= end_bytes || !IsLikely(current) ||
        (has_previous && order.Compare(previous.view(), current.clustering) >= 0)) {
      return Chain::kNone;
    }
    previous.Assign(current.clustering);
    has_previous = true;
    previous_position = here;
  }
  return Chain::kSeveral;
}

// The first row or marker in (begin_bytes, end_bytes), where the next partition starts. The last
// row of a partition has none behind it that would know its size: it counts when it alone fits.
std::optional<SalvageStream::Resume> SalvageStream::FindRow(uint64_t begin_bytes,
                                                            uint64_t end_bytes) {
  std::optional<uint64_t> only;
  bool several = false;
  uint64_t position = source_.ReadableFrom(begin_bytes + 1);
  while (position < end_bytes) {
    uint64_t const segment_end = std::min(end_bytes, source_.ReadableUntil(position));
    PartitionSource source = partition_source_;
    // A size that reaches further is none, and is not worth reading for.
    source.row_size_bytes_max = std::min(kRowSizeBytesMax, segment_end - position);
    PartitionCursor probe(source, 1);
    for (; position < segment_end; ++position) {
      Chain const chain = TryRow(probe, position, begin_bytes, end_bytes);
      if (chain == Chain::kSeveral) {
        return Resume{.position_bytes = position, .cover = CoverAt(position)};
      }
      several = several || (chain == Chain::kOne && only.has_value());
      if (chain == Chain::kOne && !only.has_value()) {
        only = position;
      }
    }
    position = source_.ReadableFrom(position);
  }
  if (!only.has_value() || several) {
    return std::nullopt;
  }
  return Resume{.position_bytes = *only, .cover = CoverAt(*only)};
}

// The next marker tells: what it closes is open before it.
DeletionTime SalvageStream::CoverAt(uint64_t position_bytes) const {
  PartitionCursor probe(partition_source_, 1);
  probe.SeekWithin(position_bytes);
  for (;;) {
    Result<bool> const found = probe.Next();
    if (!found.ok() || !*found) {
      return DeletionTime();
    }
    if (!probe.current().is_row()) {
      return ClosesDeletion(probe.current().clustering.kind) ? probe.current().close
                                                             : DeletionTime();
    }
  }
}

}  // namespace orochi::sstable::internal
