#pragma once

#include "pg/bridge.h"
#include "pg/hypertable/catalog.h"
#include "pg/hypertable/table_definition.h"

namespace orochi::pg {

/// Whether the table holds no row that is committed or of this transaction.
/// REQUIRES: ACCESS EXCLUSIVE on it.
bool IsEmptyTable(Oid relid);

struct MigrationCounts {
  uint64_t rows = 0;
  uint64_t chunks = 0;
};

/// Makes the chunks that the rows of `from` need and copies the rows into `to`, as the owner and
/// without firing triggers (there are none yet). Counts before and after are compared.
/// A null or infinite time is an error that names the column.
/// REQUIRES: ACCESS EXCLUSIVE on both, and the same column names.
Result<MigrationCounts> MigrateRows(Oid from, AttrNumber from_time_attno, const Hypertable& to,
                                    const TableDefinition& definition);

}  // namespace orochi::pg
