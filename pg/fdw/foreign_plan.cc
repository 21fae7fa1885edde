#include "pg/fdw/foreign_plan.h"

#include <cmath>

#include "base/str_cat.h"
#include "pg/fdw/planned_tables.h"

extern "C" {
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "foreign/fdwapi.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
}

namespace orochi::pg {
namespace {

// What decoding a row costs beside a heap tuple, in operators a column.
constexpr double kDecodeOperators = 4;
// Random pages that a lookup of a partition that is there reads: index and data.
constexpr double kLookupPages = 2;

// What planning knows of a foreign table. Lives as long as the planner's context.
struct TablePlan {
  std::vector<ForeignColumn> columns;
  std::vector<KeyColumn> keys;
  std::string name;
  std::string files;
  bool has_bti = false;
  bool has_big = false;
  sstable::TableSchema schema;
  double row_count = 0;
  double partition_count = 0;
  double pages = 0;
  double reader_count = 0;
};

std::vector<KeyCondition> MatchAll(const TablePlan& plan, Index relid, List* restrictions) {
  std::vector<KeyCondition> conditions;
  int const count = list_length(restrictions);
  for (int index = 0; index < count; ++index) {
    auto* node = static_cast<Node*>(list_nth(restrictions, index));
    Expr* const clause = IsA(node, RestrictInfo) ? reinterpret_cast<RestrictInfo*>(node)->clause
                                                 : reinterpret_cast<Expr*>(node);
    KeyCondition condition;
    std::span<const KeyColumn> const keys = plan.keys;
    bool const matches =
        TryPg([&]() noexcept { return MatchKeyCondition(clause, relid, keys, &condition); });
    if (matches) {
      conditions.push_back(condition);
    }
  }
  return conditions;
}

bool IsEqual(const KeyCondition& condition) {
  return condition.strategy == BTEqualStrategyNumber;
}

const ForeignColumn& ColumnOf(const TablePlan& plan, const KeyCondition& condition) {
  return *std::find_if(plan.columns.begin(), plan.columns.end(), [&](const ForeignColumn& column) {
    return column.number == condition.number;
  });
}

ConditionUse UseOf(const ForeignColumn& column) {
  if (column.source.kind == ColumnSource::Kind::kToken) {
    return ConditionUse::kToken;
  }
  return column.column.role == sstable::ColumnRole::kPartitionKey ? ConditionUse::kPartitionKey
                                                                  : ConditionUse::kClustering;
}

struct LookupEstimate {
  double partitions;
  double rows;
};

// Of a scan whose conditions give all of the partition key.
LookupEstimate EstimateLookup(const TablePlan& plan, const std::vector<KeyCondition>& conditions) {
  double partitions = 1;
  size_t clustering_equal = 0;
  bool has_range = false;
  for (const KeyCondition& condition : conditions) {
    const ForeignColumn& column = ColumnOf(plan, condition);
    bool const is_key = column.column.role == sstable::ColumnRole::kPartitionKey;
    double const count =
        condition.is_array
            ? std::max(1, TryPg([&]() noexcept {
                         return estimate_array_length(reinterpret_cast<Node*>(condition.value));
                       }))
            : 1;
    partitions *= is_key && IsEqual(condition) ? count : 1;
    clustering_equal += !is_key && IsEqual(condition) ? 1 : 0;
    has_range = has_range || (!is_key && !IsEqual(condition));
  }
  double per_partition = std::max(1.0, plan.row_count / std::max(1.0, plan.partition_count));
  if (clustering_equal >= plan.schema.clustering.size()) {
    per_partition = 1;
  } else {
    per_partition *= std::pow(0.1, static_cast<double>(clustering_equal)) * (has_range ? 0.3 : 1);
  }
  return {partitions, std::max(1.0, partitions * per_partition)};
}

struct Estimate {
  Cost startup;
  Cost total;
  double rows;
};

Estimate EstimateScan(const TablePlan& plan, const RelOptInfo* relation,
                      const std::vector<KeyCondition>& conditions) {
  double const width = std::max<double>(1, list_length(relation->reltarget->exprs));
  double const per_row = cpu_tuple_cost + (kDecodeOperators * width) * cpu_operator_cost +
                         relation->baserestrictcost.per_tuple;
  double const startup = relation->baserestrictcost.startup + plan.reader_count * cpu_tuple_cost;
  if (!CoversPartitionKey(conditions, plan.columns, plan.schema)) {
    return {startup, startup + seq_page_cost * plan.pages + per_row * plan.row_count,
            relation->rows};
  }
  LookupEstimate const lookup = EstimateLookup(plan, conditions);
  // Most SSTables are ruled out by their bloom filter.
  double const pages =
      lookup.partitions * (kLookupPages + 0.1 * std::max(0.0, plan.reader_count - 1));
  return {startup, startup + random_page_cost * pages + per_row * lookup.rows, lookup.rows};
}

Status LoadPlan(TablePlan& plan, Oid foreign_table) {
  ASSIGN_OR_RETURN(TableOptions const options, ReadTableOptions(foreign_table));
  ASSIGN_OR_RETURN(auto table, OpenTable::Open(options));
  plan.schema = table->schema();
  Relation const relation = TryPg([&]() noexcept { return table_open(foreign_table, NoLock); });
  ASSIGN_OR_RETURN(plan.columns,
                   MatchColumns(foreign_table, RelationGetDescr(relation), plan.schema));
  TryPg([&]() noexcept { table_close(relation, NoLock); });
  plan.keys = KeyColumnsOf(plan.columns);
  plan.name = plan.schema.QualifiedName();
  plan.row_count = static_cast<double>(table->row_count());
  plan.partition_count = static_cast<double>(table->partition_count());
  plan.pages = std::ceil(static_cast<double>(table->stored_size_bytes()) / BLCKSZ);
  plan.reader_count = static_cast<double>(table->readers().size());
  plan.has_bti = table->has_bti();
  plan.has_big = table->has_big();
  plan.files = StrCat(table->readers().size());
  if (!table->readers().empty()) {
    plan.files +=
        StrCat(" (", table->Versions(), "), ", table->data_size_bytes(), " bytes of data");
  }
  KeepPlanned(foreign_table, options, std::move(table));
  return Status::Ok();
}

// The files that a scan reads; of the formats that the table has.
std::string Components(const TablePlan& plan, bool by_key, bool by_token) {
  if (!by_key && !by_token) {
    return "Data";
  }
  std::string text = by_key ? "Filter" : "";
  auto const add = [&](std::string_view names) { text += StrCat(text.empty() ? "" : ", ", names); };
  if (plan.has_big) {
    add("Summary, Index");
  }
  if (plan.has_bti) {
    add(by_key ? "Partitions, Rows" : "Partitions");
  }
  add("Data");
  return text;
}

struct ColumnOfMember {
  AttrNumber number;
  Index relid;
};

bool IsMemberColumn(PlannerInfo*, RelOptInfo*, EquivalenceClass*, EquivalenceMember* member,
                    void* wanted) {
  auto const* const column = static_cast<ColumnOfMember*>(wanted);
  Node* node = reinterpret_cast<Node*>(member->em_expr);
  while (IsA(node, RelabelType)) {
    node = reinterpret_cast<Node*>(reinterpret_cast<RelabelType*>(node)->arg);
  }
  auto const* const var = reinterpret_cast<Var*>(node);
  return IsA(node, Var) && static_cast<Index>(var->varno) == column->relid &&
         var->varattno == column->number;
}

// Plain. Join clauses that could restrict key columns.
List* JoinClauses(PlannerInfo* root, RelOptInfo* relation, std::span<const KeyColumn> keys) {
  List* clauses = NIL;
  for (const KeyColumn& key : keys) {
    if (!relation->has_eclass_joins || !key.is_partition_key) {
      continue;
    }
    ColumnOfMember wanted = {key.number, relation->relid};
    clauses = list_concat(
        clauses, generate_implied_equalities_for_column(root, relation, &IsMemberColumn, &wanted,
                                                        relation->lateral_referencers));
  }
  ListCell* cell = nullptr;
  foreach (cell, relation->joininfo) {
    auto* const clause = lfirst_node(RestrictInfo, cell);
    if (join_clause_is_movable_to(clause, relation)) {
      clauses = lappend(clauses, clause);
    }
  }
  return clauses;
}

// Plain. The sets of relations whose rows could give values of key columns, each once, and all of
// them together.
List* OuterRelations(PlannerInfo* root, RelOptInfo* relation, std::span<const KeyColumn> keys) {
  List* sets = NIL;
  Relids all = bms_copy(relation->lateral_relids);
  ListCell* cell = nullptr;
  foreach (cell, JoinClauses(root, relation, keys)) {
    auto* const clause = lfirst_node(RestrictInfo, cell);
    KeyCondition condition;
    if (!MatchKeyCondition(clause->clause, relation->relid, keys, &condition)) {
      continue;
    }
    Relids const outer = bms_union(bms_difference(clause->clause_relids, relation->relids),
                                   relation->lateral_relids);
    bool known = bms_is_empty(outer);
    ListCell* other = nullptr;
    foreach (other, sets) {
      known = known || bms_equal(static_cast<Relids>(lfirst(other)), outer);
    }
    if (!known) {
      sets = lappend(sets, outer);
      all = bms_add_members(all, outer);
    }
  }
  return list_length(sets) > 1 ? lappend(sets, all) : sets;
}

void AddPath(PlannerInfo* root, RelOptInfo* relation, const Estimate& estimate, Relids outer) {
  TryPg([&]() noexcept {
    ForeignPath* const path =
        create_foreignscan_path(root, relation, nullptr, clamp_row_est(estimate.rows),
                                estimate.startup, estimate.total, NIL, outer, nullptr, NIL);
    add_path(relation, reinterpret_cast<::Path*>(path));
  });
}

// Plain. The columns of the relation that the plan needs, all for a whole row.
List* WantedColumns(RelOptInfo* relation, List* clauses, std::span<const AttrNumber> all) {
  Bitmapset* found = nullptr;
  pull_varattnos(reinterpret_cast<Node*>(relation->reltarget->exprs), relation->relid, &found);
  pull_varattnos(reinterpret_cast<Node*>(clauses), relation->relid, &found);
  bool const whole = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, found);
  List* wanted = NIL;
  for (AttrNumber const number : all) {
    if (whole || bms_is_member(number - FirstLowInvalidHeapAttributeNumber, found)) {
      wanted = lappend_int(wanted, number);
    }
  }
  return wanted;
}

}  // namespace

void PlanRelationSize(PlannerInfo* root, RelOptInfo* relation, Oid foreign_table) {
  Boundary([&]() -> Status {
    auto* const plan = NewIn<TablePlan>(CurrentMemoryContext);
    relation->fdw_private = plan;
    RETURN_IF_ERROR(LoadPlan(*plan, foreign_table));
    relation->tuples = plan->row_count;
    relation->pages = static_cast<BlockNumber>(std::min<double>(plan->pages, MaxBlockNumber));
    TryPg([&]() noexcept { set_baserel_size_estimates(root, relation); });
    auto const conditions = MatchAll(*plan, relation->relid, relation->baserestrictinfo);
    if (CoversPartitionKey(conditions, plan->columns, plan->schema)) {
      relation->rows = clamp_row_est(EstimateLookup(*plan, conditions).rows);
    }
    return Status::Ok();
  });
}

void PlanPaths(PlannerInfo* root, RelOptInfo* relation, Oid) {
  Boundary([&]() -> Status {
    const TablePlan& plan = *static_cast<TablePlan*>(relation->fdw_private);
    auto const own = MatchAll(plan, relation->relid, relation->baserestrictinfo);
    AddPath(root, relation, EstimateScan(plan, relation, own), relation->lateral_relids);
    if (CoversPartitionKey(own, plan.columns, plan.schema)) {
      return Status::Ok();
    }
    std::span<const KeyColumn> const keys = plan.keys;
    List* const sets = TryPg([&]() noexcept { return OuterRelations(root, relation, keys); });
    for (int index = 0; index < list_length(sets); ++index) {
      auto const outer = static_cast<Relids>(list_nth(sets, index));
      List* const clauses = TryPg([&]() noexcept {
        ParamPathInfo* const info = get_baserel_parampathinfo(root, relation, outer);
        return list_concat_copy(relation->baserestrictinfo, info->ppi_clauses);
      });
      auto const conditions = MatchAll(plan, relation->relid, clauses);
      if (CoversPartitionKey(conditions, plan.columns, plan.schema)) {
        AddPath(root, relation, EstimateScan(plan, relation, conditions), outer);
      }
    }
    return Status::Ok();
  });
}

ForeignScan* MakePlan(PlannerInfo*, RelOptInfo* relation, Oid, ForeignPath*, List* target_list,
                      List* clauses, Plan* outer_plan) {
  return Boundary([&]() -> Result<ForeignScan*> {
    const TablePlan& plan = *static_cast<TablePlan*>(relation->fdw_private);
    List* const actual = TryPg([&]() noexcept { return extract_actual_clauses(clauses, false); });
    auto const conditions =
        UsableConditions(MatchAll(plan, relation->relid, actual), plan.columns, plan.schema);
    bool const by_key = CoversPartitionKey(conditions, plan.columns, plan.schema);
    bool by_token = false;
    std::vector<ConditionUse> used;
    std::vector<AttrNumber> numbers;
    for (const ForeignColumn& column : plan.columns) {
      numbers.push_back(column.number);
    }
    for (const KeyCondition& condition : conditions) {
      used.push_back(UseOf(ColumnOf(plan, condition)));
      by_token = by_token || used.back() == ConditionUse::kToken;
    }
    std::string const components = Components(plan, by_key, by_token);
    List* const packed = PackConditions(conditions);
    std::span<const AttrNumber> const all = numbers;
    std::span<const KeyCondition> const matched = conditions;
    std::span<const ConditionUse> const uses = used;
    return TryPg([&]() noexcept {
      List* values = NIL;
      for (const KeyCondition& condition : matched) {
        values = lappend(values, copyObject(condition.value));
      }
      List* parts = NIL;
      parts = lappend(parts, WantedColumns(relation, actual, all));
      parts = lappend(parts, packed);
      List* use_numbers = NIL;
      for (ConditionUse const use : uses) {
        use_numbers = lappend_int(use_numbers, static_cast<int>(use));
      }
      parts = lappend(parts, use_numbers);
      parts = lappend(parts, makeInteger(by_key ? 1 : 0));
      parts = lappend(parts, makeString(pstrdup(plan.name.c_str())));
      parts = lappend(parts, makeString(pstrdup(plan.files.c_str())));
      parts = lappend(parts, makeString(pstrdup(components.c_str())));
      return make_foreignscan(target_list, actual, relation->relid, values, parts, NIL, NIL,
                              outer_plan);
    });
  });
}

}  // namespace orochi::pg
