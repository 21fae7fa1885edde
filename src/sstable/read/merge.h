#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/format/layout.h"
#include "sstable/format/unfiltered_stream.h"

namespace orochi::sstable {

/// A column that ALTER TABLE … DROP took away: its cells up to that time are gone, whatever files
/// still have them.
struct DroppedColumn {
  std::string name;
  int64_t dropped_at_us = 0;
};

struct MergeOptions {
  /// The streams hold rows last to first.
  bool reversed = false;
  /// Only what exists at this time, in seconds since 1970: no markers, no tombstones, no expired
  /// cells, no rows or partitions without content. This is what a query sees.
  std::optional<int64_t> live_at_s = {};
  /// Forgets tombstones that are older than this, and turns cells that have expired by then into
  /// tombstones: what a compaction writes. Only right when no other SSTable of the table holds
  /// older data of the same partitions. Not together with live_at_s.
  struct Purge {
    int64_t now_s = 0;
    int64_t gc_before_s = 0;
  };
  std::optional<Purge> purge = {};
  std::vector<DroppedColumn> dropped_columns = {};
};

/// The layout of several SSTables of one table: every column of any of them. kInvalidArgument when
/// they are not of one table: other key or clustering types, or a column whose types do not widen
/// into each other.
Result<Layout> MergeLayouts(const std::vector<const Layout*>& layouts);

/// Merges streams of one table by Cassandra's rules, whatever their order:
///   - of two cells of one place the one with the higher timestamp stays; of equal ones a tombstone
///     or expiring cell before a plain one, a tombstone before an expiring one, the later deletion
///     time, the greater value as unsigned bytes; counters add up by shard
///   - a deletion of a partition, range, row or collection takes what it covers with a timestamp up
///     to its own, and deletions that it supersedes
/// Rows that say nothing after that are left out.
///
/// Columns that `layout` does not have are left out. The streams share the partitioner. One stream
/// is merged too: what its own deletions cover goes.
Result<std::unique_ptr<UnfilteredStream>> Merge(
    std::vector<std::unique_ptr<UnfilteredStream>> streams, Layout layout, MergeOptions options);

}  // namespace orochi::sstable
