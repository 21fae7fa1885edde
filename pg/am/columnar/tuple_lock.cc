// SELECT ... FOR UPDATE and its like, and the newest version of a row somebody else changed.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/tuple_id.h"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

void NotThere(ItemPointer tid, TM_FailureData* failure) {
  failure->ctid = *tid;
  failure->xmax = InvalidTransactionId;
  failure->cmax = InvalidCommandId;
  failure->traversed = false;
}

// Whether the tuple at `tid` is what transaction `updater` made of the one before it in a chain.
bool IsMadeBy(Relation relation, ItemPointer tid, TransactionId updater) {
  if (ItemPointerGetBlockNumber(tid) >= RelationGetNumberOfBlocks(relation)) {
    return false;
  }
  HeapTupleData tuple;
  tuple.t_self = *tid;
  Buffer buffer = InvalidBuffer;
  if (!heap_fetch(relation, SnapshotAny, &tuple, &buffer, false)) {
    return false;
  }
  bool const same = TransactionIdEquals(HeapTupleHeaderGetXmin(tuple.t_data), updater);
  ReleaseBuffer(buffer);
  return same;
}

// Leaves the locked row in `slot`: from the stripe when what is locked is its stub.
void StoreLocked(Relation relation, ItemPointer tid, TupleTableSlot* heap_slot,
                 TupleTableSlot* slot) {
  if (auto const row_number = RowOfTid(*tid)) {
    if (!FetchStripeRow(relation, *row_number, SnapshotAny, slot)) {
      ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                      errmsg("row %llu of columnar table \"%s\" is in no stripe",
                             static_cast<unsigned long long>(*row_number),
                             RelationGetRelationName(relation))));
    }
    return;
  }
  bool should_free = false;
  StoreCopy(relation, ExecFetchSlotHeapTuple(heap_slot, false, &should_free), slot);
}

}  // namespace

// Heap locks one version at a time; the way along a chain is ours, since a version may be in a
// stripe.
TM_Result TupleLock(Relation relation, ItemPointer tid, Snapshot snapshot, TupleTableSlot* slot,
                    CommandId command_id, LockTupleMode mode, LockWaitPolicy wait_policy,
                    uint8 flags, TM_FailureData* failure) {
  bool const to_newest = (flags & TUPLE_LOCK_FLAG_FIND_LAST_VERSION) != 0;
  auto const heap_flags = static_cast<uint8>(flags & ~TUPLE_LOCK_FLAG_FIND_LAST_VERSION);
  TupleTableSlot* const heap_slot =
      MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsBufferHeapTuple);
  ItemPointerData current = *tid;
  bool traversed = false;
  TM_Result result = TM_Invisible;
  for (;;) {
    ItemPointerData heap_tid;
    if (!HeapTidOf(relation, &current, &heap_tid)) {
      NotThere(&current, failure);
      result = TM_Invisible;
      break;
    }
    result =
        GetHeapamTableAmRoutine()->tuple_lock(relation, &heap_tid, snapshot, heap_slot, command_id,
                                              mode, wait_policy, heap_flags, failure);
    if (result == TM_Ok) {
      StoreLocked(relation, &current, heap_slot, slot);
      *tid = current;  // what the caller goes on with: the executor updates this version
      break;
    }
    if (result != TM_Updated || !to_newest) {
      break;
    }
    if (ItemPointerIndicatesMovedPartitions(&failure->ctid)) {
      ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                      errmsg("tuple to be locked was already moved to another partition due to "
                             "concurrent update")));
    }
    ItemPointerData const next = failure->ctid;
    // The chain may end: its next version was made by an update that was undone.
    if (IsRowPageTid(next) && !IsMadeBy(relation, const_cast<ItemPointer>(&next), failure->xmax)) {
      result = TM_Deleted;
      break;
    }
    current = next;
    traversed = true;
  }
  failure->traversed = traversed || failure->traversed;
  ExecDropSingleTupleTableSlot(heap_slot);
  return result;
}

}  // namespace orochi::pg::columnar_am
