#pragma once

#include <optional>
#include <vector>

#include "sstable/format/clustering.h"
#include "sstable/format/layout.h"
#include "sstable/types/decorated_key.h"

namespace orochi::sstable {

/// The rows of a partition between two bounds: `start` is kInclStartBound or kExclStartBound, `end`
/// is kInclEndBound or kExclEndBound.
struct ClusteringSlice {
  ClusteringPrefix start = ClusteringPrefix::Bottom();
  ClusteringPrefix end = ClusteringPrefix::Top();
};

/// Which rows of each partition a stream is asked for, and which way round. A range tombstone that
/// reaches into a slice is cut to it: it starts and ends with markers at the slice's bounds.
struct RowSelection {
  /// Ascending and disjoint, also when reversed. Empty: all rows.
  std::vector<ClusteringSlice> slices = {};
  /// Last row first. Static rows and partitions keep their order.
  bool reversed = false;

  bool all_rows() const { return slices.empty(); }
};

/// An end of a range of partitions: a token, or a key with its token.
struct PartitionBound {
  Token token;
  /// Without it the bound stands before or after all keys of the token.
  std::optional<std::vector<std::byte>> key;
  bool inclusive = true;
};

/// True when the partition `key`, whose token is `token`, comes before what starts at `start`, or
/// after what ends at `end`.
bool IsBefore(const Layout& layout, const Token& token, Bytes key, const PartitionBound& start);
bool IsAfter(const Layout& layout, const Token& token, Bytes key, const PartitionBound& end);

/// Partitions between two bounds, in token order; no bound is the end of the ring.
struct PartitionRange {
  std::optional<PartitionBound> start = {};
  std::optional<PartitionBound> end = {};

  bool everything() const { return !start.has_value() && !end.has_value(); }
};

}  // namespace orochi::sstable
