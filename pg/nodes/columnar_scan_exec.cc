// ColumnarScan in the executor. Per row it is plain code; C++ is entered once per batch.

#include "pg/nodes/columnar_scan_exec.h"

#include "pg/bridge.h"
#include "pg/am/columnar/rows_ahead.h"
#include "pg/nodes/columnar_scan.h"

extern "C" {
#include "access/parallel.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
}

namespace orochi::pg {
namespace {

ColumnarScanState* StateOf(CustomScanState* node) noexcept {
  return reinterpret_cast<ColumnarScanState*>(node);
}

/// The columns that the target list and the remaining conditions use. Those that only filters use
/// are decoded without being emitted.
void FindEmitted(ColumnarScanState* scan) noexcept {
  auto* const plan = reinterpret_cast<CustomScan*>(scan->css.ss.ps.plan);
  TupleDesc const descriptor = RelationGetDescr(scan->css.ss.ss_currentRelation);
  Bitmapset* used = nullptr;
  pull_varattnos(reinterpret_cast<Node*>(plan->scan.plan.targetlist), plan->scan.scanrelid, &used);
  pull_varattnos(reinterpret_cast<Node*>(plan->scan.plan.qual), plan->scan.scanrelid, &used);
  auto const uses = [used](int attribute) noexcept {
    return bms_is_member(attribute - FirstLowInvalidHeapAttributeNumber, used);
  };
  bool const whole_row = uses(0);
  scan->emitted = static_cast<ColumnarScanState::Emitted*>(
      palloc0(sizeof(ColumnarScanState::Emitted) * static_cast<size_t>(descriptor->natts + 1)));
  for (AttrNumber attribute = 1; attribute <= descriptor->natts; ++attribute) {
    if ((whole_row || uses(attribute)) && !TupleDescAttr(descriptor, attribute - 1)->attisdropped) {
      scan->emitted[scan->emitted_count++].attribute = attribute;
    }
  }
}

Status OpenReader(ColumnarScanState& scan) {
  Relation const relation = scan.css.ss.ss_currentRelation;
  Snapshot const snapshot = scan.css.ss.ps.state->es_snapshot;
  TryPg([&]() noexcept {
    PredicateLockRelation(relation, snapshot);
    pgstat_count_heap_scan(relation);
  });
  ASSIGN_OR_RETURN(scan.objects->reader, BatchReader::Open(relation, snapshot));
  if (scan.shared != nullptr) {
    scan.objects->reader->ShareUnits(&scan.shared->next_unit);
  }
  if (scan.conceals_counters) {
    scan.objects->reader->CountSkippedExactly();
  }
  return Status::Ok();
}

Status BindFilters(ColumnarScanState& scan) {
  std::vector<BatchReader::Filter> filters;
  for (int i = 0; i < scan.filter_count; ++i) {
    const RuntimeFilter& filter = scan.filters[i];
    AttrNumber const attribute = filter.clause.attribute;
    ASSIGN_OR_RETURN(vexec::ColumnFilter bound,
                     BindFilter(filter, scan.css.ss.ps.ps_ExprContext,
                                scan.objects->reader->column_type(attribute).physical));
    filters.push_back({.attribute = attribute, .filter = std::move(bound)});
  }
  scan.objects->reader->SetFilters(std::move(filters));
  scan.filters_are_bound = true;
  return Status::Ok();
}

void Publish(ColumnarScanState& scan) {
  if (scan.shared == nullptr) {
    return;
  }
  const BatchReader::Counters& now = scan.objects->reader->counters();
  BatchReader::Counters& before = scan.published;
  auto const add = [](pg_atomic_uint64* to, uint64_t current, uint64_t published) {
    pg_atomic_fetch_add_u64(to, static_cast<int64>(current - published));
  };
  add(&scan.shared->row_groups_total, now.row_groups_total, before.row_groups_total);
  add(&scan.shared->row_groups_read, now.row_groups_read, before.row_groups_read);
  add(&scan.shared->row_groups_skipped, now.row_groups_skipped, before.row_groups_skipped);
  add(&scan.shared->row_pages_read, now.row_pages_read, before.row_pages_read);
  add(&scan.shared->rows_removed, now.rows_removed, before.rows_removed);
  before = now;
}

uint64_t RowsRemoved(const BatchReader::Counters& counters) {
  return counters.rows_removed + counters.rows_skipped;
}

/// Makes the next batch's selected rows ready to emit; false at the end.
Result<bool> NextBatch(ColumnarScanState& scan) {
  ASSIGN_OR_RETURN(BatchReader* const reader, BatchesOf(scan));
  uint64_t const removed_before = RowsRemoved(reader->counters());
  ASSIGN_OR_RETURN(bool const found, reader->Next());
  if (scan.conceals_counters) {
    InstrCountFiltered1(&scan.css.ss.ps, RowsRemoved(reader->counters()) - removed_before);
  }
  Publish(scan);
  ColumnarScanObjects& objects = *scan.objects;
  if (!found) {
    // A scan of many partitions keeps the ended scans until its own end.
    objects.columns = std::vector<DatumColumn>(objects.columns.size());
    return false;
  }
  objects.rows.clear();
  const vexec::Selection& selection = reader->selection();
  for (uint32_t row = selection.Next(0); row < selection.row_count();
       row = selection.Next(row + 1)) {
    objects.rows.push_back(row);
  }
  for (int i = 0; i < scan.emitted_count; ++i) {
    ColumnarScanState::Emitted& emitted = scan.emitted[i];
    DatumColumn& column = objects.columns[static_cast<size_t>(i)];
    RETURN_IF_ERROR(reader->ReadDatums(emitted.attribute, objects.rows, column));
    emitted.values = column.values();
    emitted.nulls = column.nulls();
  }
  if (scan.feeds_changes && reader->first_row_number()) {
    rows_ahead::Announce(scan.css.ss.ss_currentRelation, *reader->first_row_number(), objects.rows);
  }
  scan.rows = objects.rows.data();
  scan.row_count = static_cast<uint32_t>(objects.rows.size());
  scan.position = 0;
  return true;
}

/// The scan's access method in the sense of ExecScan: a row that passed the filters.
TupleTableSlot* NextRow(ScanState* node) {
  auto* const scan = reinterpret_cast<ColumnarScanState*>(node);
  TupleTableSlot* const slot = node->ss_ScanTupleSlot;
  ExecClearTuple(slot);
  if (scan->position == scan->row_count) {
    if (!Boundary([scan]() -> Result<bool> { return NextBatch(*scan); })) {
      return slot;
    }
  }
  uint32_t const row = scan->rows[scan->position++];
  for (int i = 0; i < scan->emitted_count; ++i) {
    const ColumnarScanState::Emitted& emitted = scan->emitted[i];
    slot->tts_values[emitted.attribute - 1] = emitted.values[row];
    slot->tts_isnull[emitted.attribute - 1] = emitted.nulls[row] != 0;
  }
  ExecStoreVirtualTuple(slot);
  slot->tts_tableOid = RelationGetRelid(node->ss_currentRelation);
  slot->tts_tid = scan->objects->reader->tid(row);  // also for WHERE CURRENT OF a cursor
  return slot;
}

bool RecheckRow(ScanState* node, TupleTableSlot* slot) {
  auto* const scan = reinterpret_cast<ColumnarScanState*>(node);
  ExprContext* const context = node->ps.ps_ExprContext;
  context->ecxt_scantuple = slot;
  return ExecQual(scan->recheck, context);
}

/// Under EvalPlanQual rows come from the access method, in its own kind of slot, and expressions
/// made for a slot of another kind would not fetch from it.
void UseSlotOfAccessMethod(CustomScanState* node, EState* estate) noexcept {
  auto* const plan = reinterpret_cast<CustomScan*>(node->ss.ps.plan);
  Relation const relation = node->ss.ss_currentRelation;
  ExecInitScanTupleSlot(estate, &node->ss, RelationGetDescr(relation),
                        table_slot_callbacks(relation));
  ExecAssignScanProjectionInfoWithVarno(&node->ss, static_cast<int>(plan->scan.scanrelid));
  node->ss.ps.qual = ExecInitQual(plan->scan.plan.qual, &node->ss.ps);
}

void BeginScan(CustomScanState* node, EState* estate, int eflags) {
  ColumnarScanState* const scan = StateOf(node);
  Boundary([&]() -> Status {
    auto* const plan = reinterpret_cast<CustomScan*>(node->ss.ps.plan);
    scan->filters = InitFilters(plan->custom_exprs, plan->scan.scanrelid, &node->ss.ps);
    scan->filter_count = list_length(plan->custom_exprs);
    scan->feeds_changes = estate->es_plannedstmt->commandType == CMD_UPDATE ||
                          estate->es_plannedstmt->commandType == CMD_DELETE;
    scan->conceals_counters = boolVal(linitial(plan->custom_private));
    TryPg([&]() noexcept {
      if (estate->es_epq_active != nullptr) {
        UseSlotOfAccessMethod(node, estate);
      }
      scan->recheck = ExecInitQual(plan->custom_exprs, &node->ss.ps);
      FindEmitted(scan);
      TupleTableSlot* const slot = node->ss.ss_ScanTupleSlot;
      // Columns nobody uses stay NULL for good.
      std::memset(slot->tts_isnull, 1,
                  static_cast<size_t>(slot->tts_tupleDescriptor->natts) * sizeof(bool));
    });
    scan->objects = NewIn<ColumnarScanObjects>(estate->es_query_cxt);
    scan->objects->columns.resize(static_cast<size_t>(scan->emitted_count));
    // Rows this session still buffers must be written before parallel mode forbids it.
    if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0 && estate->es_plannedstmt->parallelModeNeeded) {
      return OpenReader(*scan);
    }
    return Status::Ok();
  });
}

TupleTableSlot* ExecScanNode(CustomScanState* node) {
  return ExecScan(&node->ss, NextRow, RecheckRow);
}

void EndScan(CustomScanState* node) {
  ColumnarScanState* const scan = StateOf(node);
  Boundary([scan]() -> Status {
    if (scan->objects != nullptr) {
      *scan->objects = ColumnarScanObjects{};
    }
    return Status::Ok();
  });
}

void ReScan(CustomScanState* node) {
  ColumnarScanState* const scan = StateOf(node);
  Boundary([scan]() -> Status {
    if (scan->objects->reader != nullptr) {
      scan->objects->reader->Rewind();
    }
    scan->row_count = 0;
    scan->position = 0;
    scan->filters_are_bound = false;  // parameters may have changed
    return Status::Ok();
  });
  ExecScanReScan(&node->ss);
}

Size EstimateShared(CustomScanState*, ParallelContext*) {
  return sizeof(SharedColumnarScan);
}

void InitializeShared(CustomScanState* node, ParallelContext*, void* coordinate) {
  ColumnarScanState* const scan = StateOf(node);
  scan->shared = static_cast<SharedColumnarScan*>(coordinate);
  pg_atomic_init_u64(&scan->shared->next_unit, 0);
  pg_atomic_init_u64(&scan->shared->row_groups_total, 0);
  pg_atomic_init_u64(&scan->shared->row_groups_read, 0);
  pg_atomic_init_u64(&scan->shared->row_groups_skipped, 0);
  pg_atomic_init_u64(&scan->shared->row_pages_read, 0);
  pg_atomic_init_u64(&scan->shared->rows_removed, 0);
  if (scan->objects->reader != nullptr) {
    scan->objects->reader->ShareUnits(&scan->shared->next_unit);
  }
}

void ReInitializeShared(CustomScanState* node, ParallelContext*, void*) {
  pg_atomic_write_u64(&StateOf(node)->shared->next_unit, 0);
}

void InitializeWorker(CustomScanState* node, shm_toc*, void* coordinate) {
  ColumnarScanState* const scan = StateOf(node);
  scan->shared = static_cast<SharedColumnarScan*>(coordinate);
  if (scan->objects->reader != nullptr) {
    scan->objects->reader->ShareUnits(&scan->shared->next_unit);
  }
}

void ShutdownScan(CustomScanState* node) {
  ColumnarScanState* const scan = StateOf(node);
  if (scan->shared == nullptr) {
    return;
  }
  scan->of_workers = {.row_groups_total = pg_atomic_read_u64(&scan->shared->row_groups_total),
                      .row_groups_read = pg_atomic_read_u64(&scan->shared->row_groups_read),
                      .row_groups_skipped = pg_atomic_read_u64(&scan->shared->row_groups_skipped),
                      .row_pages_read = pg_atomic_read_u64(&scan->shared->row_pages_read),
                      .rows_removed = pg_atomic_read_u64(&scan->shared->rows_removed)};
}

void ExplainColumns(const ColumnarScanState* scan, ExplainState* es) noexcept {
  List* names = NIL;
  for (int i = 0; i < scan->emitted_count; ++i) {
    names = lappend(names, get_attname(RelationGetRelid(scan->css.ss.ss_currentRelation),
                                       scan->emitted[i].attribute, false));
  }
  ExplainPropertyList("Projected Columns", names, es);
}

void ExplainFilters(const ColumnarScanState* scan, List* ancestors, ExplainState* es) noexcept {
  auto* const plan = reinterpret_cast<CustomScan*>(scan->css.ss.ps.plan);
  if (plan->custom_exprs == NIL) {
    return;
  }
  List* const context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);
  bool const prefix = es->verbose || list_length(es->rtable) > 1;
  Node* const all = reinterpret_cast<Node*>(make_ands_explicit(plan->custom_exprs));
  ExplainPropertyText("Skip Filter", deparse_expression(all, context, prefix, false), es);
}

void ExplainCounters(const ColumnarScanState* scan, ExplainState* es) noexcept {
  BatchReader::Counters counters = {};
  if (scan->shared != nullptr) {
    counters = scan->of_workers;
  } else if (scan->objects->reader != nullptr) {
    counters = scan->objects->reader->counters();
  }
  auto const show = [es](const char* name, uint64_t value) noexcept {
    ExplainPropertyUInteger(name, nullptr, value, es);
  };
  if (scan->filter_count > 0) {
    show("Rows Removed by Skip Filter", counters.rows_removed);
  }
  show("Row Groups Total", counters.row_groups_total);
  show("Row Groups Read", counters.row_groups_read);
  show("Row Groups Skipped", counters.row_groups_skipped);
  if (counters.row_pages_read > 0) {
    show("Row Pages Read", counters.row_pages_read);
  }
}

void ExplainScan(CustomScanState* node, List* ancestors, ExplainState* es) {
  const ColumnarScanState* const scan = StateOf(node);
  Boundary([&]() -> Status {
    TryPg([&]() noexcept {
      ExplainColumns(scan, es);
      ExplainFilters(scan, ancestors, es);
      if (es->analyze && !scan->conceals_counters) {
        ExplainCounters(scan, es);
      }
    });
    return Status::Ok();
  });
}

const CustomExecMethods exec_methods = {
    .CustomName = kColumnarScanName,
    .BeginCustomScan = BeginScan,
    .ExecCustomScan = ExecScanNode,
    .EndCustomScan = EndScan,
    .ReScanCustomScan = ReScan,
    .MarkPosCustomScan = nullptr,
    .RestrPosCustomScan = nullptr,
    .EstimateDSMCustomScan = EstimateShared,
    .InitializeDSMCustomScan = InitializeShared,
    .ReInitializeDSMCustomScan = ReInitializeShared,
    .InitializeWorkerCustomScan = InitializeWorker,
    .ShutdownCustomScan = ShutdownScan,
    .ExplainCustomScan = ExplainScan,
};

Node* CreateState(CustomScan*) {
  auto* const scan = static_cast<ColumnarScanState*>(palloc0(sizeof(ColumnarScanState)));
  NodeSetTag(scan, T_CustomScanState);
  scan->css.methods = &exec_methods;
  return reinterpret_cast<Node*>(scan);
}

}  // namespace

const CustomScanMethods columnar_scan_methods = {
    .CustomName = kColumnarScanName,
    .CreateCustomScanState = CreateState,
};

ColumnarScanState* AsColumnarScan(PlanState* node) noexcept {
  bool const is_ours = IsA(node, CustomScanState) &&
                       reinterpret_cast<CustomScanState*>(node)->methods == &exec_methods;
  return is_ours ? reinterpret_cast<ColumnarScanState*>(node) : nullptr;
}

bool FiltersByBatchesOnly(const ColumnarScanState& scan) noexcept {
  return scan.css.ss.ps.plan->qual == NIL;
}

Result<BatchReader*> BatchesOf(ColumnarScanState& scan) {
  if (scan.objects->reader == nullptr) {
    RETURN_IF_ERROR(OpenReader(scan));
  }
  BatchReader* const reader = scan.objects->reader.get();
  if (!scan.filters_are_bound && scan.filter_count > 0) {
    // An expression that fails must not fail a scan without rows, as in PostgreSQL.
    ASSIGN_OR_RETURN(bool const has_rows, reader->HasRows());
    if (has_rows) {
      RETURN_IF_ERROR(BindFilters(scan));
    }
  }
  return reader;
}

}  // namespace orochi::pg
