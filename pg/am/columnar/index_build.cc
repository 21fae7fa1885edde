// Building and validating indexes over columnar relations.
//
// An entry for a row of a stripe has the row's own tuple id. An entry for a row on a row page has
// that of the first tuple of its chain of heap-only tuples, as heap has it.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/scan_cursor.h"
#include "pg/am/columnar/tuple_values.h"
#include "pg/bridge.h"

extern "C" {
#include "access/heapam.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"
}

namespace orochi::pg::columnar_am {
namespace {

// What evaluates an index's predicate and expressions over rows in `slot`.
struct IndexRows {
  EState* estate;
  ExprContext* context;
  TupleTableSlot* slot;
  ExprState* predicate;
};

IndexRows BeginRows(Relation relation, IndexInfo* info) {
  IndexRows rows{};
  rows.estate = CreateExecutorState();
  rows.context = GetPerTupleExprContext(rows.estate);
  rows.slot = table_slot_create(relation, nullptr);
  rows.context->ecxt_scantuple = rows.slot;
  rows.predicate = ExecPrepareQual(info->ii_Predicate, rows.estate);
  return rows;
}

void EndRows(const IndexRows& rows, IndexInfo* info) {
  ExecDropSingleTupleTableSlot(rows.slot);
  FreeExecutorState(rows.estate);
  // These may point into the executor state just freed.
  info->ii_ExpressionsState = NIL;
  info->ii_PredicateState = nullptr;
}

// The index entry of the row in the slot; false when the predicate leaves it out.
bool EntryOfRow(const IndexRows& rows, IndexInfo* info, Datum* values, bool* nulls) {
  MemoryContextReset(rows.context->ecxt_per_tuple_memory);
  if (rows.predicate != nullptr && !ExecQual(rows.predicate, rows.context)) {
    return false;
  }
  FormIndexDatum(info, rows.slot, rows.estate, values, nulls);
  return true;
}

void RefuseWhatCannotWork(Relation relation, Relation index) {
  if (index->rd_rel->relam == BRIN_AM_OID) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("BRIN index \"%s\" is not supported on columnar table \"%s\"",
                           RelationGetRelationName(index), RelationGetRelationName(relation)),
                    errhint("Columnar tables keep the range of every column per row group "
                            "themselves; drop the index.")));
  }
}

// Walks the tuple ids that the index holds already, ascending.
class IndexedTids {
 public:
  explicit IndexedTids(Tuplesortstate* sort) : sort_(sort) { Next(); }

  bool Has(int64 tid) {
    while (!done_ && current_ < tid) {
      Next();
    }
    return !done_ && current_ == tid;
  }

 private:
  void Next() {
    Datum value;
    bool is_null;
    done_ = !tuplesort_getdatum(sort_, true, &value, &is_null, nullptr);
    current_ = done_ ? 0 : DatumGetInt64(value);
  }

  Tuplesortstate* sort_;
  int64 current_ = 0;
  bool done_ = false;
};
static_assert(std::is_trivially_destructible_v<IndexedTids>);

// The tuples of a row page that an index needs, on a copy of the page, ordered by their roots.
struct PageTuples {
  struct One {
    OffsetNumber offset;
    OffsetNumber root;
    bool alive;
  };
  PGAlignedBlock page;
  One tuples[MaxHeapTuplesPerPage];
  int count;
  bool broken_chain;
};

bool NeedsEntry(HTSV_Result state, const HeapTupleData& tuple, bool* alive, bool* broken_chain) {
  switch (state) {
    case HEAPTUPLE_DEAD:
      return false;
    case HEAPTUPLE_LIVE:
    case HEAPTUPLE_INSERT_IN_PROGRESS:  // our own: writers are kept out
      *alive = true;
      return true;
    case HEAPTUPLE_RECENTLY_DEAD:
    case HEAPTUPLE_DELETE_IN_PROGRESS:
      *alive = false;
      // Its chain goes on under the same entry, perhaps with another key: whoever may still see
      // this version must not use the index.
      *broken_chain = *broken_chain || HeapTupleHeaderIsHotUpdated(tuple.t_data);
      return !HeapTupleHeaderIsHotUpdated(tuple.t_data);
  }
  return false;
}

// Tuples that `snapshot` sees, or with SnapshotAny all that anybody may still see.
void ReadPage(Relation relation, BlockNumber block, Snapshot snapshot, TransactionId oldest_xmin,
              PageTuples* out) {
  out->count = 0;
  out->broken_chain = false;
  Buffer const buffer = ReadBuffer(relation, block);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  auto* const page = static_cast<char*>(BufferGetPage(buffer));
  if (KindOf(block, page) == PageKind::kRows) {
    OffsetNumber roots[MaxHeapTuplesPerPage];
    OffsetNumber const last = row_pages::CheckItems(relation, block, page);
    heap_get_root_tuples(page, roots);
    for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
      ItemId const item = PageGetItemId(page, offset);
      if (!ItemIdIsNormal(item)) {
        continue;
      }
      HeapTupleData tuple;
      tuple.t_tableOid = RelationGetRelid(relation);
      tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
      tuple.t_len = ItemIdGetLength(item);
      ItemPointerSet(&tuple.t_self, block, offset);
      bool alive = true;
      bool const wanted = snapshot->snapshot_type == SNAPSHOT_ANY
                              ? NeedsEntry(HeapTupleSatisfiesVacuum(&tuple, oldest_xmin, buffer),
                                           tuple, &alive, &out->broken_chain)
                              : HeapTupleSatisfiesVisibility(&tuple, snapshot, buffer);
      if (wanted) {
        bool const heap_only = HeapTupleHeaderIsHeapOnly(tuple.t_data);
        out->tuples[out->count++] = {
            .offset = offset, .root = heap_only ? roots[offset - 1] : offset, .alive = alive};
      }
    }
    std::memcpy(out->page.data, page, BLCKSZ);
  }
  UnlockReleaseBuffer(buffer);
  std::sort(out->tuples, out->tuples + out->count,
            [](const PageTuples::One& a, const PageTuples::One& b) { return a.root < b.root; });
}

// Calls visit(tuple id, alive) with each of the page's rows in the slot.
template <class Visit>
void ForEachOnPage(Relation relation, BlockNumber block, PageTuples* page, TupleTableSlot* slot,
                   Visit visit) {
  for (int i = 0; i < page->count; ++i) {
    const PageTuples::One& one = page->tuples[i];
    ItemId const item = PageGetItemId(page->page.data, one.offset);
    HeapTupleData tuple;
    tuple.t_tableOid = RelationGetRelid(relation);
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page->page.data, item));
    tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&tuple.t_self, block, one.offset);
    StoreTuple(relation, &tuple, slot);
    ItemPointerSet(&slot->tts_tid, block, one.root);
    visit(&slot->tts_tid, one.alive);
  }
}

// Calls visit(tuple id, alive) for the rows of the group that the cursor entered, in the slot.
template <class Visit>
void ForEachInGroup(Relation relation, ScanCursor* cursor, TransactionId oldest_xmin,
                    PageTuples* page, TupleTableSlot* slot, Visit visit) {
  if (cursor->on_row_page()) {
    ReadPage(relation, cursor->block(), cursor->reader().snapshot(), oldest_xmin, page);
    ForEachOnPage(relation, cursor->block(), page, slot, visit);
    return;
  }
  bool const hidden_too = cursor->reader().snapshot()->snapshot_type == SNAPSHOT_ANY;
  for (cursor->row = 0; cursor->row < cursor->row_count; ++cursor->row) {
    bool const hidden = cursor->IsHidden(cursor->row);
    if (hidden && !hidden_too) {
      continue;
    }
    cursor->Store(slot);
    visit(&slot->tts_tid, !hidden);
  }
  cursor->row = cursor->row_count - 1;
}

}  // namespace

double IndexBuildRangeScan(Relation relation, Relation index, IndexInfo* info, bool allow_sync,
                           bool, bool, BlockNumber first_block, BlockNumber block_count,
                           IndexBuildCallback callback, void* callback_state, TableScanDesc scan) {
  RefuseWhatCannotWork(relation, index);
  if (first_block != 0 || block_count != InvalidBlockNumber) {
    elog(ERROR, "columnar tables cannot be indexed by block ranges");
  }
  IndexRows const rows = BeginRows(relation, info);
  Snapshot registered = nullptr;
  if (scan == nullptr) {
    if (info->ii_Concurrent) {
      registered = RegisterSnapshot(GetTransactionSnapshot());
    }
    // A plain build holds off writers, and indexes what older snapshots may still see.
    scan = table_beginscan_strat(relation, registered == nullptr ? SnapshotAny : registered, 0,
                                 nullptr, true, allow_sync);
  }
  TransactionId const oldest_xmin = GetOldestNonRemovableTransactionId(relation);
  auto* const page = static_cast<PageTuples*>(palloc(sizeof(PageTuples)));
  ScanCursor* const cursor = CursorOf(scan);
  double row_count = 0;
  while (Boundary([&]() -> Result<bool> { return cursor->Advance(true); })) {
    ForEachInGroup(relation, cursor, oldest_xmin, page, rows.slot,
                   [&](ItemPointer tid, bool alive) {
                     CHECK_FOR_INTERRUPTS();
                     row_count += alive ? 1 : 0;
                     Datum values[INDEX_MAX_KEYS];
                     bool nulls[INDEX_MAX_KEYS];
                     if (EntryOfRow(rows, info, values, nulls)) {
                       callback(index, tid, values, nulls, alive, callback_state);
                     }
                   });
    if (cursor->on_row_page() && page->broken_chain) {
      info->ii_BrokenHotChain = true;
    }
  }
  pfree(page);
  table_endscan(scan);
  if (registered != nullptr) {
    UnregisterSnapshot(registered);
  }
  EndRows(rows, info);
  return row_count;
}

void IndexValidateScan(Relation relation, Relation index, IndexInfo* info, Snapshot snapshot,
                       ValidateIndexState* state) {
  IndexRows const rows = BeginRows(relation, info);
  IndexedTids indexed(state->tuplesort);
  TableScanDesc const scan = table_beginscan_strat(relation, snapshot, 0, nullptr, true, false);
  ScanCursor* const cursor = CursorOf(scan);
  auto const add_if_missing = [&](ItemPointer tid, bool) {
    CHECK_FOR_INTERRUPTS();
    state->htups += 1;
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    if (indexed.Has(itemptr_encode(tid)) || !EntryOfRow(rows, info, values, nulls)) {
      return;
    }
    index_insert(index, values, nulls, tid, relation,
                 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
    state->tups_inserted += 1;
  };
  // Both sides ascend by tuple id: row pages come first, then stripes.
  auto* const page = static_cast<PageTuples*>(palloc(sizeof(PageTuples)));
  uint64_t const page_count = cursor->reader().row_blocks().count();
  for (uint64_t i = 0; i < page_count; ++i) {
    BlockNumber const block = cursor->reader().row_blocks().At(i);
    if (block == InvalidBlockNumber) {
      continue;
    }
    ReadPage(relation, block, snapshot, InvalidTransactionId, page);
    ForEachOnPage(relation, block, page, rows.slot, add_if_missing);
  }
  while (Boundary([&]() -> Result<bool> { return cursor->Advance(true); }) &&
         !cursor->on_row_page()) {
    ForEachInGroup(relation, cursor, InvalidTransactionId, page, rows.slot, add_if_missing);
  }
  pfree(page);
  table_endscan(scan);
  EndRows(rows, info);
}

}  // namespace orochi::pg::columnar_am
