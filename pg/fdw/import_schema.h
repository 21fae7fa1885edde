#pragma once

#include "pg/bridge.h"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace orochi::pg {

/// IMPORT FOREIGN SCHEMA: a CREATE FOREIGN TABLE statement for every table of a keyspace, from
/// schema_file where the server has one, otherwise from the files' own metadata.
List* ImportSchema(ImportForeignSchemaStmt* statement, Oid server);

}  // namespace orochi::pg
