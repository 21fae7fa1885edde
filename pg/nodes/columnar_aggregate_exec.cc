// ColumnarAggregate in the executor.

#include "pg/bridge.h"
#include "pg/nodes/columnar_aggregate.h"
#include "pg/nodes/columnar_scan.h"
#include "pg/nodes/row_batch.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
}

namespace orochi::pg {
namespace {

/// One aggregate call of the node.
struct Call {
  AggregateFunction function;
  AttrNumber position;  // of its column in a child's target list; 0 when it counts rows
};

/// A running ColumnarAggregate. Plain: PostgreSQL allocates and frees it.
struct AggregateState {
  CustomScanState css;  // first: PostgreSQL sees this
  Call* calls;
  int call_count;
  MemoryContext scratch;
  bool done;
};

AggregateState* StateOf(CustomScanState* node) noexcept {
  return reinterpret_cast<AggregateState*>(node);
}

using Accumulators = std::vector<vexec::Accumulator>;

std::span<const Call> CallsOf(const AggregateState& state) {
  return {state.calls, static_cast<size_t>(state.call_count)};
}

/// The column of the scanned relation at a position of the node's target list, or 0.
AttrNumber AttributeAt(const PlanState* node, AttrNumber position) noexcept {
  auto* const entry = static_cast<TargetEntry*>(list_nth(node->plan->targetlist, position - 1));
  if (!IsA(entry->expr, Var)) {
    return 0;
  }
  auto* const column = reinterpret_cast<Var*>(entry->expr);
  bool const of_relation =
      column->varno == static_cast<int>(reinterpret_cast<Scan*>(node->plan)->scanrelid);
  return of_relation && column->varattno > 0 ? column->varattno : 0;
}

/// For each call its column in the scanned relation (0: counts rows); nullopt when the scan cannot
/// feed batches.
std::optional<std::vector<AttrNumber>> BatchColumns(const AggregateState& state,
                                                    ColumnarScanState* scan) {
  if (scan == nullptr || !FiltersByBatchesOnly(*scan)) {
    return std::nullopt;
  }
  std::vector<AttrNumber> attributes;
  for (const Call& call : CallsOf(state)) {
    AttrNumber attribute = 0;
    if (call.position > 0) {
      attribute = AttributeAt(&scan->css.ss.ps, call.position);
      if (attribute == 0) {
        return std::nullopt;
      }
    }
    attributes.push_back(attribute);
  }
  return attributes;
}

vexec::Selection SelectRows(uint32_t row_count) {
  vexec::Selection all;
  all.SelectAll(row_count);
  return all;
}

Status AddBatch(BatchReader& reader, AttrNumber attribute, vexec::Accumulator& accumulator) {
  if (attribute == 0) {
    accumulator.AddRows(reader.selection().CountSelected());
    return Status::Ok();
  }
  const columnar::ChunkInfo* const chunk = reader.Chunk(attribute);
  if (reader.AllSelected() && chunk != nullptr &&
      accumulator.AddFromStatistics(chunk->statistics, chunk->row_count, chunk->null_count)) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(const columnar::ColumnVector* const column, reader.Column(attribute));
  return accumulator.Add(*column, reader.selection());
}

/// All batches of one columnar scan. Answers how many rows took part.
Result<uint64_t> AddScan(ColumnarScanState& scan, const std::vector<AttrNumber>& attributes,
                         Accumulators& accumulators) {
  ASSIGN_OR_RETURN(BatchReader* const reader, BatchesOf(scan));
  bool const only_counts_rows =
      std::all_of(attributes.begin(), attributes.end(), [](AttrNumber a) { return a == 0; });
  if (only_counts_rows && scan.filter_count == 0) {
    for (vexec::Accumulator& accumulator : accumulators) {
      accumulator.AddRows(reader->relation_row_count());
    }
    return reader->relation_row_count();
  }
  uint64_t row_count = 0;
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, reader->Next());
    if (!found) {
      return row_count;
    }
    for (size_t i = 0; i < attributes.size(); ++i) {
      RETURN_IF_ERROR(AddBatch(*reader, attributes[i], accumulators[i]));
    }
    row_count += reader->selection().CountSelected();
  }
}

/// Rows of any other plan node, gathered into batches.
Status AddNode(const AggregateState& state, PlanState* node, Accumulators& accumulators) {
  std::vector<RowBatch::Column> columns;
  std::vector<size_t> column_of_call;
  for (const Call& call : CallsOf(state)) {
    column_of_call.push_back(columns.size());
    if (call.position > 0) {
      columns.push_back({.position = call.position,
                         .physical = call.function.physical,
                         .only_nulls = call.function.aggregate == vexec::Aggregate::kCount});
    }
  }
  RowBatch batch(std::move(columns));
  for (;;) {
    CheckInterrupts();
    ASSIGN_OR_RETURN(uint32_t const row_count, batch.Fill(node, state.scratch));
    if (row_count == 0) {
      return Status::Ok();
    }
    vexec::Selection const all = SelectRows(row_count);
    for (size_t i = 0; i < accumulators.size(); ++i) {
      if (state.calls[i].position == 0) {
        accumulators[i].AddRows(row_count);
      } else {
        RETURN_IF_ERROR(accumulators[i].Add(batch.vector(column_of_call[i]), all));
      }
    }
  }
}

/// Adds what a child has to give, an Append's children one by one in its order. EXPLAIN ANALYZE
/// sees the rows as if they had passed through the nodes. Answers the number of rows where it is
/// not already counted by the node itself.
Result<uint64_t> AddChild(const AggregateState& state, PlanState* node,
                          Accumulators& accumulators) {
  TryPg([node]() noexcept {
    check_stack_depth();
    if (node->chgParam != nullptr) {
      ExecReScan(node);
    }
  });
  ColumnarScanState* const scan = AsColumnarScan(node);
  std::optional<std::vector<AttrNumber>> const attributes = BatchColumns(state, scan);
  bool const is_append = IsA(node, AppendState);
  if (!is_append && !attributes.has_value()) {
    RETURN_IF_ERROR(AddNode(state, node, accumulators));
    return uint64_t{0};
  }
  Instrumentation* const instrument = node->instrument;
  if (instrument != nullptr) {
    TryPg([instrument]() noexcept { InstrStartNode(instrument); });
  }
  uint64_t row_count = 0;
  if (is_append) {
    auto* const append = reinterpret_cast<AppendState*>(node);
    for (int i = 0; i < append->as_nplans; ++i) {
      ASSIGN_OR_RETURN(uint64_t const child_rows,
                       AddChild(state, append->appendplans[i], accumulators));
      row_count += child_rows;
    }
  } else {
    ASSIGN_OR_RETURN(row_count, AddScan(*scan, *attributes, accumulators));
  }
  if (instrument != nullptr) {
    TryPg([&]() noexcept { InstrStopNode(instrument, static_cast<double>(row_count)); });
  }
  return row_count;
}

Status Aggregate(AggregateState& state, TupleTableSlot* slot) {
  Accumulators accumulators;
  for (const Call& call : CallsOf(state)) {
    accumulators.emplace_back(call.function.aggregate, call.function.physical);
  }
  auto* const child = static_cast<PlanState*>(linitial(state.css.custom_ps));
  RETURN_IF_ERROR(AddChild(state, child, accumulators).status());
  ContextScope const scope(state.css.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
  for (int i = 0; i < state.call_count; ++i) {
    NullableDatum const result =
        ResultOf(state.calls[i].function, accumulators[static_cast<size_t>(i)]);
    slot->tts_values[i] = result.value;
    slot->tts_isnull[i] = result.isnull;
  }
  return Status::Ok();
}

/// Calling an aggregate needs the right to, as under PostgreSQL's own Agg.
void CheckRightToCall(Oid function) noexcept {
  AclResult const right = pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE);
  if (right != ACLCHECK_OK) {
    aclcheck_error(right, OBJECT_AGGREGATE, get_func_name(function));
  }
  InvokeFunctionExecuteHook(function);
}

void InitCalls(AggregateState* state, const CustomScan* plan) noexcept {
  state->call_count = list_length(plan->custom_scan_tlist);
  state->calls = static_cast<Call*>(palloc0(sizeof(Call) * static_cast<size_t>(state->call_count)));
  for (int i = 0; i < state->call_count; ++i) {
    auto* const entry = static_cast<TargetEntry*>(list_nth(plan->custom_scan_tlist, i));
    Call* const call = &state->calls[i];
    if (!MatchAggregate(reinterpret_cast<Aggref*>(entry->expr), &call->function)) {
      elog(ERROR, "an aggregate of a columnar aggregation is not known to it");
    }
    call->position = static_cast<AttrNumber>(list_nth_int(plan->custom_private, i));
    CheckRightToCall(call->function.function);
  }
}

void BeginAggregate(CustomScanState* node, EState* estate, int eflags) {
  AggregateState* const state = StateOf(node);
  auto* const plan = reinterpret_cast<CustomScan*>(node->ss.ps.plan);
  Boundary([&]() -> Status {
    TryPg([&]() noexcept {
      InitCalls(state, plan);
      state->scratch = AllocSetContextCreate(estate->es_query_cxt, "ColumnarAggregate rows",
                                             ALLOCSET_DEFAULT_SIZES);
      auto* const child = static_cast<Plan*>(linitial(plan->custom_plans));
      node->custom_ps = list_make1(ExecInitNode(child, estate, eflags));
    });
    return Status::Ok();
  });
}

TupleTableSlot* ExecAggregate(CustomScanState* node) {
  AggregateState* const state = StateOf(node);
  if (state->done) {
    return nullptr;
  }
  ExprContext* const context = node->ss.ps.ps_ExprContext;
  ResetExprContext(context);
  TupleTableSlot* const slot = ExecClearTuple(node->ss.ss_ScanTupleSlot);
  Boundary([&]() -> Status { return Aggregate(*state, slot); });
  ExecStoreVirtualTuple(slot);
  state->done = true;
  if (node->ss.ps.ps_ProjInfo == nullptr) {
    return slot;
  }
  context->ecxt_scantuple = slot;
  return ExecProject(node->ss.ps.ps_ProjInfo);
}

void EndAggregate(CustomScanState* node) {
  ExecEndNode(static_cast<PlanState*>(linitial(node->custom_ps)));
}

void ReScanAggregate(CustomScanState* node) {
  auto* const child = static_cast<PlanState*>(linitial(node->custom_ps));
  StateOf(node)->done = false;
  if (node->ss.ps.chgParam != nullptr) {
    UpdateChangedParamSet(child, node->ss.ps.chgParam);
  }
  if (child->chgParam == nullptr) {  // otherwise it is rescanned when it is read
    ExecReScan(child);
  }
}

void ExplainAggregate(CustomScanState* node, List* ancestors, ExplainState* es) {
  auto* const plan = reinterpret_cast<CustomScan*>(node->ss.ps.plan);
  Boundary([&]() -> Status {
    TryPg([&]() noexcept {
      List* const context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);
      List* calls = NIL;
      ListCell* cell;
      foreach (cell, plan->custom_scan_tlist) {
        auto* const entry = static_cast<TargetEntry*>(lfirst(cell));
        calls =
            lappend(calls, deparse_expression(reinterpret_cast<Node*>(entry->expr), context,
                                              list_length(es->rtable) > 1 && es->verbose, false));
      }
      ExplainPropertyList("Vectorized Aggregates", calls, es);
    });
    return Status::Ok();
  });
}

const CustomExecMethods exec_methods = {
    .CustomName = kColumnarAggregateName,
    .BeginCustomScan = BeginAggregate,
    .ExecCustomScan = ExecAggregate,
    .EndCustomScan = EndAggregate,
    .ReScanCustomScan = ReScanAggregate,
    .MarkPosCustomScan = nullptr,
    .RestrPosCustomScan = nullptr,
    .EstimateDSMCustomScan = nullptr,
    .InitializeDSMCustomScan = nullptr,
    .ReInitializeDSMCustomScan = nullptr,
    .InitializeWorkerCustomScan = nullptr,
    .ShutdownCustomScan = nullptr,
    .ExplainCustomScan = ExplainAggregate,
};

Node* CreateState(CustomScan*) {
  auto* const state = static_cast<AggregateState*>(palloc0(sizeof(AggregateState)));
  NodeSetTag(state, T_CustomScanState);
  state->css.methods = &exec_methods;
  return reinterpret_cast<Node*>(state);
}

}  // namespace

const CustomScanMethods columnar_aggregate_methods = {
    .CustomName = kColumnarAggregateName,
    .CreateCustomScanState = CreateState,
};

}  // namespace orochi::pg
