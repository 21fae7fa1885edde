#include "pg/am/columnar/row_version.h"

#include "pg/am/columnar/row_fetcher.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_stub.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/am/columnar/tuple_values.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "access/heapam.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "storage/proc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

// Fetches come one by one without a scan to hang state on: the last relation's fetcher is kept for
// the transaction.
struct LastFetcher {
  std::unique_ptr<RowFetcher> fetcher;
  RelFileNode node{};
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
  } else {
    RowGroupCache::Shrink();
  }
}

bool FetchForCheck(Relation relation, uint64_t row_number, Snapshot snapshot,
                   TupleTableSlot* slot) {
  bool const found = Boundary([&]() -> Result<bool> {
    if (snapshot->snapshot_type != SNAPSHOT_DIRTY) {
      RETURN_IF_ERROR(WriteOutPending(relation));
    }
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->Fetch(row_number, snapshot, slot);
  });
  if (found) {
    ExecMaterializeSlot(slot);  // the check looks at it after its scan
  }
  return found;
}

bool FetchStripeRow(Relation relation, uint64_t row_number, Snapshot snapshot,
                    TupleTableSlot* slot) {
  bool const found = Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->FetchFromStripe(row_number, snapshot, slot);
  });
  if (found) {
    ExecMaterializeSlot(slot);  // the fetcher's next row overwrites what it points at
  }
  return found;
}

bool SeesStripeOf(Relation relation, uint64_t row_number, Snapshot snapshot) {
  return Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->SeesStripeOf(row_number, snapshot);
  });
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
  row_stub::Outcome const known = row_stub::Find(relation, *row_number, target);
  if (known != row_stub::Outcome::kNone) {
    return known == row_stub::Outcome::kStub;
  }
  if (!row_stub::NeedsRow(relation)) {
    return SeesStripeOf(relation, *row_number, SnapshotSelf) &&
           row_stub::FindOrMake(relation, *row_number, nullptr, target) == row_stub::Outcome::kStub;
  }
  TupleTableSlot* const row =
      MakeSingleTupleTableSlot(RelationGetDescr(relation), ColumnarSlotOps());
  bool found = Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->FetchFromStripe(*row_number, SnapshotSelf, row);
  });
  if (found) {
    found = row_stub::FindOrMake(relation, *row_number, row, target) == row_stub::Outcome::kStub;
  }
  ExecDropSingleTupleTableSlot(row);
  return found;
}

}  // namespace orochi::pg::columnar_am
