#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sstable/change/row_change.h"
#include "sstable/format/layout.h"
#include "sstable/format/unfiltered_stream.h"

namespace orochi::sstable {

/// Changes of one table in memory, in the order they came, given back as sorted streams.
///
/// Changes of one place go into different streams, as if they were in different SSTables, so that
/// there is one set of rules for what wins: that of Merge().
///
/// Life:    Add* -> Streams; the streams borrow the buffer, then Clear.    Threads: none.
class ChangeBuffer {
 public:
  /// Borrows the layout. Columns of changes are in its order.
  explicit ChangeBuffer(const Layout& layout) : layout_(layout) {}

  /// Puts the columns and cells of a row into the order of files; of two cells of one place the
  /// last stays.
  void Add(RowChange change);
  bool empty() const { return changes_.empty(); }
  /// About what the changes take.
  uint64_t size_bytes() const { return size_bytes_; }

  /// As many streams as there are changes of the place that has most.
  std::vector<std::unique_ptr<UnfilteredStream>> Streams();
  void Clear();

 private:
  struct Entry {
    Token token;
    RowChange change;
  };

  void SortCells(ChangeRow& row) const;

  const Layout& layout_;
  std::vector<Entry> changes_;
  uint64_t size_bytes_ = 0;
};

}  // namespace orochi::sstable
