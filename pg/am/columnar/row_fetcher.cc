#include "pg/am/columnar/row_fetcher.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/row_stub.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg {

Result<std::unique_ptr<RowFetcher>> RowFetcher::Open(Relation relation) {
  ASSIGN_OR_RETURN(auto cache, RowGroupCache::For(relation));
  return std::make_unique<RowFetcher>(std::move(cache));
}

std::optional<StripeEntry> RowFetcher::FindFinished(uint64_t row_number, Snapshot snapshot) {
  bool const dirty = snapshot->snapshot_type == SNAPSHOT_DIRTY;
  if (!dirty && snapshot->snapshot_type != SNAPSHOT_SELF &&
      snapshot->snapshot_type != SNAPSHOT_ANY) {
    return reader().FindStripeOf(row_number, snapshot);
  }
  if (auto after = finished_.upper_bound(row_number);
      after != finished_.begin() && std::prev(after)->second.Holds(row_number)) {
    if (dirty) {
      snapshot->xmin = snapshot->xmax = InvalidTransactionId;
      snapshot->speculativeToken = 0;
    }
    return std::prev(after)->second;
  }
  auto const found = reader().FindStripeOf(row_number, snapshot);
  bool const others_work =
      dirty && found &&
      (TransactionIdIsValid(snapshot->xmin) || TransactionIdIsValid(snapshot->xmax));
  if (found && !found->being_written() && !others_work) {
    if (finished_.size() >= kSeenStripesMax) {
      finished_.clear();
    }
    finished_.emplace(found->first_row_number, *found);
  }
  return found;
}

std::optional<StripeEntry> RowFetcher::FindStripe(uint64_t row_number, Snapshot snapshot) {
  if (!IsMVCCSnapshot(snapshot)) {
    return FindFinished(row_number, snapshot);
  }
  if (seen_by_ != snapshot || seen_.size() >= kSeenStripesMax) {
    seen_.clear();
    seen_by_ = snapshot;
  }
  if (auto after = seen_.upper_bound(row_number);
      after != seen_.begin() && std::prev(after)->second.Holds(row_number)) {
    return std::prev(after)->second;
  }
  auto const found = reader().FindStripeOf(row_number, snapshot);
  if (found && !found->being_written()) {
    seen_.emplace(found->first_row_number, *found);
  }
  return found;
}

bool RowFetcher::SeesStripeOf(uint64_t row_number, Snapshot snapshot) {
  auto const found = FindStripe(row_number, snapshot);
  return found && !found->being_written();
}

bool RowFetcher::IsMoved(uint64_t row_number) {
  auto const found = FindFinished(row_number, SnapshotSelf);
  return found && found->moved_by != 0;
}

Status RowFetcher::StoreFrom(const StripeEntry& entry, uint64_t row_number, TupleTableSlot* slot) {
  ASSIGN_OR_RETURN(const columnar::StripeReader* stripe, reader().OpenEntry(entry));
  auto const row = static_cast<uint32_t>(row_number - entry.first_row_number);
  ASSIGN_OR_RETURN(view_, cache_->ViewOf(entry, stripe->RowGroupOf(row)));
  TryPg([&]() noexcept {
    StoreRow(slot, view_.get(), static_cast<uint32_t>(row_number - view_->first_row_number()),
             RelationGetRelid(reader().relation()), true);
  });
  return Status::Ok();
}

Result<bool> RowFetcher::FetchUnfinished(const StripeEntry& entry, uint64_t row_number,
                                         Snapshot snapshot, TupleTableSlot* slot) {
  if (snapshot->snapshot_type != SNAPSHOT_DIRTY) {
    return false;
  }
  ASSIGN_OR_RETURN(bool const own,
                   ReadBackRow(reader().relation(), entry.stripe_number, row_number, slot));
  if (!own) {
    if (!TransactionIdIsValid(snapshot->xmin)) {
      return false;  // its writer is done and never completed it: nothing is there
    }
    TryPg([&]() noexcept { ExecStoreAllNullTuple(slot); });
  }
  slot->tts_tid = TidOfRow(row_number);
  slot->tts_tableOid = RelationGetRelid(reader().relation());
  return true;
}

Result<bool> RowFetcher::Fetch(uint64_t row_number, Snapshot snapshot, TupleTableSlot* slot) {
  auto const entry = FindStripe(row_number, snapshot);
  // A row whose writer is not done has no stub, and the snapshot names the writer.
  bool const may_have_stub =
      entry && !entry->being_written() &&
      (snapshot->snapshot_type != SNAPSHOT_DIRTY || !TransactionIdIsValid(snapshot->xmin));
  bool const hidden = TryPg([&]() noexcept -> bool {
    ItemPointerData tid = TidOfRow(row_number);
    PredicateLockTID(reader().relation(), &tid, snapshot, InvalidTransactionId);
    return may_have_stub && !row_stub::IsVisible(reader().relation(), row_number, snapshot);
  });
  if (!entry || hidden) {
    return false;
  }
  if (entry->being_written()) {
    return FetchUnfinished(*entry, row_number, snapshot, slot);
  }
  RETURN_IF_ERROR(StoreFrom(*entry, row_number, slot));
  return true;
}

Result<bool> RowFetcher::FetchFromStripe(uint64_t row_number, Snapshot snapshot,
                                         TupleTableSlot* slot) {
  auto const entry = FindStripe(row_number, snapshot);
  if (!entry) {
    return false;
  }
  if (entry->being_written()) {
    return FetchUnfinished(*entry, row_number, snapshot, slot);
  }
  RETURN_IF_ERROR(StoreFrom(*entry, row_number, slot));
  return true;
}

}  // namespace orochi::pg
