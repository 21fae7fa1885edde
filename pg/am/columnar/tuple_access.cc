// Rows that indexes point at, and row versions by tuple id.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/moved_row.h"
#include "pg/am/columnar/row_fetcher.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/heapam.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

struct OwnedFetcher {
  std::unique_ptr<RowFetcher> fetcher;
};

struct ColumnarIndexFetch {
  IndexFetchTableData base;
  // Null until a query fetches a row of a stripe. Its holder stays until the context goes: checks
  // of uniqueness, which may be many in one context, do without.
  OwnedFetcher* owned;
  // Rows on row pages are found by heap's own fetch, along chains of heap-only tuples.
  IndexFetchTableData* heap;
  TupleTableSlot* heap_slot;
};

bool FetchFromRowPage(ColumnarIndexFetch* fetch, ItemPointer tid, Snapshot snapshot,
                      TupleTableSlot* slot, bool* call_again, bool* all_dead) {
  const TableAmRoutine* const heap = GetHeapamTableAmRoutine();
  if (fetch->heap == nullptr) {
    fetch->heap = heap->index_fetch_begin(fetch->base.rel);
    fetch->heap_slot =
        MakeSingleTupleTableSlot(RelationGetDescr(fetch->base.rel), &TTSOpsBufferHeapTuple);
  }
  // Heap keeps the page it read last pinned, and looks for no other kind of page.
  auto* const state = reinterpret_cast<IndexFetchHeapData*>(fetch->heap);
  BlockNumber const block = ItemPointerGetBlockNumber(tid);
  if (!BufferIsValid(state->xs_cbuf) || BufferGetBlockNumber(state->xs_cbuf) != block) {
    heap->index_fetch_reset(fetch->heap);
    state->xs_cbuf = row_pages::Pin(fetch->base.rel, block);
    if (!BufferIsValid(state->xs_cbuf)) {
      *call_again = false;
      if (all_dead != nullptr) {
        *all_dead = false;
      }
      return false;
    }
    heap_page_prune_opt(fetch->base.rel, state->xs_cbuf);
  }
  if (!heap->index_fetch_tuple(fetch->heap, tid, snapshot, fetch->heap_slot, call_again,
                               all_dead)) {
    return false;
  }
  bool should_free = false;
  HeapTuple const tuple = ExecFetchSlotHeapTuple(fetch->heap_slot, false, &should_free);
  LockTableIfMoved(fetch->base.rel, tuple->t_data, snapshot);
  StoreCopy(fetch->base.rel, tuple, slot);
  ExecClearTuple(fetch->heap_slot);
  return true;
}

}  // namespace

IndexFetchTableData* IndexFetchBegin(Relation relation) {
  auto* const fetch = static_cast<ColumnarIndexFetch*>(palloc0(sizeof(ColumnarIndexFetch)));
  fetch->base.rel = relation;
  return &fetch->base;
}

void IndexFetchReset(IndexFetchTableData* base) {
  auto* const fetch = reinterpret_cast<ColumnarIndexFetch*>(base);
  if (fetch->heap != nullptr) {
    GetHeapamTableAmRoutine()->index_fetch_reset(fetch->heap);
  }
}

void IndexFetchEnd(IndexFetchTableData* base) {
  auto* const fetch = reinterpret_cast<ColumnarIndexFetch*>(base);
  if (fetch->owned != nullptr) {
    fetch->owned->fetcher.reset();
  }
  if (fetch->heap != nullptr) {
    GetHeapamTableAmRoutine()->index_fetch_end(fetch->heap);
    ExecDropSingleTupleTableSlot(fetch->heap_slot);
  }
  pfree(fetch);
}

bool IndexFetchTuple(IndexFetchTableData* base, ItemPointer tid, Snapshot snapshot,
                     TupleTableSlot* slot, bool* call_again, bool* all_dead) {
  INJECTION_POINT_PLAIN("columnar_index_fetch");
  auto* const fetch = reinterpret_cast<ColumnarIndexFetch*>(base);
  if (IsRowPageTid(*tid)) {
    return FetchFromRowPage(fetch, tid, snapshot, slot, call_again, all_dead);
  }
  *call_again = false;
  if (all_dead != nullptr) {
    *all_dead = false;
  }
  auto const row_number = RowOfTid(*tid);
  if (!row_number) {
    return false;
  }
  if (!IsMVCCSnapshot(snapshot)) {
    return FetchForCheck(base->rel, *row_number, snapshot, slot);
  }
  return Boundary([&]() -> Result<bool> {
    RETURN_IF_ERROR(WriteOutPending(base->rel));
    if (fetch->owned == nullptr) {
      fetch->owned = NewIn<OwnedFetcher>(GetMemoryChunkContext(fetch));
    }
    if (fetch->owned->fetcher == nullptr) {
      ASSIGN_OR_RETURN(fetch->owned->fetcher, RowFetcher::Open(base->rel));
    }
    return fetch->owned->fetcher->Fetch(*row_number, snapshot, slot);
  });
}

// Nothing is reported dead here, so what indexes want to delete on their own is theirs to know.
TransactionId IndexDeleteTuples(Relation, TM_IndexDeleteOp* operation) {
  if (operation->bottomup) {
    operation->ndeltids = 0;
  }
  return InvalidTransactionId;
}

bool TupleFetchRowVersion(Relation relation, ItemPointer tid, Snapshot snapshot,
                          TupleTableSlot* slot) {
  return FetchVersion(relation, tid, snapshot, slot);
}

// Who asks found the row in another way, by a uniqueness check, and asks whether it is too new for
// a snapshot. One that VACUUM moved is not.
bool TupleSatisfiesSnapshot(Relation relation, TupleTableSlot* slot, Snapshot snapshot) {
  if (auto const row_number = RowOfTid(slot->tts_tid)) {
    PredicateLockTID(relation, &slot->tts_tid, snapshot, InvalidTransactionId);
    return IsInsertedFor(relation, *row_number, snapshot) &&
           row_stub::IsVisible(relation, *row_number, snapshot);
  }
  TupleTableSlot* const seen =
      MakeSingleTupleTableSlot(RelationGetDescr(relation), ColumnarSlotOps());
  bool const visible = FetchVersion(relation, &slot->tts_tid, snapshot, seen);
  ExecDropSingleTupleTableSlot(seen);
  return visible;
}

}  // namespace orochi::pg::columnar_am
