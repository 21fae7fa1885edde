// ColumnarAggregate in the planner: which queries it takes, what it costs.

#include "pg/bridge.h"
#include "pg/nodes/columnar_aggregate.h"
#include "pg/nodes/columnar_scan.h"
#include "pg/settings.h"

extern "C" {
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
}

namespace orochi::pg {
namespace {

create_upper_paths_hook_type previous_hook = nullptr;

// One value taken by an accumulator from a batch, relative to a transition function call.
constexpr double kBatchValueCost = 0.1;

/// The aggregate calls of a target list, each once; false when one of them is not ours to compute.
bool FindAggregates(Node* targets, List** calls) noexcept {
  List* const found = pull_var_clause(
      targets, PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_WINDOWFUNCS | PVC_INCLUDE_PLACEHOLDERS);
  ListCell* cell;
  foreach (cell, found) {
    auto* const node = static_cast<Node*>(lfirst(cell));
    AggregateFunction function;
    if (!IsA(node, Aggref) || !MatchAggregate(reinterpret_cast<Aggref*>(node), &function)) {
      return false;
    }
    *calls = list_append_unique(*calls, node);
  }
  return *calls != NIL;
}

/// Looks through projections that become part of the node below.
Path* WithoutProjection(Path* path) noexcept {
  while (IsA(path, ProjectionPath) && reinterpret_cast<ProjectionPath*>(path)->dummypp) {
    path = reinterpret_cast<ProjectionPath*>(path)->subpath;
  }
  return path;
}

bool FeedsBatches(Path* path) noexcept {
  Path* const scan = WithoutProjection(path);
  return IsColumnarScanPath(scan) && IsFullyFilteredByBatches(scan);
}

/// What the child costs when columnar leaves hand over batches; false when none of them does.
bool CostOfInput(PlannerInfo* root, Path* input, Cost row_cost, Cost* cost) noexcept {
  if (input->param_info != nullptr || input->parallel_aware) {
    return false;
  }
  Path* const path = WithoutProjection(input);
  if (FeedsBatches(path)) {
    *cost += ColumnarBatchCost(root, path);
    *cost += path->rows * row_cost * kBatchValueCost;
    return true;
  }
  if (!IsA(path, AppendPath)) {
    return false;
  }
  bool any_batches = false;
  ListCell* cell;
  foreach (cell, reinterpret_cast<AppendPath*>(path)->subpaths) {
    auto* const child = static_cast<Path*>(lfirst(cell));
    if (CostOfInput(root, child, row_cost, cost)) {
      any_batches = true;
    } else {
      *cost += child->total_cost + child->rows * row_cost;
    }
  }
  return any_batches;
}

bool CanAggregate(PlannerInfo* root, RelOptInfo* input) noexcept {
  Query* const query = root->parse;
  return settings.enable_vectorized_execution && query->hasAggs && query->groupClause == NIL &&
         query->groupingSets == NIL && query->havingQual == nullptr &&
         input->reloptkind == RELOPT_BASEREL && input->rtekind == RTE_RELATION &&
         !IS_DUMMY_REL(input);
}

CustomPath* MakePath(RelOptInfo* output, Path* input, Cost cost) noexcept;

void OfferAggregate(PlannerInfo* root, RelOptInfo* input, RelOptInfo* output) noexcept {
  List* calls = NIL;
  if (!FindAggregates(reinterpret_cast<Node*>(output->reltarget->exprs), &calls)) {
    return;
  }
  Cost const row_cost = cpu_operator_cost * list_length(calls);
  Path* best = nullptr;
  Cost best_cost = 0;
  ListCell* cell;
  foreach (cell, input->pathlist) {
    auto* const path = static_cast<Path*>(lfirst(cell));
    Cost cost = 0;
    if (CostOfInput(root, path, row_cost, &cost) && (best == nullptr || cost < best_cost)) {
      best = path;
      best_cost = cost;
    }
  }
  if (best != nullptr) {
    add_path(output, reinterpret_cast<Path*>(MakePath(output, best, best_cost)));
  }
}

void OnCreateUpperPaths(PlannerInfo* root, UpperRelationKind stage, RelOptInfo* input,
                        RelOptInfo* output, void* extra) {
  if (previous_hook != nullptr) {
    previous_hook(root, stage, input, output, extra);
  }
  if (stage != UPPERREL_GROUP_AGG || !CanAggregate(root, input)) {
    return;
  }
  Boundary([&]() -> Status {
    TryPg([&]() noexcept { OfferAggregate(root, input, output); });
    return Status::Ok();
  });
}

/// Where the call's column is in the child's target list; 0 for a count of rows.
int PositionOfColumn(const Aggref* call, const Plan* child) noexcept {
  AggregateFunction function;
  if (!MatchAggregate(call, &function)) {
    elog(ERROR, "an aggregate of a columnar aggregation is not known to it");
  }
  if (function.column == nullptr) {
    return 0;
  }
  TargetEntry* const entry =
      tlist_member(reinterpret_cast<Expr*>(function.column), child->targetlist);
  if (entry == nullptr) {
    elog(ERROR, "the column of an aggregate is not in the target list below it");
  }
  return entry->resno;
}

Plan* PlanAggregate(PlannerInfo* root, RelOptInfo* rel, CustomPath* path, List* target_list,
                    List* clauses, List* custom_plans) {
  (void)root;
  (void)rel;
  (void)clauses;
  return Boundary([&]() -> Result<Plan*> {
    return TryPg([&]() noexcept {
      List* calls = NIL;
      FindAggregates(reinterpret_cast<Node*>(target_list), &calls);
      auto* const child = static_cast<Plan*>(linitial(custom_plans));
      auto* const scan = makeNode(CustomScan);
      ListCell* cell;
      foreach (cell, calls) {
        auto* const call = static_cast<Aggref*>(lfirst(cell));
        auto const resno = static_cast<AttrNumber>(list_length(scan->custom_scan_tlist) + 1);
        scan->custom_scan_tlist =
            lappend(scan->custom_scan_tlist,
                    makeTargetEntry(reinterpret_cast<Expr*>(call), resno, nullptr, false));
        scan->custom_private = lappend_int(scan->custom_private, PositionOfColumn(call, child));
      }
      scan->scan.plan.targetlist = target_list;
      scan->scan.scanrelid = 0;
      scan->flags = path->flags;
      scan->custom_plans = custom_plans;
      scan->methods = &columnar_aggregate_methods;
      return &scan->scan.plan;
    });
  });
}

const CustomPathMethods path_methods = {
    .CustomName = kColumnarAggregateName,
    .PlanCustomPath = PlanAggregate,
    .ReparameterizeCustomPathByChild = nullptr,
};

CustomPath* MakePath(RelOptInfo* output, Path* input, Cost cost) noexcept {
  auto* const path = makeNode(CustomPath);
  path->path.pathtype = T_CustomScan;
  path->path.parent = output;
  path->path.pathtarget = output->reltarget;
  path->path.parallel_safe = output->consider_parallel && input->parallel_safe;
  path->path.rows = 1;
  path->path.startup_cost = cost;
  path->path.total_cost =
      cost + cpu_tuple_cost + output->reltarget->cost.startup + output->reltarget->cost.per_tuple;
  path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
  path->custom_paths = list_make1(input);
  path->methods = &path_methods;
  return path;
}

}  // namespace

void RegisterColumnarAggregate() {
  RegisterCustomScanMethods(&columnar_aggregate_methods);
  previous_hook = create_upper_paths_hook;
  create_upper_paths_hook = OnCreateUpperPaths;
}

}  // namespace orochi::pg
