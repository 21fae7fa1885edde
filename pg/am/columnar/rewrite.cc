// VACUUM FULL and CLUSTER, which write all rows anew.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/large_value.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/am/columnar/row_changes.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"
#include "pg/move/order_key.h"

extern "C" {
#include "access/genam.h"
#include "catalog/pg_am.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"
}

namespace orochi::pg::columnar_am {
namespace {

// Rows go over in batches of one: the write buffer does the batching. Those that stay out of
// stripes are frozen, to be seen as the stripes are, by everybody once the new file is in place.
void CopySlot(Relation to, TupleTableSlot* slot, CommandId command_id, double* row_count) {
  if (HasLargeValue(slot)) {
    TupleInsert(to, slot, command_id, TABLE_INSERT_FROZEN, nullptr);
  } else {
    InsertRows(to, &slot, 1, command_id, 0, true);
  }
  *row_count += 1;
}

void CopyInStoredOrder(Relation from, Relation to, CommandId command_id, double* row_count) {
  TupleTableSlot* const slot = table_slot_create(from, nullptr);
  TableScanDesc const scan = table_beginscan(from, SnapshotSelf, 0, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    CopySlot(to, slot, command_id, row_count);
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
}

void CopySorted(Relation from, Relation to, Relation index, CommandId command_id,
                double* row_count) {
  TupleTableSlot* const slot = table_slot_create(from, nullptr);
  Tuplesortstate* const sort = tuplesort_begin_cluster(
      RelationGetDescr(from), index, maintenance_work_mem, nullptr, TUPLESORT_NONE);
  TableScanDesc const scan = table_beginscan(from, SnapshotSelf, 0, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    HeapTuple const tuple = ExecCopySlotHeapTuple(slot);
    tuplesort_putheaptuple(sort, tuple);
    heap_freetuple(tuple);
  }
  table_endscan(scan);
  tuplesort_performsort(sort);
  HeapTuple tuple;
  while ((tuple = tuplesort_getheaptuple(sort, true)) != nullptr) {
    CHECK_FOR_INTERRUPTS();
    ExecClearTuple(slot);
    heap_deform_tuple(tuple, RelationGetDescr(from), slot->tts_values, slot->tts_isnull);
    ExecStoreVirtualTuple(slot);
    CopySlot(to, slot, command_id, row_count);
  }
  tuplesort_end(sort);
  ExecDropSingleTupleTableSlot(slot);
}

// The order that the owner chose for the table.
void CopyInOrder(Relation from, Relation to, const OrderKey& order, CommandId command_id,
                 double* row_count) {
  OrderKey key = order;  // tuplesort wants arrays it may write
  TupleTableSlot* const slot = table_slot_create(from, nullptr);
  Tuplesortstate* const sort = tuplesort_begin_heap(
      RelationGetDescr(from), key.column_count, key.columns, key.operators, key.collations,
      key.nulls_first, maintenance_work_mem, nullptr, TUPLESORT_NONE);
  TableScanDesc const scan = table_beginscan(from, SnapshotSelf, 0, nullptr);
  while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    slot_getallattrs(slot);
    tuplesort_puttupleslot(sort, slot);
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  tuplesort_performsort(sort);
  TupleTableSlot* const row = MakeSingleTupleTableSlot(RelationGetDescr(from), &TTSOpsMinimalTuple);
  while (tuplesort_gettupleslot(sort, true, false, row, nullptr)) {
    CHECK_FOR_INTERRUPTS();
    CopySlot(to, row, command_id, row_count);
  }
  ExecDropSingleTupleTableSlot(row);
  tuplesort_end(sort);
}

void CopyInIndexOrder(Relation from, Relation to, Relation index, CommandId command_id,
                      double* row_count) {
  TupleTableSlot* const slot = table_slot_create(from, nullptr);
  IndexScanDesc const scan = index_beginscan(from, index, SnapshotSelf, 0, 0);
  index_rescan(scan, nullptr, 0, nullptr, 0);
  while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    CopySlot(to, slot, command_id, row_count);
  }
  index_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
}

}  // namespace

void CopyForCluster(Relation from, Relation to, Relation index, bool, TransactionId oldest_xmin,
                    TransactionId*, MultiXactId*, double* row_count, double* vacuumed_count,
                    double* recently_dead_count) {
  CommandId const command_id = GetCurrentCommandId(true);
  *row_count = *vacuumed_count = *recently_dead_count = 0;
  OrderKey order;
  if (index == nullptr && ChosenOrderKey(from, &order) && order.column_count > 0) {
    CopyInOrder(from, to, order, command_id, row_count);
  } else if (index == nullptr) {
    CopyInStoredOrder(from, to, command_id, row_count);
  } else if (index->rd_rel->relam == BTREE_AM_OID) {
    CopySorted(from, to, index, command_id, row_count);
  } else {
    CopyInIndexOrder(from, to, index, command_id, row_count);
  }
  Boundary([&]() -> Status { return WriteOutPending(to); });
  // Heap keeps old row versions through a rewrite; stripes know one writer only. When every
  // snapshot in use saw all rows before, all may see them now; else older snapshots get an error.
  if (AllChangesOlderThan(from, oldest_xmin)) {
    MarkStripesMoved(to);
  } else {
    MarkRewritten(to);
  }
}

}  // namespace orochi::pg::columnar_am
