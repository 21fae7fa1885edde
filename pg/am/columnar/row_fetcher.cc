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
  ASSIGN_OR_RETURN(auto reader, ColumnarReader::OpenForFetch(relation));
  return std::make_unique<RowFetcher>(std::move(reader));
}

std::optional<StripeEntry> RowFetcher::FindFinished(uint64_t row_number, Snapshot snapshot) {
  bool const remembers =
      snapshot->snapshot_type == SNAPSHOT_SELF || snapshot->snapshot_type == SNAPSHOT_ANY;
  if (!remembers) {
    return reader_->FindStripeOf(row_number, snapshot);
  }
  if (auto after = finished_.upper_bound(row_number);
      after != finished_.begin() && std::prev(after)->second.Holds(row_number)) {
    return std::prev(after)->second;
  }
  auto const found = reader_->FindStripeOf(row_number, snapshot);
  if (found && !found->being_written()) {
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
  auto const found = reader_->FindStripeOf(row_number, snapshot);
  if (found && !found->being_written()) {
    seen_.emplace(found->first_row_number, *found);
  }
  if (!found) {  // invisible, or visible before a rewrite that this snapshot does not know
    TryPg([&]() noexcept {
      Relation const relation = reader_->relation();
      CheckSnapshotNotOlderThanRewrite(relation, ReadMetapage(relation), snapshot);
    });
  }
  return found;
}

bool RowFetcher::SeesStripeOf(uint64_t row_number, Snapshot snapshot) {
  auto const found = FindStripe(row_number, snapshot);
  return found && !found->being_written();
}

Result<RowGroupView*> RowFetcher::ViewOf(const StripeEntry& entry, uint32_t row_group) {
  auto const key = std::pair(entry.stripe_number, row_group);
  if (auto found = views_.find(key); found != views_.end()) {
    found->second.last_use = ++use_count_;
    return found->second.view.get();
  }
  size_t memory_bytes = 0;
  for (const auto& [unused, cached] : views_) {
    memory_bytes += cached.view->memory_bytes();
  }
  // The view about to come is as large as the others, roughly.
  auto const limit_bytes = static_cast<size_t>(work_mem) * 1024;
  while (!views_.empty() && memory_bytes + memory_bytes / views_.size() > limit_bytes) {
    auto oldest = views_.begin();
    for (auto it = views_.begin(); it != views_.end(); ++it) {
      if (it->second.last_use < oldest->second.last_use) {
        oldest = it;
      }
    }
    memory_bytes -= oldest->second.view->memory_bytes();
    views_.erase(oldest);
  }
  auto view = std::make_unique<RowGroupView>(*reader_);
  RETURN_IF_ERROR(view->Point(entry, row_group));
  RowGroupView* const result = view.get();
  views_.emplace(key, Cached{std::move(view), ++use_count_});
  return result;
}

Result<bool> RowFetcher::Fetch(uint64_t row_number, Snapshot snapshot, TupleTableSlot* slot) {
  ASSIGN_OR_RETURN(bool const found, FetchFromStripe(row_number, snapshot, slot));
  TryPg([&]() noexcept {
    ItemPointerData tid = TidOfRow(row_number);
    PredicateLockTID(reader_->relation(), &tid, snapshot, InvalidTransactionId);
  });
  // A row whose writer is not done has no stub, and the snapshot names the writer.
  bool const dirty = snapshot->snapshot_type == SNAPSHOT_DIRTY;
  if (!found || (dirty && TransactionIdIsValid(snapshot->xmin))) {
    return found;
  }
  return TryPg(
      [&]() noexcept { return row_stub::IsVisible(reader_->relation(), row_number, snapshot); });
}

Result<bool> RowFetcher::FetchFromStripe(uint64_t row_number, Snapshot snapshot,
                                         TupleTableSlot* slot) {
  auto const entry = FindStripe(row_number, snapshot);
  if (!entry) {
    return false;
  }
  if (entry->being_written()) {
    if (snapshot->snapshot_type != SNAPSHOT_DIRTY) {
      return false;
    }
    ASSIGN_OR_RETURN(bool const own,
                     ReadBackRow(reader_->relation(), entry->stripe_number, row_number, slot));
    if (!own) {
      if (!TransactionIdIsValid(snapshot->xmin)) {
        return false;  // its writer is done and never completed it: nothing is there
      }
      TryPg([&]() noexcept { ExecStoreAllNullTuple(slot); });
    }
    slot->tts_tid = TidOfRow(row_number);
    slot->tts_tableOid = RelationGetRelid(reader_->relation());
    return true;
  }
  ASSIGN_OR_RETURN(const columnar::StripeReader* stripe, reader_->OpenEntry(*entry));
  auto const row = static_cast<uint32_t>(row_number - entry->first_row_number);
  uint32_t const row_group = stripe->RowGroupOf(row);
  ASSIGN_OR_RETURN(RowGroupView* const view, ViewOf(*entry, row_group));
  TryPg([&]() noexcept {
    StoreRow(slot, view, static_cast<uint32_t>(row_number - view->first_row_number()),
             RelationGetRelid(reader_->relation()));
  });
  return true;
}

}  // namespace orochi::pg
