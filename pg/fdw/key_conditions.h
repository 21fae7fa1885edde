#pragma once

#include "pg/fdw/foreign_columns.h"

extern "C" {
#include "nodes/nodes.h"
#include "nodes/primnodes.h"
}

/// Which conditions of a query decide what is read. All of them are checked again by PostgreSQL, so
/// that only one thing matters here: what is read must be all that they can be true for.
namespace orochi::pg {

/// A column that a condition may use, plain. `type` is of the schema, which outlives it.
struct KeyColumn {
  AttrNumber number;
  Oid pg_type;
  bool is_token;
  bool is_partition_key;
  const sstable::Type* type;  // null for tokens
};

/// "column op value", or "column = ANY (value)".
struct KeyCondition {
  AttrNumber number = 0;
  int strategy = 0;  // BTLessStrategyNumber ...
  bool is_array = false;
  Oid value_type = InvalidOid;  // of the elements of an array
  Expr* value = nullptr;
};

/// Key columns and tokens.
std::vector<KeyColumn> KeyColumnsOf(const std::vector<ForeignColumn>& columns);

/// True when the clause is such a condition on a column of relation `relid` with a value that does
/// not depend on its rows. Plain: for use in TryPg.
bool MatchKeyCondition(Expr* clause, Index relid, std::span<const KeyColumn> columns,
                       KeyCondition* out) noexcept;

/// True when every partition key column of `schema` is restricted to values.
bool CoversPartitionKey(const std::vector<KeyCondition>& conditions,
                        const std::vector<ForeignColumn>& columns,
                        const sstable::TableSchema& schema);

/// Those that narrow what is read, in the order in which they do: the whole partition key, or else
/// tokens; then clustering columns, values first and ranges on one more. Of several conditions with
/// values on a column the first.
std::vector<KeyCondition> UsableConditions(const std::vector<KeyCondition>& conditions,
                                           const std::vector<ForeignColumn>& columns,
                                           const sstable::TableSchema& schema);

/// The conditions without their values as lists of integers, which a plan can hold, and back.
List* PackConditions(const std::vector<KeyCondition>& conditions);
std::vector<KeyCondition> UnpackConditions(List* packed, List* values);

}  // namespace orochi::pg
