#pragma once

#include "base/result.h"
#include "sstable/format/layout.h"
#include "sstable/format/unfiltered.h"

namespace orochi::sstable {

/// Partitions in token order, each with its rows and range tombstone markers in clustering order
/// (or the reverse, where a stream was asked for that). Made by readers and the merger; consumed by
/// queries, dumps and writers.
///
/// Life:    (NextPartition -> Next*)*. NextPartition may come before Next has answered false: it
///          skips the rest. After an error every call answers the same error.
/// Threads: none.
/// Memory:  a partition is never held whole; one row is.
class UnfilteredStream {
 public:
  virtual ~UnfilteredStream() = default;

  /// Outlives the stream's views.
  virtual const Layout& layout() const = 0;

  /// Moves to the next partition; false when there is none.
  virtual Result<bool> NextPartition() = 0;
  /// Both are valid until NextPartition is called again.
  /// REQUIRES: NextPartition answered true.
  virtual const PartitionView& partition() const = 0;
  /// The static row; one that says nothing (empty_row) where the partition has none.
  virtual const Unfiltered& static_row() const = 0;

  /// Moves to the partition's next row or marker; false at its end. Markers are balanced: what
  /// opens is closed before the partition ends, also where only a slice of it was asked for. Going
  /// backwards, a marker keeps its meaning (`close` ends where it stands, coming from the start),
  /// so that `close` is met before the `open` of the same deletion.
  virtual Result<bool> Next() = 0;
  /// Valid until the stream is called again. REQUIRES: Next answered true.
  virtual const Unfiltered& current() const = 0;
};

}  // namespace orochi::sstable
