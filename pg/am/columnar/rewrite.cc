// VACUUM FULL and CLUSTER, which write all rows anew.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/large_value.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/am/columnar/rewrite_versions.h"
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

// The rows that go to stripes.
struct Copy {
  Relation from;
  Relation to;
  CommandId command_id;
  const NewRows* left_out;
  double row_count;
};

// Rows go over in batches of one: the write buffer does the batching. Those that stay out of
// stripes are frozen, to be seen as the stripes are, by everybody once the new file is in place.
void CopySlot(Copy* copy, TupleTableSlot* slot) {
  if (HasLargeValue(slot)) {
    TupleInsert(copy->to, slot, copy->command_id, TABLE_INSERT_FROZEN, nullptr);
  } else {
    InsertRows(copy->to, &slot, 1, copy->command_id, 0, true);
  }
  copy->row_count += 1;
}

// The next row in stored order.
bool NextRow(const Copy& copy, TableScanDesc scan, TupleTableSlot* slot) {
  do {
    CHECK_FOR_INTERRUPTS();
    if (!table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
      return false;
    }
  } while (copy.left_out->Has(slot->tts_tid));
  return true;
}

void CopyInStoredOrder(Copy* copy) {
  TupleTableSlot* const slot = table_slot_create(copy->from, nullptr);
  TableScanDesc const scan = table_beginscan(copy->from, SnapshotSelf, 0, nullptr);
  while (NextRow(*copy, scan, slot)) {
    CopySlot(copy, slot);
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
}

void CopySorted(Copy* copy, Relation index) {
  Relation const from = copy->from;
  TupleTableSlot* const slot = table_slot_create(from, nullptr);
  Tuplesortstate* const sort = tuplesort_begin_cluster(
      RelationGetDescr(from), index, maintenance_work_mem, nullptr, TUPLESORT_NONE);
  TableScanDesc const scan = table_beginscan(from, SnapshotSelf, 0, nullptr);
  while (NextRow(*copy, scan, slot)) {
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
    CopySlot(copy, slot);
  }
  tuplesort_end(sort);
  ExecDropSingleTupleTableSlot(slot);
}

// The order that the owner chose for the table.
void CopyInOrder(Copy* copy, const OrderKey& order) {
  Relation const from = copy->from;
  OrderKey key = order;  // tuplesort wants arrays it may write
  TupleTableSlot* const slot = table_slot_create(from, nullptr);
  Tuplesortstate* const sort = tuplesort_begin_heap(
      RelationGetDescr(from), key.column_count, key.columns, key.operators, key.collations,
      key.nulls_first, maintenance_work_mem, nullptr, TUPLESORT_NONE);
  TableScanDesc const scan = table_beginscan(from, SnapshotSelf, 0, nullptr);
  while (NextRow(*copy, scan, slot)) {
    slot_getallattrs(slot);
    tuplesort_puttupleslot(sort, slot);
  }
  table_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  tuplesort_performsort(sort);
  TupleTableSlot* const row = MakeSingleTupleTableSlot(RelationGetDescr(from), &TTSOpsMinimalTuple);
  while (tuplesort_gettupleslot(sort, true, false, row, nullptr)) {
    CHECK_FOR_INTERRUPTS();
    CopySlot(copy, row);
  }
  ExecDropSingleTupleTableSlot(row);
  tuplesort_end(sort);
}

void CopyInIndexOrder(Copy* copy, Relation index) {
  Relation const from = copy->from;
  TupleTableSlot* const slot = table_slot_create(from, nullptr);
  IndexScanDesc const scan = index_beginscan(from, index, SnapshotSelf, 0, 0);
  index_rescan(scan, nullptr, 0, nullptr, 0);
  while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    if (!copy->left_out->Has(slot->tts_tid)) {
      CopySlot(copy, slot);
    }
  }
  index_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
}

}  // namespace

void CopyForCluster(Relation from, Relation to, Relation index, bool, TransactionId oldest_xmin,
                    TransactionId* freeze_limit, MultiXactId* multi_limit, double* row_count,
                    double* vacuumed_count, double* recently_dead_count) {
  NewRows left_out{};
  bool const all_settled = AllChangesOlderThan(from, oldest_xmin);
  if (!all_settled) {
    left_out = FindNewRows(from, oldest_xmin);
  }
  Copy copy = {.from = from,
               .to = to,
               .command_id = GetCurrentCommandId(true),
               .left_out = &left_out,
               .row_count = 0};
  OrderKey order;
  if (index == nullptr && ChosenOrderKey(from, &order) && order.column_count > 0) {
    CopyInOrder(&copy, order);
  } else if (index == nullptr) {
    CopyInStoredOrder(&copy);
  } else if (index->rd_rel->relam == BTREE_AM_OID) {
    CopySorted(&copy, index);
  } else {
    CopyInIndexOrder(&copy, index);
  }
  Boundary([&]() -> Status { return WriteOutPending(to); });
  // Every snapshot in use saw these rows before: all may see them now.
  MarkStripesMoved(to);
  VersionCounts versions{};
  if (!all_settled) {
    versions = WriteVersions(
        from, to, left_out,
        {.oldest_xmin = oldest_xmin, .freeze_limit = *freeze_limit, .multi_limit = *multi_limit});
  }
  *row_count = copy.row_count + versions.live;
  *recently_dead_count = versions.recently_dead;
  *vacuumed_count = 0;
}

}  // namespace orochi::pg::columnar_am
