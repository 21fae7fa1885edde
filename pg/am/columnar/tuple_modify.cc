// INSERT, UPDATE, DELETE and speculative insertion.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/insert_place.h"
#include "pg/am/columnar/large_value.h"
#include "pg/am/columnar/moved_row.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/heapam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

void InsertOnRowPage(Relation relation, TupleTableSlot* slot, CommandId command_id, int options,
                     BulkInsertStateData* bulk, uint32 speculative_token) {
  bool should_free = true;
  HeapTuple const tuple = ExecFetchSlotHeapTuple(slot, true, &should_free);
  slot->tts_tableOid = RelationGetRelid(relation);
  tuple->t_tableOid = slot->tts_tableOid;
  if ((options & HEAP_INSERT_SPECULATIVE) != 0) {
    HeapTupleHeaderSetSpeculativeToken(tuple->t_data, speculative_token);
  }
  row_pages::PrepareTarget(relation);
  WAL_RECORD("row_inserted", heap_insert(relation, tuple, command_id, options, bulk));
  slot->tts_tid = tuple->t_self;
  if (should_free) {
    pfree(tuple);
  }
}

// A snapshot that lasts for the transaction goes on seeing a row where VACUUM moved it from since.
// Were the row changed where it is, the transaction would not see its own change: it must fail.
bool IsMovedSinceSnapshot(Relation relation, uint64_t row_number) {
  if (!IsolationUsesXactSnapshot()) {
    return false;
  }
  return IsMovedSince(relation, row_number, GetTransactionSnapshot());
}

// A row inserted after `crosscheck` counts as changed since, as in heap: foreign key actions under
// REPEATABLE READ look at rows that the transaction's snapshot may not see.
bool IsNewerThan(Relation relation, ItemPointer tid, Snapshot crosscheck, TM_FailureData* failure) {
  auto const row_number = RowOfTid(*tid);
  if (!row_number) {
    return false;
  }
  if (crosscheck != InvalidSnapshot ? SeesStripeOf(relation, *row_number, crosscheck)
                                    : !IsMovedSinceSnapshot(relation, *row_number)) {
    return false;
  }
  failure->ctid = *tid;
  failure->xmax = InvalidTransactionId;
  failure->cmax = InvalidCommandId;
  return true;
}

row_stub::Target RequireTarget(Relation relation, ItemPointer tid) {
  row_stub::Target target;
  if (!HeapTargetOf(relation, tid, &target)) {
    elog(ERROR, "columnar table \"%s\" has no row (%u,%u)", RelationGetRelationName(relation),
         ItemPointerGetBlockNumberNoCheck(tid), ItemPointerGetOffsetNumberNoCheck(tid));
  }
  return target;
}

// True when VACUUM moved the row while the caller was on its way to it. The caller's id of it
// follows: triggers and RETURNING look for the row that is changed by it.
bool FollowMove(TM_Result result, const TM_FailureData& failure, ItemPointer tid) {
  if (!IsMove(result, failure) || IsolationUsesXactSnapshot()) {
    return false;
  }
  *tid = failure.ctid;
  return true;
}

// Readers lock a row of a stripe by its own id, heap checks that of the stub. Only now that the
// change is there: who locks the row after this sees the change, who did so before is found.
TM_Result AfterChange(Relation relation, ItemPointer tid, TM_Result result) {
  if (result == TM_Ok && !IsRowPageTid(*tid)) {
    CheckForSerializableConflictIn(relation, tid, ItemPointerGetBlockNumber(tid));
  }
  return result;
}

}  // namespace

void TupleInsert(Relation relation, TupleTableSlot* slot, CommandId command_id, int options,
                 BulkInsertStateData* bulk) {
  if (MustGoToRowPage(slot) || GoToRowPages(relation, 1, command_id, options, bulk != nullptr)) {
    InsertOnRowPage(relation, slot, command_id, options, bulk, 0);
  } else {
    InsertRows(relation, &slot, 1, command_id, options, bulk != nullptr);
  }
}

void MultiInsert(Relation relation, TupleTableSlot** slots, int slot_count, CommandId command_id,
                 int options, BulkInsertStateData* bulk) {
  if (GoToRowPages(relation, slot_count, command_id, options, false)) {
    row_pages::PrepareTarget(relation);
    WAL_RECORD("rows_inserted",
               heap_multi_insert(relation, slots, slot_count, command_id, options, bulk));
    return;
  }
  for (int done = 0; done < slot_count;) {
    int count = 0;
    while (done + count < slot_count && !MustGoToRowPage(slots[done + count])) {
      ++count;
    }
    if (count > 0) {
      InsertRows(relation, slots + done, count, command_id, options, true);
      done += count;
    } else {
      InsertOnRowPage(relation, slots[done++], command_id, options, bulk, 0);
    }
  }
}

void TupleInsertSpeculative(Relation relation, TupleTableSlot* slot, CommandId command_id,
                            int options, BulkInsertStateData* bulk, uint32 token) {
  InsertOnRowPage(relation, slot, command_id, options | HEAP_INSERT_SPECULATIVE, bulk, token);
}

void TupleCompleteSpeculative(Relation relation, TupleTableSlot* slot, uint32, bool succeeded) {
  if (succeeded) {
    WAL_RECORD("speculation_confirmed", heap_finish_speculative(relation, &slot->tts_tid));
  } else {
    heap_abort_speculative(relation, &slot->tts_tid);
  }
}

TM_Result TupleDelete(Relation relation, ItemPointer tid, CommandId command_id, Snapshot,
                      Snapshot crosscheck, bool wait, TM_FailureData* failure,
                      bool changing_partition) {
  if (IsNewerThan(relation, tid, crosscheck, failure)) {
    return TM_Updated;
  }
  TM_Result result = TM_Ok;
  do {
    row_stub::Target target = RequireTarget(relation, tid);
    WAL_RECORD("row_deleted", result = heap_delete(relation, &target.tid, command_id, crosscheck,
                                                   wait, failure, changing_partition));
    ReleaseBuffer(target.pin);
  } while (FollowMove(result, *failure, tid));
  return AfterChange(relation, tid, result);
}

TM_Result TupleUpdate(Relation relation, ItemPointer tid, TupleTableSlot* slot,
                      CommandId command_id, Snapshot, Snapshot crosscheck, bool wait,
                      TM_FailureData* failure, LockTupleMode* mode, bool* update_indexes) {
  if (IsNewerThan(relation, tid, crosscheck, failure)) {
    return TM_Updated;
  }
  bool should_free = true;
  HeapTuple const tuple = ExecFetchSlotHeapTuple(slot, true, &should_free);
  slot->tts_tableOid = RelationGetRelid(relation);
  tuple->t_tableOid = slot->tts_tableOid;
  row_pages::PrepareTarget(relation);
  TM_Result result = TM_Ok;
  do {
    row_stub::Target target = RequireTarget(relation, tid);
    WAL_RECORD("row_updated", result = heap_update(relation, &target.tid, tuple, command_id,
                                                   crosscheck, wait, failure, mode));
    ReleaseBuffer(target.pin);
  } while (FollowMove(result, *failure, tid));
  result = AfterChange(relation, tid, result);
  slot->tts_tid = tuple->t_self;
  *update_indexes = result == TM_Ok && !HeapTupleIsHeapOnly(tuple);
  if (should_free) {
    pfree(tuple);
  }
  return result;
}

// The relation may be a transient one whose storage goes to another right after this.
void FinishBulkInsert(Relation relation, int) {
  Boundary([&]() -> Status { return WriteOutPending(relation); });
}

}  // namespace orochi::pg::columnar_am
