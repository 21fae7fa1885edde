#include "pg/am/columnar/row_version.h"

#include "pg/am/columnar/moved_row.h"
#include "pg/am/columnar/row_fetcher.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_stub.h"
#include "pg/am/columnar/rows_ahead.h"
#include "pg/am/columnar/stub_map.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/am/columnar/tuple_values.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "access/heapam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "storage/proc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

// Fetches come one by one without a scan to hang state on: the last relation's fetcher is kept for
// the client's statement. Between statements VACUUM may move stripes and use their old pages again.
struct LastFetcher {
  std::unique_ptr<RowFetcher> fetcher;
  RelFileNode node{};
  TimestampTz statement = 0;
  int attribute_count = 0;
  // VACUUM may use again the pages of a stripe that it relocated or dropped when no snapshot is
  // left that was there before: what an older snapshot of ours found is not to be trusted.
  TransactionId xmin = InvalidTransactionId;
};
LastFetcher last_fetcher;

Result<RowFetcher*> FetcherFor(Relation relation) {
  int const attribute_count = RelationGetDescr(relation)->natts;
  if (last_fetcher.fetcher == nullptr || !RelFileNodeEquals(last_fetcher.node, relation->rd_node) ||
      last_fetcher.attribute_count != attribute_count || last_fetcher.xmin != MyProc->xmin ||
      last_fetcher.fetcher->storage_id() == 0) {  // unlogged, given at the first write
    last_fetcher.fetcher.reset();
    ASSIGN_OR_RETURN(last_fetcher.fetcher, RowFetcher::Open(relation));
    last_fetcher.node = relation->rd_node;
    last_fetcher.statement = GetCurrentStatementStartTimestamp();
    last_fetcher.attribute_count = attribute_count;
    last_fetcher.xmin = MyProc->xmin;
  }
  last_fetcher.fetcher->Rebind(relation);
  return last_fetcher.fetcher.get();
}

bool FetchFromRowPage(Relation relation, ItemPointer tid, Snapshot snapshot, TupleTableSlot* slot) {
  Buffer const pin = row_pages::Pin(relation, ItemPointerGetBlockNumber(tid));
  if (!BufferIsValid(pin)) {
    return false;
  }
  HeapTupleData tuple;
  tuple.t_self = *tid;
  Buffer buffer = InvalidBuffer;
  bool const found = heap_fetch(relation, snapshot, &tuple, &buffer, false);
  if (found) {
    LockTableIfMoved(relation, tuple.t_data, snapshot);
    StoreCopy(relation, &tuple, slot);
    ReleaseBuffer(buffer);
  }
  ReleaseBuffer(pin);
  return found;
}

}  // namespace

void ForgetFetchedRows(bool all) {
  last_fetcher.fetcher.reset();
  if (all) {
    RowGroupCache::Clear();
    stub_map::ForgetKnown();
  } else {
    RowGroupCache::Shrink();
  }
}

bool FetchForCheck(Relation relation, uint64_t row_number, Snapshot snapshot,
                   TupleTableSlot* slot) {
  return Boundary([&]() -> Result<bool> {
    if (snapshot->snapshot_type != SNAPSHOT_DIRTY) {
      RETURN_IF_ERROR(WriteOutPending(relation));
    }
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    ASSIGN_OR_RETURN(bool const found, fetcher->Fetch(row_number, snapshot, slot));
    if (found) {
      fetcher->Share(slot);  // the check looks at it after its scan
    }
    return found;
  });
}

bool FetchStripeRow(Relation relation, uint64_t row_number, Snapshot snapshot,
                    TupleTableSlot* slot) {
  return Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    ASSIGN_OR_RETURN(bool const found, fetcher->FetchFromStripe(row_number, snapshot, slot));
    if (found) {
      fetcher->Share(slot);
    }
    return found;
  });
}

bool SeesStripeOf(Relation relation, uint64_t row_number, Snapshot snapshot) {
  return Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->SeesStripeOf(row_number, snapshot);
  });
}

bool IsInsertedFor(Relation relation, uint64_t row_number, Snapshot snapshot) {
  return Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->SeesStripeOf(row_number, snapshot) || fetcher->IsMoved(row_number);
  });
}

bool IsMovedSince(Relation relation, uint64_t row_number, Snapshot snapshot) {
  return !SeesStripeOf(relation, row_number, snapshot) &&
         IsInsertedFor(relation, row_number, snapshot);
}

bool FetchVersion(Relation relation, ItemPointer tid, Snapshot snapshot, TupleTableSlot* slot) {
  if (IsRowPageTid(*tid)) {
    return FetchFromRowPage(relation, tid, snapshot, slot);
  }
  auto const row_number = RowOfTid(*tid);
  if (!row_number || !FetchStripeRow(relation, *row_number, snapshot, slot)) {
    return false;
  }
  PredicateLockTID(relation, tid, snapshot, InvalidTransactionId);
  return row_stub::IsVisible(relation, *row_number, snapshot);
}

void StoreCopy(Relation relation, HeapTuple tuple, TupleTableSlot* slot) {
  StoreTuple(relation, tuple, slot);
  ExecMaterializeSlot(slot);
}

namespace {

// The rows whose stubs are made with that of the first.
struct StubsWanted {
  uint64_t row_numbers[rows_ahead::kRowsMax];
  size_t count;
};

// Makes stubs of rows of one segment. False when the first is of no stripe.
bool MakeStubs(Relation relation, const StubsWanted& wanted) {
  if (!row_stub::NeedsRow(relation)) {
    if (!SeesStripeOf(relation, wanted.row_numbers[0], SnapshotSelf)) {
      return false;
    }
    row_stub::Maker maker(relation, wanted.count);
    for (size_t i = 0; i < wanted.count; ++i) {
      maker.Add(wanted.row_numbers[i], nullptr);
    }
    maker.Put();
    return true;
  }
  TupleTableSlot* const row =
      MakeSingleTupleTableSlot(RelationGetDescr(relation), ColumnarSlotOps());
  row_stub::Maker maker(relation, wanted.count);
  bool const found = Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    for (size_t i = 0; i < wanted.count; ++i) {
      uint64_t const row_number = wanted.row_numbers[i];
      ASSIGN_OR_RETURN(bool const is_there,
                       fetcher->FetchFromStripe(row_number, SnapshotSelf, row));
      if (!is_there) {
        return false;
      }
      TryPg([&]() noexcept { maker.Add(row_number, row); });
    }
    return true;
  });
  maker.Put();
  ExecDropSingleTupleTableSlot(row);
  return found || maker.count() > 0;
}

}  // namespace

bool HeapTargetOf(Relation relation, ItemPointer tid, row_stub::Target* target) {
  target->pin = InvalidBuffer;
  if (IsRowPageTid(*tid)) {
    target->tid = *tid;
    target->pin = row_pages::Pin(relation, ItemPointerGetBlockNumber(tid));
    return target->pin != InvalidBuffer;
  }
  auto const row_number = RowOfTid(*tid);
  if (!row_number) {
    return false;
  }
  for (;;) {  // again when VACUUM takes the stub off between making and finding it
    row_stub::Outcome const found = row_stub::Find(relation, *row_number, target);
    if (found != row_stub::Outcome::kNone) {
      return found == row_stub::Outcome::kStub;
    }
    StubsWanted wanted;
    wanted.count = rows_ahead::Take(relation, *row_number, wanted.row_numbers);
    if (!MakeStubs(relation, wanted)) {
      return false;
    }
  }
}

}  // namespace orochi::pg::columnar_am
