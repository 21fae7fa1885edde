#pragma once

#include "pg/fdw/options.h"
#include "sstable/cql/syntax.h"
#include "sstable/query/row_values.h"
#include "sstable/schema/table_schema.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace orochi::pg {

/// A column of a foreign table and what it shows of the Cassandra table.
struct ForeignColumn {
  AttrNumber number = 0;
  std::string name;  // in PostgreSQL
  Oid pg_type = InvalidOid;
  int32_t type_modifier = -1;
  ColumnSource source;
  /// The column shown, or whose time is shown; not for tokens.
  sstable::ColumnRef column;
};

/// The columns of a foreign table, without dropped ones. kNotFound with a list of what there is
/// when the Cassandra table lacks one.
Result<std::vector<ForeignColumn>> MatchColumns(Oid foreign_table, TupleDesc descriptor,
                                                const sstable::TableSchema& schema);

/// What a query selects for the column.
sstable::cql::Selector SelectorOf(const ForeignColumn& column, const sstable::TableSchema& schema);

}  // namespace orochi::pg
