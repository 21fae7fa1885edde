#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/cql/syntax.h"
#include "sstable/format/selection.h"
#include "sstable/query/row_values.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

/// A condition that a row's values must meet. Null meets none.
struct RowFilter {
  std::vector<ColumnRef> columns;  // one, or those of a tuple
  cql::Operator op = cql::Operator::kEqual;
  Value element;                           // of m['x'] = 1: the key
  std::vector<std::vector<Value>> values;  // one; of IN any number. Each as long as `columns`

  Result<bool> Accepts(const RowValues& row) const;
};

/// What WHERE means for reading: which partitions, which of their rows, and what is left to check.
struct Restrictions {
  enum class Access : uint8_t { kNothing, kKeys, kTokenRange, kEverything };
  Access access = Access::kEverything;
  std::vector<std::string> keys;  // kKeys: in the order of their columns' values, each once
  PartitionRange range;           // kTokenRange
  RowSelection selection;         // not yet reversed
  std::vector<RowFilter> filters;
  bool has_clustering = false;  // some clustering column is restricted
  bool has_others = false;      // some regular column is
  /// How many columns from the first clustering column on are restricted to one value.
  size_t clustering_equal_count = 0;
  std::vector<std::string> equal_columns;  // restricted to one value, by name
  bool needs_filtering = false;            // Cassandra wants ALLOW FILTERING
};

/// kInvalidArgument in Cassandra's words, with position, for conditions that cannot be.
Result<Restrictions> PlanRestrictions(const std::vector<cql::Relation>& where,
                                      const TableSchema& schema, const Layout& layout);

/// Of what token() gives: a number, or where keys order partitions the key, as a blob for
/// ByteOrderedPartitioner.
TypeRef TokenType(const TableSchema& schema, Partitioner partitioner);

}  // namespace orochi::sstable
