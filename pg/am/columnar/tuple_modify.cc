// INSERT, UPDATE, DELETE and speculative insertion.

#include <algorithm>
#include <functional>

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/insert_place.h"
#include "pg/am/columnar/large_value.h"
#include "pg/am/columnar/moved_row.h"
#include "pg/am/columnar/row_group_view.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/heapam.h"
#include "access/sysattr.h"
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

// Whether the update makes a key NULL of a row in a stripe. A stub from before the key was there
// has NULL for it, and heap would see no change.
bool TakesKeyAway(Relation relation, const ItemPointerData& tid, TupleTableSlot* slot) {
  auto const row_number = RowOfTid(tid);
  if (!row_number) {
    return false;
  }
  slot_getallattrs(slot);
  const bool* const nulls = slot->tts_isnull;
  if (std::none_of(nulls, nulls + slot->tts_nvalid, std::identity())) {
    return false;
  }
  Bitmapset* const keys = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_KEY);
  TupleTableSlot* old = nullptr;
  bool takes_away = false;
  for (int member = -1; !takes_away && (member = bms_next_member(keys, member)) >= 0;) {
    int const attribute = member + FirstLowInvalidHeapAttributeNumber;
    if (attribute <= 0 || !nulls[attribute - 1]) {
      continue;
    }
    if (old == nullptr) {
      old = MakeSingleTupleTableSlot(RelationGetDescr(relation), ColumnarSlotOps());
      if (!FetchStripeRow(relation, *row_number, SnapshotSelf, old)) {
        break;
      }
    }
    bool is_null = false;
    slot_getattr(old, attribute, &is_null);
    takes_away = !is_null;
  }
  if (old != nullptr) {
    ExecDropSingleTupleTableSlot(old);
  }
  bms_free(keys);
  return takes_away;
}

// Locks the row as a change of its keys does. What is in the way heap_update finds too, and says.
void LockKeys(Relation relation, const row_stub::Target& target, CommandId command_id,
              LockWaitPolicy wait) {
  HeapTupleData tuple;
  tuple.t_self = target.tid;
  Buffer buffer = InvalidBuffer;
  TM_FailureData failure;
  WAL_RECORD("row_locked", heap_lock_tuple(relation, &tuple, command_id, LockTupleExclusive, wait,
                                           false, &buffer, &failure));
  ReleaseBuffer(buffer);
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
    if (TakesKeyAway(relation, *tid, slot)) {
      LockKeys(relation, target, command_id, wait ? LockWaitBlock : LockWaitSkip);
    }
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
