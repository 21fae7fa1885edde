// SELECT ... FOR UPDATE and its like, and the newest version of a row somebody else changed.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/moved_row.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/injection.h"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
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

// The transaction that moves the tuple into a stripe right now, or invalid.
TransactionId MoverOf(const row_stub::Target& target) {
  LockBuffer(target.pin, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(target.pin);
  OffsetNumber const offset = ItemPointerGetOffsetNumber(&target.tid);
  TransactionId mover = InvalidTransactionId;
  if (offset <= PageGetMaxOffsetNumber(page) && ItemIdIsNormal(PageGetItemId(page, offset))) {
    auto* const header =
        reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, offset)));
    uint16 const infomask = header->t_infomask;
    if ((infomask & (HEAP_XMAX_INVALID | HEAP_XMAX_IS_MULTI)) == 0 &&
        !HEAP_XMAX_IS_LOCKED_ONLY(infomask) && RowOfTid(header->t_ctid)) {
      mover = HeapTupleHeaderGetRawXmax(header);
    }
  }
  LockBuffer(target.pin, BUFFER_LOCK_UNLOCK);
  return TransactionIdIsValid(mover) && TransactionIdIsInProgress(mover) &&
                 !TransactionIdIsCurrentTransactionId(mover)
             ? mover
             : InvalidTransactionId;
}

// Waits for the mover as heap waits for an updater. False when the policy is to skip the row.
bool WaitForMover(Relation relation, ItemPointer tid, TransactionId mover,
                  LockWaitPolicy wait_policy) {
  switch (wait_policy) {
    case LockWaitBlock:
      XactLockTableWait(mover, relation, tid, XLTW_Lock);
      return true;
    case LockWaitSkip:
      return ConditionalXactLockTableWait(mover);
    case LockWaitError:
      if (!ConditionalXactLockTableWait(mover)) {
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                        errmsg("could not obtain lock on row in relation \"%s\"",
                               RelationGetRelationName(relation))));
      }
      return true;
  }
  return true;
}

// Whether the tuple at `tid` is what transaction `updater` made of the one before it in a chain.
bool IsMadeBy(Relation relation, ItemPointer tid, TransactionId updater) {
  Buffer const pin = row_pages::Pin(relation, ItemPointerGetBlockNumber(tid));
  if (!BufferIsValid(pin)) {
    return false;
  }
  HeapTupleData tuple;
  tuple.t_self = *tid;
  Buffer buffer = InvalidBuffer;
  bool same = false;
  if (heap_fetch(relation, SnapshotAny, &tuple, &buffer, false)) {
    same = TransactionIdEquals(HeapTupleHeaderGetXmin(tuple.t_data), updater);
    ReleaseBuffer(buffer);
  }
  ReleaseBuffer(pin);
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
    row_stub::Target target;
    if (!HeapTargetOf(relation, &current, &target)) {
      NotThere(&current, failure);
      result = TM_Invisible;
      break;
    }
    // Heap, asked to lock what an unfinished update makes, would look for it on a page. It cannot
    // become a move from here on: we hold the pin.
    if (TransactionId const mover = MoverOf(target); TransactionIdIsValid(mover)) {
      ReleaseBuffer(target.pin);
      if (!WaitForMover(relation, &current, mover, wait_policy)) {
        NotThere(&current, failure);
        result = TM_WouldBlock;
        break;
      }
      continue;
    }
    WAL_RECORD("row_locked", result = GetHeapamTableAmRoutine()->tuple_lock(
                                 relation, &target.tid, snapshot, heap_slot, command_id, mode,
                                 wait_policy, heap_flags, failure));
    ReleaseBuffer(target.pin);
    if (result == TM_Ok) {
      StoreLocked(relation, &current, heap_slot, slot);
      *tid = current;  // what the caller goes on with: the executor updates this version
      break;
    }
    if (IsMove(result, *failure)) {
      current = failure->ctid;
      continue;
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
  if (result == TM_Invisible) {
    // ON CONFLICT asks the slot who inserted the row, to say that one command meets it twice.
    ExecClearTuple(slot);
    slot->tts_tableOid = RelationGetRelid(relation);
    slot->tts_tid = current;
  }
  failure->traversed = traversed || failure->traversed;
  ExecDropSingleTupleTableSlot(heap_slot);
  return result;
}

}  // namespace orochi::pg::columnar_am
