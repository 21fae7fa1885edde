#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sstable/format/deletion_time.h"
#include "sstable/types/bytes.h"

namespace orochi::sstable {

// The shapes in which rows travel between reader, merger, query and writer. All of them are views:
// who hands one out says how long its bytes live (readers: until the next step).

/// What a clustering prefix is. The numbers are those on disk. A bound is a position between rows:
/// before or after all rows that start with its values.
enum class ClusteringKind : uint8_t {
  kExclEndBound = 0,              // ends before
  kInclStartBound = 1,            // starts before
  kExclEndInclStartBoundary = 2,  // one deletion ends and another starts, before
  kStatic = 3,                    // the static row
  kClustering = 4,                // a row
  kInclEndExclStartBoundary = 5,  // one deletion ends and another starts, after
  kInclEndBound = 6,              // ends after
  kExclStartBound = 7,            // starts after
};
inline constexpr uint8_t kClusteringKindMax = 7;

/// True for the kinds that stand between rows.
constexpr bool IsBound(ClusteringKind kind) {
  return kind != ClusteringKind::kStatic && kind != ClusteringKind::kClustering;
}
constexpr bool IsBoundary(ClusteringKind kind) {
  return kind == ClusteringKind::kExclEndInclStartBoundary ||
         kind == ClusteringKind::kInclEndExclStartBoundary;
}
/// True when a deletion starts here (boundaries included).
constexpr bool OpensDeletion(ClusteringKind kind) {
  return kind == ClusteringKind::kInclStartBound || kind == ClusteringKind::kExclStartBound ||
         IsBoundary(kind);
}
/// True when a deletion ends here (boundaries included).
constexpr bool ClosesDeletion(ClusteringKind kind) {
  return kind == ClusteringKind::kExclEndBound || kind == ClusteringKind::kInclEndBound ||
         IsBoundary(kind);
}

/// One component. Null and empty differ: both have no bytes, null sorts first in either direction.
struct ClusteringValue {
  Bytes bytes;
  bool is_null = false;
};

/// The values of a row's clustering columns, or, for a bound, of the first few of them: none is the
/// very start or end of the partition.
struct ClusteringView {
  ClusteringKind kind = ClusteringKind::kClustering;
  std::span<const ClusteringValue> values;
};

/// One cell. `path` is empty for simple columns; for collections and user types that are not frozen
/// it names the element: list: 16-byte time-UUID, set: the element, map: the key, user type: u16
/// field index.
struct CellView {
  uint32_t column_index = 0;  // into the statics or regulars of the stream's layout
  int32_t ttl = kNoTtl;
  int64_t timestamp = kNoTimestamp;
  uint32_t local_deletion_time = kNoDeletionTime;  // expiring: when it expires
  Bytes path;
  Bytes value;  // empty for tombstones; a counter's raw context

  bool tombstone() const { return local_deletion_time != kNoDeletionTime && ttl == kNoTtl; }
  bool expiring() const { return ttl != kNoTtl; }
  /// True when the cell has a value at `now_s`, in seconds since 1970.
  bool LiveAt(int64_t now_s) const {
    return local_deletion_time == kNoDeletionTime || (expiring() && now_s < local_deletion_time);
  }
};

/// A column that is not frozen, present in a row: its own deletion, and which cells are its.
struct ComplexColumnView {
  uint32_t column_index = 0;
  DeletionTime deletion;  // live when there is none
  uint32_t cell_begin = 0;
  uint32_t cell_end = 0;  // its cells are row.cells[cell_begin, cell_end)
};

/// A row, the static row, or a range tombstone marker.
///
/// Cells come in column order, and layouts put simple columns before complex ones: first one cell
/// per present simple column, then the cells of each present complex column by path.
struct Unfiltered {
  enum class Kind : uint8_t { kRow, kMarker };
  Kind kind = Kind::kRow;
  ClusteringView clustering;

  // Rows.
  LivenessInfo liveness;
  DeletionTime deletion;
  bool deletion_is_shadowable = false;  // of a materialised view: ends with the next INSERT
  std::span<const CellView> cells;
  std::span<const ComplexColumnView> complex_columns;

  uint64_t position_bytes = 0;  // in the uncompressed Data.db, where read from one SSTable

  // Markers: the deletion that ends here and the one that starts here; live when none does.
  DeletionTime close;
  DeletionTime open;

  bool is_row() const { return kind == Kind::kRow; }
  bool is_static() const { return clustering.kind == ClusteringKind::kStatic; }
  /// A row that says nothing. Static rows are stored even then.
  bool empty_row() const {
    return liveness.empty() && deletion.live() && cells.empty() && complex_columns.empty();
  }
};

/// The start of a partition.
struct PartitionView {
  Bytes key;  // one column: its value; several: u16 length, bytes and 0 for each
  DeletionTime deletion;
  uint64_t position_bytes = 0;       // in the uncompressed Data.db
  uint64_t body_position_bytes = 0;  // of the first row or marker
};

}  // namespace orochi::sstable
