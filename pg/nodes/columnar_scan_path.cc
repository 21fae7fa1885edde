// ColumnarScan in the planner: when it is offered, what it costs, what the plan node carries.

#include "pg/nodes/columnar_scan.h"

#include "pg/am/columnar/size_estimate.h"
#include "pg/bridge.h"
#include "pg/nodes/columnar_scan_exec.h"
#include "pg/settings.h"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "nodes/value.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/spccache.h"
}

namespace orochi::pg {
namespace {

set_rel_pathlist_hook_type previous_hook = nullptr;

// A decoded or compared value in a batch, relative to an operator called by the executor.
constexpr double kBatchValueCost = 0.02;
// A tuple of a row page found and made part of a batch, relative to one found in the heap.
constexpr double kRowPageTupleCost = 0.4;
// A row formed from a batch, relative to a tuple found and deformed in the heap.
constexpr double kRowCost = 0.5;

/// The parts of the cost of one scan.
struct ScanCost {
  Cost startup;
  Cost disk;
  Cost batches;  // decoding and filters
  Cost rows;     // forming rows and evaluating the rest of the conditions
  double rows_after_filters;
};

/// Splits conditions into those that filter batches and the rest, keeping their order.
void SplitConditions(List* restrict_infos, Index relation, List** filters, List** rest) noexcept {
  ListCell* cell;
  foreach (cell, restrict_infos) {
    auto* const info = lfirst_node(RestrictInfo, cell);
    if (info->pseudoconstant) {
      continue;  // a gating Result above checks those
    }
    FilterClause clause;
    if (MatchFilterClause(reinterpret_cast<Node*>(info->clause), relation, &clause)) {
      *filters = lappend(*filters, info);
    } else {
      *rest = lappend(*rest, info);
    }
  }
}

/// The attributes that the query uses, offset by FirstLowInvalidHeapAttributeNumber.
Bitmapset* UsedAttributes(const RelOptInfo* rel) noexcept {
  Bitmapset* used = nullptr;
  pull_varattnos(reinterpret_cast<Node*>(rel->reltarget->exprs), rel->relid, &used);
  ListCell* cell;
  foreach (cell, rel->baserestrictinfo) {
    pull_varattnos(reinterpret_cast<Node*>(lfirst_node(RestrictInfo, cell)->clause), rel->relid,
                   &used);
  }
  return used;
}

/// xmin and its like: the access method says why they do not exist.
bool UsesHeapSystemColumn(const Bitmapset* used) noexcept {
  int member = -1;
  while ((member = bms_next_member(used, member)) >= 0) {
    int const attribute = member + FirstLowInvalidHeapAttributeNumber;
    if (attribute >= 0) {
      return false;  // members ascend
    }
    if (attribute != SelfItemPointerAttributeNumber && attribute != TableOidAttributeNumber) {
      return true;
    }
  }
  return false;
}

/// The share of a relation's bytes in the columns that the scan reads, by average width.
double ShareOfBytesRead(Relation relation, RelOptInfo* rel, int* column_count) noexcept {
  Bitmapset* const used = UsedAttributes(rel);
  bool const all = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
  double used_width = 0;
  double width = 0;
  for (int i = 0; i < RelationGetNumberOfAttributes(relation); ++i) {
    FormData_pg_attribute const* const attribute = TupleDescAttr(RelationGetDescr(relation), i);
    if (attribute->attisdropped) {
      continue;
    }
    int32 attribute_width = attribute->attlen;
    if (attribute_width <= 0) {
      attribute_width = get_attavgwidth(RelationGetRelid(relation), attribute->attnum);
    }
    if (attribute_width <= 0) {
      attribute_width = get_typavgwidth(attribute->atttypid, attribute->atttypmod);
    }
    width += attribute_width;
    if (all || bms_is_member(attribute->attnum - FirstLowInvalidHeapAttributeNumber, used)) {
      used_width += attribute_width;
      ++*column_count;
    }
  }
  return width > 0 ? used_width / width : 1;
}

/// What the scan reads of the relation.
struct Amounts {
  int column_count;
  double stripe_share;  // of the bytes of stripes
  double stripe_pages;
  double row_pages;  // read whole
  double rows_in_stripes;
  double rows_on_pages;
};

Amounts AmountsOf(PlannerInfo* root, RelOptInfo* rel) noexcept {
  RangeTblEntry* const entry = planner_rt_fetch(static_cast<int>(rel->relid), root);
  Relation const relation = table_open(entry->relid, NoLock);
  SizeEstimate const size =
      Boundary([=]() -> Result<SizeEstimate> { return EstimateSizeOf(relation); });
  Amounts amounts = {};
  amounts.stripe_share = ShareOfBytesRead(relation, rel, &amounts.column_count);
  table_close(relation, NoLock);
  // The relation may have grown since the planner asked.
  amounts.row_pages = std::min<double>(size.row_blocks, rel->pages);
  amounts.stripe_pages = rel->pages - amounts.row_pages;
  amounts.rows_on_pages = std::min(size.rows_on_pages, rel->tuples);
  amounts.rows_in_stripes = rel->tuples - amounts.rows_on_pages;
  return amounts;
}

ScanCost CostOf(PlannerInfo* root, RelOptInfo* rel, const Amounts& amounts,
                ParamPathInfo* param_info) noexcept {
  List* conditions = rel->baserestrictinfo;
  if (param_info != nullptr) {
    conditions = list_concat_copy(param_info->ppi_clauses, conditions);
  }
  List* filters = NIL;
  List* rest = NIL;
  SplitConditions(conditions, rel->relid, &filters, &rest);

  double page_cost = 0;
  get_tablespace_page_costs(rel->reltablespace, nullptr, &page_cost);
  QualCost rest_cost;
  cost_qual_eval(&rest_cost, rest, root);
  double const value_cost = cpu_operator_cost * kBatchValueCost;

  ScanCost cost = {};
  cost.rows_after_filters =
      rel->tuples *
      clauselist_selectivity(root, filters, static_cast<int>(rel->relid), JOIN_INNER, nullptr);
  cost.startup = rest_cost.startup + rel->reltarget->cost.startup;
  cost.disk = page_cost * (amounts.stripe_pages * amounts.stripe_share + amounts.row_pages);
  cost.batches =
      amounts.rows_in_stripes * value_cost * (amounts.column_count + list_length(filters)) +
      amounts.rows_on_pages *
          (cpu_tuple_cost * kRowPageTupleCost + value_cost * list_length(filters));
  cost.rows =
      cost.rows_after_filters * (cpu_tuple_cost * kRowCost + rest_cost.per_tuple) +
      rel->reltarget->cost.per_tuple * (param_info != nullptr ? param_info->ppi_rows : rel->rows);
  return cost;
}

CustomPath* MakePath(PlannerInfo* root, RelOptInfo* rel, const Amounts& amounts,
                     int worker_count) noexcept {
  auto* const path = makeNode(CustomPath);
  path->path.pathtype = T_CustomScan;
  path->path.parent = rel;
  path->path.pathtarget = rel->reltarget;
  path->path.param_info = get_baserel_parampathinfo(root, rel, rel->lateral_relids);
  path->path.parallel_safe = rel->consider_parallel;
  path->path.parallel_aware = worker_count > 0;
  path->path.parallel_workers = worker_count;
  path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
  path->methods = &columnar_scan_path_methods;

  ScanCost const cost = CostOf(root, rel, amounts, path->path.param_info);
  path->path.rows = path->path.param_info != nullptr ? path->path.param_info->ppi_rows : rel->rows;
  double divisor = 1;
  if (worker_count > 0) {
    // The leader helps as much as its other work leaves it, as PostgreSQL reckons.
    double const leader = parallel_leader_participation ? 1.0 - 0.3 * worker_count : 0;
    divisor = worker_count + std::max(leader, 0.0);
    path->path.rows = clamp_row_est(path->path.rows / divisor);
  }
  path->path.startup_cost = cost.startup + (enable_seqscan ? 0 : disable_cost);
  path->path.total_cost =
      path->path.startup_cost + cost.disk + (cost.batches + cost.rows) / divisor;
  Cost const batch_cost = cost.startup + cost.disk + cost.batches;
  path->custom_private = list_make1(makeFloat(psprintf("%.17g", batch_cost)));
  return path;
}

bool CanScan(RelOptInfo* rel, RangeTblEntry* entry) noexcept {
  if (!settings.enable_columnar_scan || entry->rtekind != RTE_RELATION || entry->inh ||
      entry->tablesample != nullptr || IS_DUMMY_REL(rel) ||
      (entry->relkind != RELKIND_RELATION && entry->relkind != RELKIND_MATVIEW)) {
    return false;
  }
  Relation const relation = table_open(entry->relid, NoLock);
  bool const columnar = IsColumnar(relation);
  table_close(relation, NoLock);
  return columnar;
}

void OfferScan(PlannerInfo* root, RelOptInfo* rel) noexcept {
  Amounts const amounts = AmountsOf(root, rel);
  add_path(rel, reinterpret_cast<Path*>(MakePath(root, rel, amounts, 0)));
  if (!rel->consider_parallel || !bms_is_empty(rel->lateral_relids)) {
    return;
  }
  int const worker_count =
      compute_parallel_worker(rel, rel->pages, -1, max_parallel_workers_per_gather);
  if (worker_count > 0) {
    add_partial_path(rel, reinterpret_cast<Path*>(MakePath(root, rel, amounts, worker_count)));
  }
}

void OnSetRelPathlist(PlannerInfo* root, RelOptInfo* rel, Index index, RangeTblEntry* entry) {
  if (previous_hook != nullptr) {
    previous_hook(root, rel, index, entry);
  }
  Boundary([&]() -> Status {
    TryPg([&]() noexcept {
      if (CanScan(rel, entry) && !UsesHeapSystemColumn(UsedAttributes(rel))) {
        OfferScan(root, rel);
      }
    });
    return Status::Ok();
  });
}

/// Hands the conditions that filter batches to the node as custom_exprs, so that PostgreSQL
/// resolves their parameters, and leaves the rest as the plan's qual. Filters run first whatever
/// their security level: they compare stored values without calling a function, so they leak
/// nothing.
Plan* PlanScan(PlannerInfo* root, RelOptInfo* rel, CustomPath* path, List* target_list,
               List* clauses, List* custom_plans) {
  (void)custom_plans;
  return Boundary([&]() -> Result<Plan*> {
    return TryPg([&]() noexcept {
      List* filters = NIL;
      List* rest = NIL;
      SplitConditions(clauses, rel->relid, &filters, &rest);
      auto* const scan = makeNode(CustomScan);
      scan->scan.plan.targetlist = target_list;
      scan->scan.plan.qual = extract_actual_clauses(rest, false);
      scan->scan.scanrelid = rel->relid;
      scan->flags = path->flags;
      scan->custom_exprs = extract_actual_clauses(filters, false);
      scan->custom_private = list_make1(makeBoolean(root->qual_security_level > 0));
      scan->methods = &columnar_scan_methods;
      return &scan->scan.plan;
    });
  });
}

}  // namespace

const CustomPathMethods columnar_scan_path_methods = {
    .CustomName = kColumnarScanName,
    .PlanCustomPath = PlanScan,
    .ReparameterizeCustomPathByChild = nullptr,
};

bool IsColumnarScanPath(const Path* path) noexcept {
  return IsA(path, CustomPath) && !path->parallel_aware &&
         reinterpret_cast<const CustomPath*>(path)->methods == &columnar_scan_path_methods;
}

Cost ColumnarBatchCost(const Path* path) noexcept {
  return floatVal(linitial(reinterpret_cast<const CustomPath*>(path)->custom_private));
}

bool IsFullyFilteredByBatches(const Path* path) noexcept {
  List* filters = NIL;
  List* rest = NIL;
  SplitConditions(path->parent->baserestrictinfo, path->parent->relid, &filters, &rest);
  return rest == NIL;
}

void RegisterColumnarScan() {
  RegisterCustomScanMethods(&columnar_scan_methods);
  previous_hook = set_rel_pathlist_hook;
  set_rel_pathlist_hook = OnSetRelPathlist;
}

}  // namespace orochi::pg
