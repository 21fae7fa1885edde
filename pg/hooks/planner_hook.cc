#include "pg/hooks/planner_hook.h"

#include "pg/bridge.h"
#include "pg/hooks/plan_mark.h"
#include "pg/hooks/read_snapshot.h"
#include "pg/hypertable/catalog.h"
#include "pg/injection.h"

extern "C" {
#include "catalog/pg_class_d.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
}

namespace orochi::pg {
namespace {

planner_hook_type previous_planner_hook = nullptr;

// --- plain PostgreSQL code -------------------------------------------------------------------

struct TablesFound {
  bool any_written;  // a partitioned table is the target of INSERT, UPDATE or MERGE
  List* read;        // OIDs of partitioned tables that are scanned
};

bool FindPartitionedTables(Node* node, TablesFound* found) noexcept;

// PostgreSQL 15 declares walkers without parameters; the way round avoids a cast the compiler
// rightly suspects.
auto* const kWalker =
    reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(&FindPartitionedTables));

bool FindPartitionedTables(Node* node, TablesFound* found) noexcept {
  if (node == nullptr) {
    return false;
  }
  if (!IsA(node, Query)) {
    return expression_tree_walker(node, kWalker, found);
  }
  auto* const query = reinterpret_cast<Query*>(node);
  int index = 0;
  ListCell* cell = nullptr;
  foreach (cell, query->rtable) {
    auto const* const entry = static_cast<RangeTblEntry*>(lfirst(cell));
    ++index;
    if (entry->rtekind != RTE_RELATION || entry->relkind != RELKIND_PARTITIONED_TABLE) {
      continue;
    }
    if (index == query->resultRelation && query->commandType != CMD_DELETE) {
      found->any_written = true;
    }
    if (entry->inh) {
      found->read = list_append_unique_oid(found->read, entry->relid);
    }
  }
  return query_tree_walker(query, kWalker, found, 0);
}

Expr* Wrap(Expr* time, Oid type, Oid relid, Oid function) noexcept {
  if (IsA(time, FuncExpr) && reinterpret_cast<FuncExpr*>(time)->funcid == function) {
    return time;  // the same query is planned again
  }
  Const* const table =
      makeConst(REGCLASSOID, -1, InvalidOid, sizeof(Oid), ObjectIdGetDatum(relid), false, true);
  return reinterpret_cast<Expr*>(makeFuncExpr(function, type, list_make2(time, table), InvalidOid,
                                              InvalidOid, COERCE_EXPLICIT_CALL));
}

struct TimeColumn {
  Oid relid;
  AttrNumber attno;
  Oid function;
};

// An INSERT that does not mention the column inserts NULL, which ensure_chunk has to see.
List* WrapTime(List* targets, const TimeColumn& column, bool is_insert) noexcept {
  ListCell* cell = nullptr;
  foreach (cell, targets) {
    auto* const target = static_cast<TargetEntry*>(lfirst(cell));
    if (!target->resjunk && target->resno == column.attno) {
      target->expr = Wrap(target->expr, exprType(reinterpret_cast<Node*>(target->expr)),
                          column.relid, column.function);
      return targets;
    }
  }
  if (!is_insert) {
    return targets;
  }
  Oid const type = get_atttype(column.relid, column.attno);  // as declared, a domain for example
  auto* const null = reinterpret_cast<Expr*>(makeNullConst(type, -1, InvalidOid));
  TargetEntry* const added =
      makeTargetEntry(Wrap(null, type, column.relid, column.function), column.attno,
                      get_attname(column.relid, column.attno, false), false);
  // The rest of the planner expects targets in order of their columns.
  int position = 0;
  foreach (cell, targets) {
    auto const* const target = static_cast<TargetEntry*>(lfirst(cell));
    if (target->resjunk || target->resno > column.attno) {
      break;
    }
    ++position;
  }
  return list_insert_nth(targets, position, added);
}

void RewriteTargets(Query* query, const TimeColumn& column) noexcept {
  if (query->commandType == CMD_INSERT || query->commandType == CMD_UPDATE) {
    query->targetList = WrapTime(query->targetList, column, query->commandType == CMD_INSERT);
    return;
  }
  ListCell* cell = nullptr;
  foreach (cell, query->mergeActionList) {
    auto* const action = static_cast<MergeAction*>(lfirst(cell));
    if (action->commandType == CMD_INSERT || action->commandType == CMD_UPDATE) {
      action->targetList = WrapTime(action->targetList, column, action->commandType == CMD_INSERT);
    }
  }
}

// ---------------------------------------------------------------------------------------------

// The partitioned table that `query` itself writes to, if rows may move or arrive there.
Oid TargetOf(const Query* query) {
  if (query->resultRelation == 0 ||
      (query->commandType != CMD_INSERT && query->commandType != CMD_UPDATE &&
       query->commandType != CMD_MERGE)) {
    return InvalidOid;
  }
  auto const* const entry = rt_fetch(query->resultRelation, query->rtable);
  return entry->rtekind == RTE_RELATION && entry->relkind == RELKIND_PARTITIONED_TABLE
             ? entry->relid
             : InvalidOid;
}

// Answers whether the query writes to a hypertable.
Result<bool> RewriteQuery(Query* query) {
  bool writes = false;
  ListCell* cell = nullptr;
  foreach (cell, query->cteList) {
    auto* const cte = static_cast<CommonTableExpr*>(lfirst(cell));
    if (IsA(cte->ctequery, Query)) {
      ASSIGN_OR_RETURN(bool const inner, RewriteQuery(reinterpret_cast<Query*>(cte->ctequery)));
      writes = writes || inner;
    }
  }
  Oid const relid = TargetOf(query);
  if (!OidIsValid(relid)) {
    return writes;
  }
  ASSIGN_OR_RETURN(std::optional<Hypertable> const hypertable, LookupHypertable(relid));
  if (!hypertable.has_value()) {
    return writes;
  }
  Oid const function = EnsureChunkFunctionOid();
  TryPg([&]() noexcept {
    TimeColumn const column = {
        .relid = relid, .attno = hypertable->time_attno, .function = function};
    RewriteTargets(query, column);
  });
  return true;
}

struct Prepared {
  PlanMarks marks;
  ReadTables read;
};

Result<Prepared> PrepareQuery(Query* query) {
  Prepared prepared = {};
  TablesFound found = {};
  TryPg([&]() noexcept {
    FindPartitionedTables(reinterpret_cast<Node*>(query), &found);
    if (found.read != NIL) {
      // Locks that this transaction already held did not do it.
      AcceptInvalidationMessages();
    }
  });
  ASSIGN_OR_RETURN(prepared.read, HashPartitions(found.read));
  prepared.marks.reads = prepared.read.count > 0;
  if (prepared.marks.reads) {
    prepared.marks.query =
        TryPg([&]() noexcept { return static_cast<Query*>(copyObjectImpl(query)); });
  }
  if (found.any_written) {
    bool const is_stable = query->commandType == CMD_UPDATE && TryPg([&]() noexcept {
                             return !contain_volatile_functions(reinterpret_cast<Node*>(query));
                           });
    ASSIGN_OR_RETURN(prepared.marks.writes, RewriteQuery(query));
    prepared.marks.source_is_stable = prepared.marks.writes && is_stable;
  }
  return prepared;
}

// Most statements touch no partitioned table: this look costs them nothing else.
bool MayTouchPartitionedTable(const Query* query) noexcept {
  if (query->cteList != NIL || query->hasSubLinks) {
    return true;
  }
  ListCell* cell = nullptr;
  foreach (cell, query->rtable) {
    auto const* const entry = static_cast<const RangeTblEntry*>(lfirst(cell));
    if (entry->rtekind == RTE_SUBQUERY ||
        (entry->rtekind == RTE_RELATION && entry->relkind == RELKIND_PARTITIONED_TABLE)) {
      return true;
    }
  }
  return false;
}

PlannedStmt* PlanStatement(Query* query, const char* text, int options, ParamListInfo parameters) {
  Prepared prepared = {};
  if (MayTouchPartitionedTable(query)) {
    prepared = Boundary([&]() -> Result<Prepared> { return PrepareQuery(query); });
  }
  PlannedStmt* const plan = previous_planner_hook != nullptr
                                ? previous_planner_hook(query, text, options, parameters)
                                : standard_planner(query, text, options, parameters);
  if (prepared.marks.writes || prepared.marks.reads) {
    Boundary([&]() -> Status {
      if (prepared.marks.reads) {
        INJECTION_POINT("hypertable_planned");
        ASSIGN_OR_RETURN(prepared.marks.partitions_hash, HashForPlan(plan, prepared.read));
      }
      TryPg([&]() noexcept { MarkPlan(plan, prepared.marks); });
      return Status::Ok();
    });
  }
  return plan;
}

}  // namespace

void RegisterPlannerHook() {
  previous_planner_hook = planner_hook;
  planner_hook = &PlanStatement;
}

}  // namespace orochi::pg
