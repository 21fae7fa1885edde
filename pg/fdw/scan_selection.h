#pragma once

#include "pg/fdw/key_conditions.h"
#include "sstable/cql/syntax.h"

namespace orochi::pg {

/// The value of a condition in one scan, plain.
struct ConditionValue {
  Datum value;
  bool is_null;
};

/// What one scan reads.
struct ScanSelection {
  /// The conditions can be true for no row.
  bool nothing = false;
  bool by_key = false;
  std::vector<sstable::cql::Relation> where;
};

/// Turns conditions and their values into CQL conditions that accept at least the rows for which
/// all of them are true. Leaves out what does not narrow what is read: partition key columns unless
/// all have values, clustering columns behind a range or a gap, values that Cassandra cannot have.
Result<ScanSelection> SelectRows(const std::vector<KeyCondition>& conditions,
                                 std::span<const ConditionValue> values,
                                 const std::vector<ForeignColumn>& columns,
                                 const sstable::TableSchema& schema);

/// token(partition key) from first to last, both included.
std::vector<sstable::cql::Relation> TokenRange(const sstable::TableSchema& schema, int64_t first,
                                               int64_t last);

}  // namespace orochi::pg
