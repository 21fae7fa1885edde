#include "pg/hooks/own_session.h"

#include "base/str_cat.h"
#include "pg/hooks/active_statements.h"
#include "pg/hypertable/chunk_routing.h"
#include "pg/hypertable/lock_conflict.h"
#include "pg/injection.h"

extern "C" {
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
}

namespace orochi::pg {
namespace {

// What the statement's rows are called in its query environment. No user can write this name where
// it would matter: the plan is made by then.
constexpr const char* kRowsName = "orochi rows read ahead";

// --- plain PostgreSQL code -------------------------------------------------------------------

// The plan below ModifyTable as a SELECT of its own. The executor only reads plans: nodes are
// shared.
PlannedStmt* SourcePlan(const PlannedStmt* plan) noexcept {
  auto const* const modify = reinterpret_cast<const ModifyTable*>(plan->planTree);
  auto* const source = static_cast<PlannedStmt*>(palloc(sizeof(PlannedStmt)));
  *source = *plan;
  source->commandType = CMD_SELECT;
  source->hasReturning = false;
  source->resultRelations = NIL;
  source->invalItems = NIL;  // without marks
  source->planTree = modify->plan.lefttree;
  if (modify->plan.initPlan != NIL) {
    source->planTree = static_cast<Plan*>(copyObjectImpl(source->planTree));
    source->planTree->initPlan =
        list_concat_copy(modify->plan.initPlan, source->planTree->initPlan);
  }
  return source;
}

// The same statement, with its rows coming from the tuplestore.
PlannedStmt* PlanOverRows(const PlannedStmt* plan) noexcept {
  auto* const changed = static_cast<PlannedStmt*>(palloc(sizeof(PlannedStmt)));
  *changed = *plan;
  RangeTblEntry* const entry = makeNode(RangeTblEntry);
  entry->rtekind = RTE_NAMEDTUPLESTORE;
  entry->enrname = pstrdup(kRowsName);
  entry->eref = makeAlias(kRowsName, NIL);
  entry->inFromCl = true;
  changed->rtable = lappend(list_copy(plan->rtable), entry);

  auto* const modify = static_cast<ModifyTable*>(palloc(sizeof(ModifyTable)));
  *modify = *reinterpret_cast<const ModifyTable*>(plan->planTree);
  const Plan* const source = modify->plan.lefttree;
  NamedTuplestoreScan* const scan = makeNode(NamedTuplestoreScan);
  scan->scan.plan.plan_rows = source->plan_rows;
  scan->scan.plan.plan_width = source->plan_width;
  scan->scan.plan.plan_node_id = source->plan_node_id;
  scan->scan.scanrelid = static_cast<Index>(list_length(changed->rtable));
  scan->enrname = entry->enrname;
  ListCell* cell = nullptr;
  foreach (cell, source->targetlist) {
    auto const* const target = static_cast<const TargetEntry*>(lfirst(cell));
    auto* expr = reinterpret_cast<Expr*>(target->expr);
    // ModifyTable insists on a NULL constant in place of a dropped column.
    if (!IsA(expr, Const) || !reinterpret_cast<Const*>(expr)->constisnull) {
      auto* const node = reinterpret_cast<Node*>(expr);
      expr = reinterpret_cast<Expr*>(makeVar(static_cast<int>(scan->scan.scanrelid), target->resno,
                                             exprType(node), exprTypmod(node), exprCollation(node),
                                             0));
    }
    scan->scan.plan.targetlist =
        lappend(scan->scan.plan.targetlist,
                makeTargetEntry(expr, target->resno, target->resname, target->resjunk));
  }
  modify->plan.lefttree = &scan->scan.plan;
  changed->planTree = &modify->plan;
  return changed;
}

struct Rows {
  Tuplestorestate* store;
  TupleDesc shape;
};

// Runs the source to its end; keeps the rows when `keep` is set.
Rows RunSource(const QueryDesc* query, bool keep) noexcept {
  Rows rows = {};
  DestReceiver* receiver = None_Receiver;
  if (keep) {
    rows.store = tuplestore_begin_heap(false, false, work_mem);
    receiver = CreateTuplestoreDestReceiver();
    SetTuplestoreDestReceiverParams(receiver, rows.store, CurrentMemoryContext, false, nullptr,
                                    nullptr);
  }
  QueryDesc* const source =
      CreateQueryDesc(SourcePlan(query->plannedstmt), query->sourceText, query->snapshot,
                      InvalidSnapshot, receiver, query->params, query->queryEnv, 0);
  ExecutorStart(source, EXEC_FLAG_SKIP_TRIGGERS);
  ExecutorRun(source, ForwardScanDirection, 0, true);
  ExecutorFinish(source);
  rows.shape = CreateTupleDescCopy(source->tupDesc);
  ExecutorEnd(source);
  FreeQueryDesc(source);
  if (keep) {
    receiver->rDestroy(receiver);
  }
  return rows;
}

void RunOverRows(QueryDesc* query, const Rows& rows) noexcept {
  auto* const relation =
      static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData)));
  relation->md.name = pstrdup(kRowsName);
  relation->md.tupdesc = rows.shape;
  relation->md.enrtype = ENR_NAMED_TUPLESTORE;
  relation->md.enrtuples = static_cast<double>(tuplestore_tuple_count(rows.store));
  relation->reldata = rows.store;
  if (query->queryEnv == nullptr) {
    query->queryEnv = create_queryEnv();
  }
  // A trigger's environment is shared by its statements, which follow one another; one that failed
  // could not take its rows away.
  if (get_ENR(query->queryEnv, kRowsName) != nullptr) {
    unregister_ENR(query->queryEnv, kRowsName);
  }
  register_ENR(query->queryEnv, relation);
  query->plannedstmt = PlanOverRows(query->plannedstmt);
}

// ---------------------------------------------------------------------------------------------

Oid TargetOf(const PlannedStmt* plan) {
  auto const* const modify = reinterpret_cast<const ModifyTable*>(plan->planTree);
  Index const target = modify->rootRelation != 0
                           ? modify->rootRelation
                           : static_cast<Index>(linitial_int(modify->resultRelations));
  return rt_fetch(target, plan->rtable)->relid;
}

}  // namespace

Status ReadAheadIfNeeded(QueryDesc* query, const PlanMarks& marks, int eflags) {
  const PlannedStmt* const plan = query->plannedstmt;
  bool const keeps_rows = plan->commandType == CMD_INSERT;
  bool const can_read_ahead =
      keeps_rows || (plan->commandType == CMD_UPDATE && marks.source_is_stable);
  if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0 || plan->hasModifyingCTE || !can_read_ahead ||
      !IsA(plan->planTree, ModifyTable)) {
    return Status::Ok();
  }
  Oid const relid = TargetOf(plan);
  ASSIGN_OR_RETURN(std::optional<Hypertable> const hypertable, LookupHypertable(relid));
  if (!hypertable.has_value() || !NeedsOwnSession(relid) || IsInUseHere(relid, 0)) {
    return Status::Ok();
  }
  Rows rows = {};
  std::vector<int64_t> missing;
  {
    TimeCollector const collector(*hypertable);
    rows = TryPg([&]() noexcept { return RunSource(query, keeps_rows); });
    missing = collector.missing();
  }
  for (int64_t const ticks : missing) {
    ASSIGN_OR_RETURN(Chunk const chunk, CreateChunk(*hypertable, ticks));
    (void)chunk;
    INJECTION_POINT("chunk_created_here");
  }
  CheckSerializableConflict(relid);
  if (keeps_rows) {
    TryPg([&]() noexcept { RunOverRows(query, rows); });
  }
  return Status::Ok();
}

void FreeRowsReadAhead(QueryDesc* query) {
  const Plan* const top = query->plannedstmt->planTree;
  if (!IsA(top, ModifyTable) || top->lefttree == nullptr ||
      !IsA(top->lefttree, NamedTuplestoreScan) ||
      strcmp(reinterpret_cast<const NamedTuplestoreScan*>(top->lefttree)->enrname, kRowsName) !=
          0) {
    return;
  }
  TryPg([&]() noexcept {
    EphemeralNamedRelation const rows = get_ENR(query->queryEnv, kRowsName);
    if (rows != nullptr) {
      unregister_ENR(query->queryEnv, kRowsName);
      tuplestore_end(static_cast<Tuplestorestate*>(rows->reldata));
    }
  });
}

}  // namespace orochi::pg
