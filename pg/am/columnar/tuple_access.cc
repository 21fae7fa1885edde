// Rows by tuple id: index fetches, row versions, row locks.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/row_fetcher.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
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
  OwnedFetcher* owned;
};

// Fetches by tuple id come one by one without a scan to hang state on (AFTER triggers, foreign
// keys, TID scans): the last relation's fetcher is kept for the transaction.
struct LastFetcher {
  std::unique_ptr<RowFetcher> fetcher;
  RelFileNode node{};
  int attribute_count = 0;
};
LastFetcher last_fetcher;

Result<RowFetcher*> FetcherFor(Relation relation) {
  int const attribute_count = RelationGetDescr(relation)->natts;
  if (last_fetcher.fetcher == nullptr || !RelFileNodeEquals(last_fetcher.node, relation->rd_node) ||
      last_fetcher.attribute_count != attribute_count ||
      last_fetcher.fetcher->storage_id() == 0) {  // unlogged, given at the first write
    last_fetcher.fetcher.reset();
    ASSIGN_OR_RETURN(last_fetcher.fetcher, RowFetcher::Open(relation));
    last_fetcher.node = relation->rd_node;
    last_fetcher.attribute_count = attribute_count;
  }
  last_fetcher.fetcher->Rebind(relation);
  return last_fetcher.fetcher.get();
}

// The caller's slot must outlive the fetcher's next row: values are copied into it.
bool FetchByTid(Relation relation, ItemPointer tid, Snapshot snapshot, TupleTableSlot* slot) {
  bool const found = Boundary([&]() -> Result<bool> {
    auto const row_number = RowOfTid(*tid);
    if (!row_number) {
      return false;
    }
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->Fetch(*row_number, snapshot, slot);
  });
  if (found) {
    ExecMaterializeSlot(slot);
  }
  return found;
}

}  // namespace

void ForgetFetchedRows() {
  last_fetcher.fetcher.reset();
}

IndexFetchTableData* IndexFetchBegin(Relation relation) {
  auto* const fetch = static_cast<ColumnarIndexFetch*>(palloc0(sizeof(ColumnarIndexFetch)));
  fetch->base.rel = relation;
  Boundary([&]() -> Status {
    fetch->owned = NewIn<OwnedFetcher>(CurrentMemoryContext);
    return Status::Ok();
  });
  return &fetch->base;
}

void IndexFetchReset(IndexFetchTableData*) {}

void IndexFetchEnd(IndexFetchTableData* base) {
  auto* const fetch = reinterpret_cast<ColumnarIndexFetch*>(base);
  fetch->owned->fetcher.reset();
  pfree(fetch);
}

bool IndexFetchTuple(IndexFetchTableData* base, ItemPointer tid, Snapshot snapshot,
                     TupleTableSlot* slot, bool* call_again, bool* all_dead) {
  auto* const fetch = reinterpret_cast<ColumnarIndexFetch*>(base);
  *call_again = false;
  if (all_dead != nullptr) {
    *all_dead = false;
  }
  bool const found = Boundary([&]() -> Result<bool> {
    auto const row_number = RowOfTid(*tid);
    if (!row_number) {
      return false;
    }
    if (snapshot->snapshot_type != SNAPSHOT_DIRTY) {
      RETURN_IF_ERROR(WriteOutPending(base->rel));
    }
    if (fetch->owned->fetcher == nullptr) {
      ASSIGN_OR_RETURN(fetch->owned->fetcher, RowFetcher::Open(base->rel));
    }
    return fetch->owned->fetcher->Fetch(*row_number, snapshot, slot);
  });
  // Index scans are done with a row before they end; constraint checks look at it afterwards.
  if (found && !IsMVCCSnapshot(snapshot)) {
    ExecMaterializeSlot(slot);
  }
  return found;
}

// Nothing is ever reported dead, so what indexes want to delete on their own is theirs to know.
TransactionId IndexDeleteTuples(Relation, TM_IndexDeleteOp* operation) {
  if (operation->bottomup) {
    operation->ndeltids = 0;
  }
  return InvalidTransactionId;
}

bool TupleFetchRowVersion(Relation relation, ItemPointer tid, Snapshot snapshot,
                          TupleTableSlot* slot) {
  return FetchByTid(relation, tid, snapshot, slot);
}

bool TupleSatisfiesSnapshot(Relation relation, TupleTableSlot* slot, Snapshot snapshot) {
  return Boundary([&]() -> Result<bool> {
    auto const row_number = RowOfTid(slot->tts_tid);
    if (!row_number) {
      return false;
    }
    RETURN_IF_ERROR(WriteOutPending(relation));
    ASSIGN_OR_RETURN(RowFetcher* const fetcher, FetcherFor(relation));
    return fetcher->IsVisible(*row_number, snapshot);
  });
}

TM_Result TupleLock(Relation relation, ItemPointer tid, Snapshot, TupleTableSlot* slot, CommandId,
                    LockTupleMode mode, LockWaitPolicy, uint8, TM_FailureData* failure) {
  if (mode != LockTupleKeyShare && mode != LockTupleShare) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("locking rows for an update is not supported on columnar table \"%s\" yet",
                    RelationGetRelationName(relation)),
             errdetail("FOR UPDATE, FOR NO KEY UPDATE and ON CONFLICT DO UPDATE lock rows so."),
             errhint("Use FOR SHARE or FOR KEY SHARE, or move the table back to heap with "
                     "orochi.decompress_chunk or ALTER TABLE ... SET ACCESS METHOD heap.")));
  }
  // Shared row locks keep a row from being changed or deleted. Nothing can do that to a columnar
  // row; what removes all rows waits for this transaction's table lock.
  if (!FetchByTid(relation, tid, SnapshotSelf, slot)) {
    failure->ctid = *tid;
    failure->xmax = InvalidTransactionId;
    failure->cmax = InvalidCommandId;
    failure->traversed = false;
    return TM_Invisible;
  }
  failure->traversed = false;
  return TM_Ok;
}

}  // namespace orochi::pg::columnar_am
