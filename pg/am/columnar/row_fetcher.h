#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/row_group_view.h"

namespace orochi::pg {

/// Finds single rows by number, as indexes and tuple ids ask for them. Keeps the row groups it
/// decoded, within work_mem, since neighbouring fetches often want the same ones.
///
/// Threads: none. Borrows `relation`, open and locked.
class RowFetcher {
 public:
  explicit RowFetcher(std::unique_ptr<ColumnarReader> reader) : reader_(std::move(reader)) {}
  static Result<std::unique_ptr<RowFetcher>> Open(Relation relation);

  /// Puts the row into `slot`, one of ours, if `snapshot` sees it. Rows still buffered by this
  /// backend count after WriteOutPending, or, under SnapshotDirty, as they are. Under
  /// SnapshotDirty a row of another transaction in progress is found with all values NULL and
  /// snapshot->xmin set.
  Result<bool> Fetch(uint64_t row_number, Snapshot snapshot, TupleTableSlot* slot);

  /// The same without a look at the row's stub: the row as its stripe has it.
  Result<bool> FetchFromStripe(uint64_t row_number, Snapshot snapshot, TupleTableSlot* slot);

  /// Whether the snapshot sees the stripe that holds the row.
  bool SeesStripeOf(uint64_t row_number, Snapshot snapshot);

  uint64_t storage_id() const { return reader_->storage_id(); }

  /// Prepares for fetches through another handle of the relation and other snapshots.
  void Rebind(Relation relation) {
    reader_->Rebind(relation);
    seen_.clear();
  }

 private:
  struct Cached {
    std::unique_ptr<RowGroupView> view;
    uint64_t last_use = 0;
  };

  std::optional<StripeEntry> FindStripe(uint64_t row_number, Snapshot snapshot);
  std::optional<StripeEntry> FindFinished(uint64_t row_number, Snapshot snapshot);
  Result<RowGroupView*> ViewOf(const StripeEntry& entry, uint32_t row_group);

  std::unique_ptr<ColumnarReader> reader_;
  std::map<std::pair<uint64_t, uint32_t>, Cached> views_;  // by stripe number and row group
  uint64_t use_count_ = 0;
  // Stripes found under an MVCC snapshot, which sees them for good, by first row number. An index
  // in another order than the rows' hops between them.
  static constexpr size_t kSeenStripesMax = 1024;
  std::map<uint64_t, StripeEntry> seen_;
  Snapshot seen_by_ = nullptr;
  // Stripes whose writer is done, or ourselves: what SnapshotSelf and SnapshotAny see stays while
  // the transaction holds its lock on the table.
  std::map<uint64_t, StripeEntry> finished_;
};

}  // namespace orochi::pg
