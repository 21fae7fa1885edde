// ColumnarAggregate in the planner: which queries it takes, what it costs.

#include "pg/bridge.h"
#include "pg/nodes/aggregate_function.h"
#include "pg/nodes/columnar_aggregate.h"
#include "pg/nodes/columnar_scan.h"
#include "pg/settings.h"

extern "C" {
#include "executor/nodeHash.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "utils/selfuncs.h"
}

namespace orochi::pg {
namespace {

create_upper_paths_hook_type previous_hook = nullptr;

// One value taken by an accumulator from a batch, relative to a transition function call.
constexpr double kBatchValueCost = 0.1;
// The same for rows that are gathered into batches first.
constexpr double kRowValueCost = 0.5;

extern const CustomPathMethods path_methods;

/// What a target list is made of.
struct Parts {
  List* keys;   // group keys, as expressions
  List* calls;  // aggregate calls, each once
};

/// Collects aggregate calls; true (stop) at anything that is neither a key nor such a call nor made
/// of them.
bool CollectParts(Node* node, void* context) {
  auto* const parts = static_cast<Parts*>(context);
  if (node == nullptr || list_member(parts->keys, node)) {
    return false;
  }
  switch (nodeTag(node)) {
    case T_Aggref: {
      AggregateFunction function;
      if (!MatchAggregate(reinterpret_cast<Aggref*>(node), &function)) {
        return true;
      }
      parts->calls = list_append_unique(parts->calls, node);
      return false;
    }
    case T_Var:
    case T_PlaceHolderVar:
    case T_GroupingFunc:
      return true;
    default:
      return expression_tree_walker(
          node, reinterpret_cast<bool (*)()>(reinterpret_cast<void*>(CollectParts)), context);
  }
}

/// The group keys of the query as expressions; false when one of them is not ours to group by.
bool FindKeys(PlannerInfo* root, List** keys) noexcept {
  ListCell* cell;
  foreach (cell, root->parse->groupClause) {
    auto* const clause = lfirst_node(SortGroupClause, cell);
    Node* const expression = get_sortgroupclause_expr(clause, root->processed_tlist);
    columnar::PhysicalType physical;
    if (!MatchGroupKey(expression, clause->eqop, &physical) ||
        contain_volatile_functions(expression) || contain_subplans(expression)) {
      return false;
    }
    *keys = list_append_unique(*keys, expression);
  }
  return true;
}

bool AllPlainColumns(List* keys) noexcept {
  ListCell* cell;
  foreach (cell, keys) {
    if (!IsA(lfirst(cell), Var) || lfirst_node(Var, cell)->varattno <= 0) {
      return false;
    }
  }
  return true;
}

/// A second pass must see the rows of the first.
bool MayReadTwice(const RelOptInfo* input) noexcept {
  ListCell* cell;
  foreach (cell, input->baserestrictinfo) {
    if (contain_volatile_functions(
            reinterpret_cast<Node*>(lfirst_node(RestrictInfo, cell)->clause))) {
      return false;
    }
  }
  return true;
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

/// What reading the input costs, and whether a columnar leaf is part of it.
struct InputCost {
  Cost value_cost;     // of all aggregates and keys for a row, by PostgreSQL's measure
  bool plain_columns;  // leaves can hand over batches, no key must be computed
  Cost total;
  bool any_columnar;
};

/// False when the path cannot be an input.
bool AddCostOf(Path* input, InputCost* cost) noexcept {
  if (input->param_info != nullptr || input->parallel_aware) {
    return false;
  }
  Path* const path = WithoutProjection(input);
  if (IsA(path, AppendPath)) {
    ListCell* cell;
    foreach (cell, reinterpret_cast<AppendPath*>(path)->subpaths) {
      if (!AddCostOf(static_cast<Path*>(lfirst(cell)), cost)) {
        return false;
      }
    }
    return true;
  }
  bool const columnar = FeedsBatches(path);
  cost->any_columnar |= columnar;
  cost->total += columnar && cost->plain_columns
                     ? ColumnarBatchCost(path) + path->rows * cost->value_cost * kBatchValueCost
                     : input->total_cost + input->rows * cost->value_cost * kRowValueCost;
  return true;
}

bool CanAggregate(PlannerInfo* root, RelOptInfo* input) noexcept {
  Query* const query = root->parse;
  return settings.enable_vectorized_execution && query->groupingSets == NIL &&
         (query->hasAggs || query->groupClause != NIL) && !query->hasTargetSRFs &&
         input->reloptkind == RELOPT_BASEREL && input->rtekind == RTE_RELATION &&
         !IS_DUMMY_REL(input);
}

CustomPath* MakePath(RelOptInfo* output, Path* input, const Parts& parts, List* having, double rows,
                     Cost input_cost) noexcept {
  auto* const path = makeNode(CustomPath);
  path->path.pathtype = T_CustomScan;
  path->path.parent = output;
  path->path.pathtarget = output->reltarget;
  path->path.parallel_safe = output->consider_parallel && input->parallel_safe;
  path->path.rows = rows;
  path->path.startup_cost = input_cost;
  path->path.total_cost = input_cost + output->reltarget->cost.startup +
                          rows * (cpu_tuple_cost + output->reltarget->cost.per_tuple);
  path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
  path->custom_paths = list_make1(input);
  path->custom_private = list_make3(parts.keys, parts.calls, having);
  path->methods = &path_methods;
  return path;
}

/// The cheapest input with a columnar leaf, or null.
Path* ChooseInput(RelOptInfo* input, const InputCost& measure, Cost* total) noexcept {
  Path* best = nullptr;
  ListCell* cell;
  foreach (cell, input->pathlist) {
    auto* const path = static_cast<Path*>(lfirst(cell));
    InputCost cost = measure;
    if (AddCostOf(path, &cost) && cost.any_columnar && (best == nullptr || cost.total < *total)) {
      best = path;
      *total = cost.total;
    }
  }
  return best;
}

void OfferAggregate(PlannerInfo* root, RelOptInfo* input, RelOptInfo* output,
                    List* having) noexcept {
  Parts parts = {};
  if (!FindKeys(root, &parts.keys) ||
      CollectParts(reinterpret_cast<Node*>(output->reltarget->exprs), &parts) ||
      CollectParts(reinterpret_cast<Node*>(having), &parts)) {
    return;
  }
  int const key_count = list_length(parts.keys);
  int const call_count = list_length(parts.calls);
  if (key_count == 0 ? root->parse->groupClause != NIL : !MayReadTwice(input)) {
    return;
  }
  InputCost const measure = {.value_cost = cpu_operator_cost * (call_count + key_count),
                             .plain_columns = AllPlainColumns(parts.keys),
                             .total = 0,
                             .any_columnar = false};
  Cost cost = 0;
  Path* const best = ChooseInput(input, measure, &cost);
  if (best == nullptr) {
    return;
  }
  double rows = 1;
  if (key_count > 0) {
    rows = estimate_num_groups(root, parts.keys, best->rows, nullptr, nullptr);
    double const group_bytes = call_count * sizeof(vexec::AggregateState) + key_count * 32 + 24;
    if (rows * group_bytes > static_cast<double>(get_hash_memory_limit())) {
      return;  // PostgreSQL's own spills to disk once, where we would read again and again
    }
  }
  add_path(output, reinterpret_cast<Path*>(MakePath(output, best, parts, having, rows, cost)));
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
    TryPg([&]() noexcept {
      auto* const details = static_cast<GroupPathExtraData*>(extra);
      List* const having =
          details == nullptr ? nullptr : reinterpret_cast<List*>(details->havingQual);
      OfferAggregate(root, input, output, having);
    });
    return Status::Ok();
  });
}

/// Where an expression is in the child's target list.
int PositionIn(const Plan* child, Expr* expression) noexcept {
  TargetEntry* const entry = tlist_member(expression, child->targetlist);
  if (entry == nullptr) {
    elog(ERROR, "a column of a columnar aggregation is not in the target list below it");
  }
  return entry->resno;
}

/// Where the call's column is; 0 for a count of rows.
int PositionOfColumn(const Plan* child, const Aggref* call) noexcept {
  AggregateFunction function;
  if (!MatchAggregate(call, &function)) {
    elog(ERROR, "an aggregate of a columnar aggregation is not known to it");
  }
  return function.column == nullptr ? 0
                                    : PositionIn(child, reinterpret_cast<Expr*>(function.column));
}

void AddOutput(CustomScan* scan, Node* expression) noexcept {
  auto const resno = static_cast<AttrNumber>(list_length(scan->custom_scan_tlist) + 1);
  scan->custom_scan_tlist =
      lappend(scan->custom_scan_tlist,
              makeTargetEntry(reinterpret_cast<Expr*>(expression), resno, nullptr, false));
}

Plan* PlanAggregate(PlannerInfo* root, RelOptInfo* rel, CustomPath* path, List* target_list,
                    List* clauses, List* custom_plans) {
  (void)root;
  (void)rel;
  (void)clauses;
  return Boundary([&]() -> Result<Plan*> {
    return TryPg([&]() noexcept {
      auto* const keys = static_cast<List*>(linitial(path->custom_private));
      auto* const calls = static_cast<List*>(lsecond(path->custom_private));
      auto* const child = static_cast<Plan*>(linitial(custom_plans));
      auto* const scan = makeNode(CustomScan);
      List* positions = list_make1_int(list_length(keys));
      ListCell* cell;
      foreach (cell, keys) {
        AddOutput(scan, static_cast<Node*>(lfirst(cell)));
        positions = lappend_int(positions, PositionIn(child, static_cast<Expr*>(lfirst(cell))));
      }
      foreach (cell, calls) {
        AddOutput(scan, static_cast<Node*>(lfirst(cell)));
        positions = lappend_int(positions, PositionOfColumn(child, lfirst_node(Aggref, cell)));
      }
      scan->scan.plan.targetlist = target_list;
      scan->scan.plan.qual = static_cast<List*>(lthird(path->custom_private));
      scan->scan.scanrelid = 0;
      scan->flags = path->flags;
      scan->custom_plans = custom_plans;
      scan->custom_private = list_make1(positions);
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

}  // namespace

void RegisterColumnarAggregate() {
  RegisterCustomScanMethods(&columnar_aggregate_methods);
  previous_hook = create_upper_paths_hook;
  create_upper_paths_hook = OnCreateUpperPaths;
}

}  // namespace orochi::pg
