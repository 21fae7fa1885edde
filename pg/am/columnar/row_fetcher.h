#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/row_group_cache.h"

namespace orochi::pg {

/// Finds single rows by number, as indexes and tuple ids ask for them. Remembers which stripes its
/// snapshot sees; what is in them is in a cache that fetchers share.
///
/// Threads: none. Borrows `relation`, open and locked.
class RowFetcher {
 public:
  explicit RowFetcher(std::shared_ptr<RowGroupCache> cache) : cache_(std::move(cache)) {}
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

  /// Whether VACUUM moved the row to where it is, seeing that it was older than all snapshots.
  bool IsMoved(uint64_t row_number);

  /// Lets `slot`, which the last fetch filled, outlive the next one.
  void Share(TupleTableSlot* slot) { ShareView(slot, view_, cache_); }

  uint64_t storage_id() const { return reader().storage_id(); }

  /// Prepares for fetches through another handle of the relation and other snapshots.
  void Rebind(Relation relation) {
    cache_->Rebind(relation);
    seen_.clear();
  }

 private:
  ColumnarReader& reader() const { return cache_->reader(); }
  std::optional<StripeEntry> FindStripe(uint64_t row_number, Snapshot snapshot);
  std::optional<StripeEntry> FindFinished(uint64_t row_number, Snapshot snapshot);
  Result<bool> FetchUnfinished(const StripeEntry& entry, uint64_t row_number, Snapshot snapshot,
                               TupleTableSlot* slot);
  Status StoreFrom(const StripeEntry& entry, uint64_t row_number, TupleTableSlot* slot);

  std::shared_ptr<RowGroupCache> cache_;
  std::shared_ptr<RowGroupView> view_;  // where the last row is
  // Stripes found under an MVCC snapshot, which sees them for good, by first row number. An index
  // in another order than the rows' hops between them.
  static constexpr size_t kSeenStripesMax = 1024;
  std::map<uint64_t, StripeEntry> seen_;
  Snapshot seen_by_ = nullptr;
  // Stripes whose writer is done, or ourselves: what SnapshotSelf, SnapshotAny and, with no writer
  // to wait for, SnapshotDirty see stays while the transaction holds its lock on the table.
  std::map<uint64_t, StripeEntry> finished_;
};

}  // namespace orochi::pg
