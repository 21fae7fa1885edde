// Building and validating indexes over columnar relations.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/bridge.h"

extern "C" {
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
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

void RefuseWhatCannotWork(Relation relation, Relation index, IndexInfo* info) {
  if (index->rd_rel->relam == BRIN_AM_OID) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("BRIN index \"%s\" is not supported on columnar table \"%s\"",
                           RelationGetRelationName(index), RelationGetRelationName(relation)),
                    errhint("Columnar tables keep the range of every column per row group "
                            "themselves; drop the index.")));
  }
  if (info->ii_ExclusionOps != nullptr) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("exclusion constraint \"%s\" is not supported on columnar table \"%s\" yet",
                    RelationGetRelationName(index), RelationGetRelationName(relation)),
             errhint("Drop the constraint, or keep the table on heap.")));
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

}  // namespace

double IndexBuildRangeScan(Relation relation, Relation index, IndexInfo* info, bool allow_sync,
                           bool, bool, BlockNumber first_block, BlockNumber block_count,
                           IndexBuildCallback callback, void* callback_state, TableScanDesc scan) {
  RefuseWhatCannotWork(relation, index, info);
  if (first_block != 0 || block_count != InvalidBlockNumber) {
    elog(ERROR, "columnar tables cannot be indexed by block ranges");
  }
  IndexRows const rows = BeginRows(relation, info);
  Snapshot registered = nullptr;
  if (scan == nullptr) {
    if (info->ii_Concurrent) {
      registered = RegisterSnapshot(GetTransactionSnapshot());
    }
    // A plain build holds off writers: what is committed, or our own, is all there is.
    scan = table_beginscan_strat(relation, registered == nullptr ? SnapshotSelf : registered, 0,
                                 nullptr, true, allow_sync);
  }
  double row_count = 0;
  while (table_scan_getnextslot(scan, ForwardScanDirection, rows.slot)) {
    CHECK_FOR_INTERRUPTS();
    row_count += 1;
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    if (EntryOfRow(rows, info, values, nulls)) {
      callback(index, &rows.slot->tts_tid, values, nulls, true, callback_state);
    }
  }
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
  // Row order is tuple id order, so both sides ascend.
  TableScanDesc const scan = table_beginscan_strat(relation, snapshot, 0, nullptr, true, false);
  while (table_scan_getnextslot(scan, ForwardScanDirection, rows.slot)) {
    CHECK_FOR_INTERRUPTS();
    state->htups += 1;
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    if (indexed.Has(itemptr_encode(&rows.slot->tts_tid)) ||
        !EntryOfRow(rows, info, values, nulls)) {
      continue;
    }
    index_insert(index, values, nulls, &rows.slot->tts_tid, relation,
                 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
    state->tups_inserted += 1;
  }
  table_endscan(scan);
  EndRows(rows, info);
}

}  // namespace orochi::pg::columnar_am
