#include "pg/move/row_copy.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/am/columnar/row_changes.h"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"
}

namespace orochi::pg {
namespace {

constexpr int kBatchRowsMax = 1000;
constexpr Size kBatchBytesMax = 256 * 1024;

// Reads the rows of the source one by one.
struct Source {
  TableScanDesc scan;
  TupleTableSlot* slot;
  Snapshot snapshot;
  bool is_heap;  // else columnar
  TransactionId newest_change;
};

// A heap is read with all its dead rows, to learn who might still see them. Aborted transactions
// count too: they only make the answer more careful. Rows of our own, which a rewrite of the table
// earlier in this transaction leaves, were there before.
bool IsVisibleHeapRow(Source* source) {
  auto* const slot = reinterpret_cast<BufferHeapTupleTableSlot*>(source->slot);
  HeapTuple const tuple = slot->base.tuple;
  LockBuffer(slot->buffer, BUFFER_LOCK_SHARE);
  bool const visible = HeapTupleSatisfiesVisibility(tuple, source->snapshot, slot->buffer);
  VisitChangesOf(tuple->t_data, KeepNewest, &source->newest_change);
  LockBuffer(slot->buffer, BUFFER_LOCK_UNLOCK);
  return visible;
}

void OpenSource(Relation relation, Snapshot snapshot, Source* out) {
  out->is_heap = relation->rd_rel->relam == HEAP_TABLE_AM_OID;
  out->snapshot = snapshot;
  out->slot = table_slot_create(relation, nullptr);
  out->scan = table_beginscan_strat(relation, out->is_heap ? SnapshotAny : snapshot, 0, nullptr,
                                    true, false);
  // Of a heap, known when all rows were read.
  out->newest_change = out->is_heap ? InvalidTransactionId : NewestChange(relation);
}

bool NextRow(Source* source) {
  while (table_scan_getnextslot(source->scan, ForwardScanDirection, source->slot)) {
    CHECK_FOR_INTERRUPTS();
    if (!source->is_heap || IsVisibleHeapRow(source)) {
      return true;
    }
  }
  return false;
}

void CloseSource(Source* source) {
  table_endscan(source->scan);
  ExecDropSingleTupleTableSlot(source->slot);
}

// Collects rows and inserts them by batches.
struct Target {
  Relation relation;
  CommandId command;
  bool visible_to_all;
  int options;
  BulkInsertState bulk;
  TupleTableSlot* whole_row;  // virtual, with the source's descriptor
  TupleTableSlot* slots[kBatchRowsMax];
  int slot_count;
  Size batch_bytes;
  MemoryContext batch_context;
  int64 row_count;
};

void FlushBatch(Target* target) {
  if (target->slot_count == 0) {
    return;
  }
  MemoryContext const previous = MemoryContextSwitchTo(target->batch_context);
  table_multi_insert(target->relation, target->slots, target->slot_count, target->command,
                     target->options, target->bulk);
  MemoryContextSwitchTo(previous);
  MemoryContextReset(target->batch_context);
  for (int index = 0; index < target->slot_count; ++index) {
    ExecClearTuple(target->slots[index]);
  }
  target->row_count += target->slot_count;
  target->slot_count = 0;
  target->batch_bytes = 0;
}

Size SizeOfRow(TupleTableSlot* slot) {
  if (TTS_IS_BUFFERTUPLE(slot) || TTS_IS_HEAPTUPLE(slot)) {
    bool should_free = false;
    return ExecFetchSlotHeapTuple(slot, false, &should_free)->t_len;
  }
  TupleDesc const descriptor = slot->tts_tupleDescriptor;
  return heap_compute_data_size(descriptor, slot->tts_values, slot->tts_isnull);
}

// Every column is spelt out: values of columns added after the row was written come from the
// source's descriptor, which the target does not have; dropped columns become NULL.
void AddRow(Target* target, TupleTableSlot* row) {
  slot_getallattrs(row);
  TupleTableSlot* const whole = target->whole_row;
  TupleDesc const descriptor = whole->tts_tupleDescriptor;
  ExecClearTuple(whole);
  for (int index = 0; index < descriptor->natts; ++index) {
    bool const dropped = TupleDescAttr(descriptor, index)->attisdropped;
    whole->tts_values[index] = dropped ? 0 : row->tts_values[index];
    whole->tts_isnull[index] = dropped || row->tts_isnull[index];
  }
  ExecStoreVirtualTuple(whole);
  if (target->slots[target->slot_count] == nullptr) {
    target->slots[target->slot_count] = table_slot_create(target->relation, nullptr);
  }
  TupleTableSlot* const slot = target->slots[target->slot_count++];
  ExecCopySlot(slot, whole);
  target->batch_bytes += SizeOfRow(slot);
  if (target->slot_count == kBatchRowsMax || target->batch_bytes >= kBatchBytesMax) {
    FlushBatch(target);
  }
}

void OpenTarget(Relation relation, TupleDesc source_descriptor, bool visible_to_all, Target* out) {
  out->relation = relation;
  out->command = GetCurrentCommandId(true);
  out->visible_to_all = visible_to_all;
  out->options = TABLE_INSERT_SKIP_FSM | (visible_to_all ? TABLE_INSERT_FROZEN : 0);
  out->bulk = GetBulkInsertState();
  out->whole_row = MakeSingleTupleTableSlot(source_descriptor, &TTSOpsVirtual);
  out->batch_context =
      AllocSetContextCreate(CurrentMemoryContext, "orochi move batch", ALLOCSET_DEFAULT_SIZES);
}

void CloseTarget(Target* target) {
  FlushBatch(target);
  FreeBulkInsertState(target->bulk);
  table_finish_bulk_insert(target->relation, target->options);
  if (target->visible_to_all && IsColumnar(target->relation)) {
    MarkStripesMoved(target->relation);
  }
  for (int index = 0; index < kBatchRowsMax && target->slots[index] != nullptr; ++index) {
    ExecDropSingleTupleTableSlot(target->slots[index]);
  }
  ExecDropSingleTupleTableSlot(target->whole_row);
  MemoryContextDelete(target->batch_context);
}

int64 CopyInSourceOrder(Source* source, Target* target) {
  int64 row_count = 0;
  for (; NextRow(source); ++row_count) {
    AddRow(target, source->slot);
  }
  return row_count;
}

int64 CopySorted(Source* source, TupleDesc descriptor, const OrderKey& order, Target* target) {
  OrderKey key = order;  // tuplesort wants arrays it may write
  Tuplesortstate* const sort =
      tuplesort_begin_heap(descriptor, key.column_count, key.columns, key.operators, key.collations,
                           key.nulls_first, maintenance_work_mem, nullptr, TUPLESORT_NONE);
  int64 row_count = 0;
  for (; NextRow(source); ++row_count) {
    tuplesort_puttupleslot(sort, source->slot);
  }
  tuplesort_performsort(sort);
  TupleTableSlot* const row = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
  while (tuplesort_gettupleslot(sort, true, false, row, nullptr)) {
    CHECK_FOR_INTERRUPTS();
    AddRow(target, row);
  }
  ExecDropSingleTupleTableSlot(row);
  tuplesort_end(sort);
  return row_count;
}

}  // namespace

void CopyRows(Relation source_relation, Relation target_relation, const RowCopyOptions& options,
              RowCopyResult* out) noexcept {
  Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
  PushActiveSnapshot(snapshot);  // reading TOASTed values needs one
  TupleDesc const descriptor = RelationGetDescr(source_relation);
  Source source = {};
  OpenSource(source_relation, snapshot, &source);
  auto* const target = static_cast<Target*>(palloc0(sizeof(Target)));
  OpenTarget(target_relation, descriptor, options.visible_to_all, target);
  int64 const row_count = options.order->column_count == 0
                              ? CopyInSourceOrder(&source, target)
                              : CopySorted(&source, descriptor, *options.order, target);
  CloseTarget(target);
  CloseSource(&source);
  if (target->row_count != row_count) {
    ereport(ERROR,
            (errcode(ERRCODE_INTERNAL_ERROR),
             errmsg("copied " INT64_FORMAT " rows of table \"%s\", read " INT64_FORMAT,
                    target->row_count, RelationGetRelationName(source_relation), row_count)));
  }
  out->row_count = row_count;
  out->newest_change = source.newest_change;
  // A snapshot with a later xmin than ours was taken after the last change in any case.
  if (TransactionIdIsValid(out->newest_change) &&
      TransactionIdFollows(out->newest_change, snapshot->xmin)) {
    out->newest_change = snapshot->xmin;
  }
  PopActiveSnapshot();
  UnregisterSnapshot(snapshot);
}

int64 CountRows(Relation relation) noexcept {
  Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
  PushActiveSnapshot(snapshot);
  TupleTableSlot* const slot = table_slot_create(relation, nullptr);
  TableScanDesc const scan = table_beginscan_strat(relation, snapshot, 0, nullptr, true, false);
  int64 row_count = 0;
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    ++row_count;
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  PopActiveSnapshot();
  UnregisterSnapshot(snapshot);
  return row_count;
}

}  // namespace orochi::pg
