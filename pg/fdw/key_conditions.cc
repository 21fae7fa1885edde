#include "pg/fdw/key_conditions.h"

#include "pg/fdw/value_encoder.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/typcache.h"
}

namespace orochi::pg {
namespace {

using sstable::ColumnRole;
using sstable::TypeKind;

bool IsInteger(Oid type) {
  return type == INT2OID || type == INT4OID || type == INT8OID;
}
bool IsText(Oid type) {
  return type == TEXTOID || type == VARCHAROID;
}

bool SameFamily(Oid left, Oid right) {
  return left == right || (IsInteger(left) && IsInteger(right)) || (IsText(left) && IsText(right));
}

// Whether PostgreSQL and Cassandra mean the same. They do not for the order of uuid and inet, for
// zeros and NaN of floats, for times finer than a microsecond, and for 1.0 and 1.00, which are
// equal but two partition keys.
bool MeansTheSame(const KeyColumn& column, int strategy, Oid collation) noexcept {
  bool const equality = strategy == BTEqualStrategyNumber;
  if (column.is_token) {
    return true;
  }
  switch (column.type->kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kBoolean:
    case TypeKind::kBlob:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kVarint:
      return true;
    case TypeKind::kDecimal:
      return !column.is_partition_key;
    case TypeKind::kTime:
      return column.pg_type == INT8OID;
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kInet:
      return equality;
    case TypeKind::kText:
    case TypeKind::kAscii:
      if (GetDatabaseEncoding() != PG_UTF8 || !OidIsValid(collation)) {
        return false;
      }
      return equality ? get_collation_isdeterministic(collation) : lc_collate_is_c(collation);
    default:
      return false;
  }
}

const KeyColumn* FindColumn(Node* node, Index relid, std::span<const KeyColumn> columns) noexcept {
  while (IsA(node, RelabelType)) {
    node = reinterpret_cast<Node*>(reinterpret_cast<RelabelType*>(node)->arg);
  }
  auto const* const var = reinterpret_cast<Var*>(node);
  if (!IsA(node, Var) || static_cast<Index>(var->varno) != relid || var->varlevelsup != 0) {
    return nullptr;
  }
  for (const KeyColumn& column : columns) {
    if (column.number == var->varattno) {
      return &column;
    }
  }
  return nullptr;
}

bool IsStable(Node* value, Index relid) noexcept {
  return !bms_is_member(static_cast<int>(relid), pull_varnos(nullptr, value)) &&
         !contain_volatile_functions(value) && !contain_subplans(value);
}

// The btree strategy of an operator for the column's type; 0 when it has none.
int StrategyOf(Oid operator_id, Oid column_type) noexcept {
  TypeCacheEntry* const entry = lookup_type_cache(column_type, TYPECACHE_BTREE_OPFAMILY);
  return OidIsValid(entry->btree_opf) ? get_op_opfamily_strategy(operator_id, entry->btree_opf) : 0;
}

bool MatchOperator(OpExpr* clause, Index relid, std::span<const KeyColumn> columns,
                   KeyCondition* out) noexcept {
  if (list_length(clause->args) != 2) {
    return false;
  }
  auto* left = static_cast<Node*>(linitial(clause->args));
  auto* right = static_cast<Node*>(lsecond(clause->args));
  Oid operator_id = clause->opno;
  const KeyColumn* column = FindColumn(left, relid, columns);
  if (column == nullptr) {
    column = FindColumn(right, relid, columns);
    std::swap(left, right);
    operator_id = get_commutator(operator_id);
  }
  if (column == nullptr || !OidIsValid(operator_id) || !IsStable(right, relid)) {
    return false;
  }
  int const strategy = StrategyOf(operator_id, column->pg_type);
  Oid const value_type = exprType(right);
  if (strategy == 0 || !SameFamily(value_type, column->pg_type) ||
      !MeansTheSame(*column, strategy, clause->inputcollid)) {
    return false;
  }
  *out = {.number = column->number,
          .strategy = strategy,
          .is_array = false,
          .value_type = value_type,
          .value = reinterpret_cast<Expr*>(right)};
  return true;
}

bool MatchAny(ScalarArrayOpExpr* clause, Index relid, std::span<const KeyColumn> columns,
              KeyCondition* out) noexcept {
  auto* const left = static_cast<Node*>(linitial(clause->args));
  auto* const right = static_cast<Node*>(lsecond(clause->args));
  const KeyColumn* const column = FindColumn(left, relid, columns);
  if (!clause->useOr || column == nullptr || column->is_token || !IsStable(right, relid)) {
    return false;
  }
  int const strategy = StrategyOf(clause->opno, column->pg_type);
  Oid const element = get_base_element_type(exprType(right));
  if (strategy != BTEqualStrategyNumber || !SameFamily(element, column->pg_type) ||
      !MeansTheSame(*column, strategy, clause->inputcollid)) {
    return false;
  }
  *out = {.number = column->number,
          .strategy = strategy,
          .is_array = true,
          .value_type = element,
          .value = reinterpret_cast<Expr*>(right)};
  return true;
}

}  // namespace

std::vector<KeyColumn> KeyColumnsOf(const std::vector<ForeignColumn>& columns) {
  std::vector<KeyColumn> keys;
  for (const ForeignColumn& column : columns) {
    if (column.source.kind == ColumnSource::Kind::kToken) {
      if (column.pg_type == INT8OID) {
        keys.push_back({.number = column.number,
                        .pg_type = INT8OID,
                        .is_token = true,
                        .is_partition_key = false,
                        .type = nullptr});
      }
      continue;
    }
    bool const is_partition_key = column.column.role == ColumnRole::kPartitionKey;
    bool const is_key = is_partition_key || column.column.role == ColumnRole::kClustering;
    if (is_key && column.source.kind == ColumnSource::Kind::kValue &&
        HasExactEncoding(*column.column.type, column.pg_type)) {
      keys.push_back({.number = column.number,
                      .pg_type = column.pg_type,
                      .is_token = false,
                      .is_partition_key = is_partition_key,
                      .type = column.column.type.get()});
    }
  }
  return keys;
}

bool MatchKeyCondition(Expr* clause, Index relid, std::span<const KeyColumn> columns,
                       KeyCondition* out) noexcept {
  if (IsA(clause, OpExpr)) {
    return MatchOperator(reinterpret_cast<OpExpr*>(clause), relid, columns, out);
  }
  if (IsA(clause, ScalarArrayOpExpr)) {
    return MatchAny(reinterpret_cast<ScalarArrayOpExpr*>(clause), relid, columns, out);
  }
  return false;
}

bool CoversPartitionKey(const std::vector<KeyCondition>& conditions,
                        const std::vector<ForeignColumn>& columns,
                        const sstable::TableSchema& schema) {
  std::vector<bool> covered(schema.partition_key.size());
  for (const KeyCondition& condition : conditions) {
    for (const ForeignColumn& column : columns) {
      if (column.number == condition.number && condition.strategy == BTEqualStrategyNumber &&
          column.source.kind == ColumnSource::Kind::kValue &&
          column.column.role == ColumnRole::kPartitionKey) {
        covered[column.column.index] = true;
      }
    }
  }
  return std::find(covered.begin(), covered.end(), false) == covered.end();
}

std::vector<KeyCondition> UsableConditions(const std::vector<KeyCondition>& conditions,
                                           const std::vector<ForeignColumn>& columns,
                                           const sstable::TableSchema& schema) {
  std::vector<KeyCondition> usable;
  // Adds conditions on a column; false when there are none.
  auto const add = [&](ColumnSource::Kind kind, ColumnRole role, size_t index, bool equality) {
    bool any = false;
    for (const KeyCondition& condition : conditions) {
      auto const column = std::find_if(
          columns.begin(), columns.end(),
          [&](const ForeignColumn& candidate) { return candidate.number == condition.number; });
      bool const is_value = kind == ColumnSource::Kind::kValue;
      bool const fits =
          column->source.kind == kind &&
          (!is_value || (column->column.role == role && column->column.index == index &&
                         (condition.strategy == BTEqualStrategyNumber) == equality));
      if (fits && !(is_value && equality && any)) {
        usable.push_back(condition);
        any = true;
      }
    }
    return any;
  };
  if (CoversPartitionKey(conditions, columns, schema)) {
    for (size_t index = 0; index < schema.partition_key.size(); ++index) {
      add(ColumnSource::Kind::kValue, ColumnRole::kPartitionKey, index, true);
    }
  } else {
    add(ColumnSource::Kind::kToken, ColumnRole::kPartitionKey, 0, false);
  }
  for (size_t index = 0; index < schema.clustering.size(); ++index) {
    if (!add(ColumnSource::Kind::kValue, ColumnRole::kClustering, index, true)) {
      add(ColumnSource::Kind::kValue, ColumnRole::kClustering, index, false);
      break;
    }
  }
  return usable;
}

List* PackConditions(const std::vector<KeyCondition>& conditions) {
  const KeyCondition* const begin = conditions.data();
  size_t const count = conditions.size();
  return TryPg([&]() noexcept {
    List* packed = NIL;
    for (size_t index = 0; index < count; ++index) {
      const KeyCondition& condition = begin[index];
      packed = lappend(
          packed, list_make4_int(condition.number, condition.strategy, condition.is_array ? 1 : 0,
                                 static_cast<int>(condition.value_type)));
    }
    return packed;
  });
}

std::vector<KeyCondition> UnpackConditions(List* packed, List* values) {
  std::vector<KeyCondition> conditions;
  for (int index = 0; index < list_length(packed); ++index) {
    auto* const numbers = static_cast<List*>(list_nth(packed, index));
    conditions.push_back({.number = static_cast<AttrNumber>(list_nth_int(numbers, 0)),
                          .strategy = list_nth_int(numbers, 1),
                          .is_array = list_nth_int(numbers, 2) != 0,
                          .value_type = static_cast<Oid>(list_nth_int(numbers, 3)),
                          .value = static_cast<Expr*>(list_nth(values, index))});
  }
  return conditions;
}

}  // namespace orochi::pg
