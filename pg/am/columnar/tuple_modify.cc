// Rows in, and what is not there yet: changing and deleting them.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "utils/rel.h"
}

namespace orochi::pg::columnar_am {
namespace {

[[noreturn]] void Refuse(Relation relation, const char* what) {
  ereport(ERROR,
          (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
           errmsg("%s is not supported on columnar table \"%s\" yet", what,
                  RelationGetRelationName(relation)),
           errhint("Move the table back to heap first, with orochi.decompress_chunk or ALTER TABLE "
                   "... SET ACCESS METHOD heap.")));
  pg_unreachable();
}

}  // namespace

void TupleInsert(Relation relation, TupleTableSlot* slot, CommandId command_id, int options,
                 BulkInsertStateData* bulk) {
  InsertRows(relation, &slot, 1, command_id, options, bulk != nullptr);
}

void MultiInsert(Relation relation, TupleTableSlot** slots, int slot_count, CommandId command_id,
                 int options, BulkInsertStateData*) {
  InsertRows(relation, slots, slot_count, command_id, options, true);
}

void TupleInsertSpeculative(Relation relation, TupleTableSlot*, CommandId, int,
                            BulkInsertStateData*, uint32) {
  Refuse(relation, "INSERT ... ON CONFLICT");
}

void TupleCompleteSpeculative(Relation relation, TupleTableSlot*, uint32, bool) {
  Refuse(relation, "INSERT ... ON CONFLICT");
}

TM_Result TupleDelete(Relation relation, ItemPointer, CommandId, Snapshot, Snapshot, bool,
                      TM_FailureData*, bool changing_partition) {
  Refuse(relation, changing_partition ? "UPDATE that moves a row to another partition" : "DELETE");
}

TM_Result TupleUpdate(Relation relation, ItemPointer, TupleTableSlot*, CommandId, Snapshot,
                      Snapshot, bool, TM_FailureData*, LockTupleMode*, bool*) {
  Refuse(relation, "UPDATE");
}

// The relation may be a transient one whose storage goes to another right after this.
void FinishBulkInsert(Relation relation, int) {
  Boundary([&]() -> Status { return WriteOutPending(relation); });
}

}  // namespace orochi::pg::columnar_am
