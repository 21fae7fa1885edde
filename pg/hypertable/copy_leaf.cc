#include "pg/hypertable/copy_leaf.h"

extern "C" {
#include "access/attmap.h"
#include "access/tupconvert.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "utils/rel.h"
}

#include "pg/bridge.h"

namespace orochi::pg {

namespace {

constexpr int kInsertOptions = 0;

void MakeBuffers(CopyLeaf* leaf, EState* estate) noexcept {
  MemoryContext const caller = MemoryContextSwitchTo(estate->es_query_cxt);
  leaf->slot_capacity = leaf->one_by_one ? 1 : 64;
  leaf->slots = static_cast<TupleTableSlot**>(palloc(leaf->slot_capacity * sizeof(*leaf->slots)));
  leaf->lines = static_cast<uint64*>(palloc(leaf->slot_capacity * sizeof(*leaf->lines)));
  if (leaf->relation->ri_FdwRoutine == nullptr) {
    leaf->bulk = GetBulkInsertState();
  }
  MemoryContextSwitchTo(caller);
}

void GrowBuffers(CopyLeaf* leaf) noexcept {
  leaf->slot_capacity *= 2;
  leaf->slots = static_cast<TupleTableSlot**>(
      repalloc(leaf->slots, leaf->slot_capacity * sizeof(*leaf->slots)));
  leaf->lines =
      static_cast<uint64*>(repalloc(leaf->lines, leaf->slot_capacity * sizeof(*leaf->lines)));
}

// After the row is in the table: its index entries and AFTER ROW triggers.
void FinishRow(CopyLeaf* leaf, TupleTableSlot* slot, EState* estate,
               TransitionCaptureState* capture) noexcept {
  ResultRelInfo* const relation = leaf->relation;
  List* recheck = NIL;
  if (relation->ri_NumIndices > 0) {
    recheck = ExecInsertIndexTuples(relation, slot, estate, false, false, nullptr, NIL);
  }
  ExecARInsertTriggers(estate, relation, slot, recheck, capture);
  list_free(recheck);
}

}  // namespace

CopyLeaf* MakeCopyLeaf(EState* estate, ResultRelInfo* relation, bool one_by_one) noexcept {
  auto* leaf =
      static_cast<CopyLeaf*>(MemoryContextAllocZero(estate->es_query_cxt, sizeof(CopyLeaf)));
  const TriggerDesc* const triggers = relation->ri_TrigDesc;
  leaf->relation = relation;
  leaf->has_before_trigger = triggers != nullptr && triggers->trig_insert_before_row;
  leaf->one_by_one = one_by_one || leaf->has_before_trigger || relation->ri_FdwRoutine != nullptr;
  leaf->needs_work_per_row =
      relation->ri_NumIndices > 0 ||
      (triggers != nullptr && (triggers->trig_insert_after_row || triggers->trig_insert_new_table));
  return leaf;
}

TupleTableSlot* NextLeafSlot(CopyLeaf* leaf, EState* estate) noexcept {
  if (leaf->slots == nullptr) {
    MakeBuffers(leaf, estate);
  }
  if (leaf->waiting_count == leaf->slot_capacity) {
    GrowBuffers(leaf);
  }
  if (leaf->waiting_count == leaf->slot_count) {
    MemoryContext const caller = MemoryContextSwitchTo(estate->es_query_cxt);
    leaf->slots[leaf->slot_count++] = table_slot_create(leaf->relation->ri_RelationDesc, nullptr);
    MemoryContextSwitchTo(caller);
  }
  leaf->used_since_flush = true;
  return leaf->slots[leaf->waiting_count];
}

void FillLeafSlot(const CopyLeaf* leaf, TupleTableSlot* row, TupleTableSlot* slot) noexcept {
  TupleConversionMap* const map = leaf->relation->ri_RootToPartitionMap;
  if (map != nullptr) {
    execute_attr_map_slot(map->attrMap, row, slot);
  } else {
    auto const column_count = static_cast<size_t>(row->tts_tupleDescriptor->natts);
    ExecClearTuple(slot);
    memcpy(slot->tts_values, row->tts_values, column_count * sizeof(Datum));
    memcpy(slot->tts_isnull, row->tts_isnull, column_count * sizeof(bool));
    ExecStoreVirtualTuple(slot);
  }
  slot->tts_tableOid = RelationGetRelid(leaf->relation->ri_RelationDesc);
}

void BufferLeafRow(CopyLeaf* leaf, uint64 line) noexcept {
  leaf->lines[leaf->waiting_count++] = line;
}

int FlushLeaf(CopyLeaf* leaf, EState* estate, CopyFromState input, CommandId command_id) noexcept {
  int const count = leaf->waiting_count;
  if (count == 0) {
    return 0;
  }
  // Errors from here on are about rows read earlier: their line number, without their text.
  uint64 const read_line = input->cur_lineno;
  bool const read_line_valid = input->line_buf_valid;
  input->line_buf_valid = false;
  input->cur_lineno = leaf->lines[0];

  MemoryContext const caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
  table_multi_insert(leaf->relation->ri_RelationDesc, leaf->slots, count, command_id,
                     kInsertOptions, leaf->bulk);
  MemoryContextSwitchTo(caller);
  for (int i = 0; i < count; ++i) {
    if (leaf->needs_work_per_row) {
      input->cur_lineno = leaf->lines[i];
      FinishRow(leaf, leaf->slots[i], estate, nullptr);
    }
    ExecClearTuple(leaf->slots[i]);
  }
  ResetPerTupleExprContext(estate);

  leaf->waiting_count = 0;
  input->line_buf_valid = read_line_valid;
  input->cur_lineno = read_line;
  return count;
}

bool InsertLeafRow(CopyLeaf* leaf, TupleTableSlot* slot, EState* estate, CommandId command_id,
                   TransitionCaptureState* capture) noexcept {
  ResultRelInfo* const relation = leaf->relation;
  if (relation->ri_FdwRoutine != nullptr) {
    slot = relation->ri_FdwRoutine->ExecForeignInsert(estate, relation, slot, nullptr);
    if (slot == nullptr) {
      return false;
    }
    slot->tts_tableOid = RelationGetRelid(relation->ri_RelationDesc);
  } else {
    table_tuple_insert(relation->ri_RelationDesc, slot, command_id, kInsertOptions, leaf->bulk);
  }
  FinishRow(leaf, slot, estate, capture);
  return true;
}

void ReleaseLeafBuffers(CopyLeaf* leaf) noexcept {
  if (leaf->slots == nullptr) {
    return;
  }
  for (int i = 0; i < leaf->slot_count; ++i) {
    ExecDropSingleTupleTableSlot(leaf->slots[i]);
  }
  pfree(leaf->slots);
  pfree(leaf->lines);
  leaf->slots = nullptr;
  leaf->lines = nullptr;
  leaf->slot_count = 0;
  leaf->slot_capacity = 0;
  if (leaf->bulk != nullptr) {
    FreeBulkInsertState(leaf->bulk);
    leaf->bulk = nullptr;
    table_finish_bulk_insert(leaf->relation->ri_RelationDesc, kInsertOptions);
  }
}

}  // namespace orochi::pg
