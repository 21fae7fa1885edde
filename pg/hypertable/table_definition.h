#pragma once

#include "pg/bridge.h"

extern "C" {
#include "access/attnum.h"
}

/// Everything that makes up a plain table but its rows, as commands that make a partitioned table
/// like it. A plain table cannot become a partitioned one, so create_hypertable makes a new table
/// of the same name and gives it all that the old one had.
///
/// Threads: the backend's own.
namespace orochi::pg {

/// A command, and the tablespace that things it creates go to ("" is the database's).
struct DefinitionCommand {
  std::string text;
  std::string tablespace = {};
};

/// The sequence behind an identity column.
struct IdentitySequence {
  Oid relid;
  std::string name;
  std::string column;
};

/// Commands read from the catalogs, all names qualified. They are made to run in this order:
///   put_aside         renames the table and what shares its schema's names
///   create            the partitioned table with columns, defaults and CHECK constraints
///   [rows are copied]
///   complete          indexes, constraints, triggers, policies, comments, ...
///   redirect          views, rules and functions that use the table by name
struct TableDefinition {
  std::string schema;
  std::string name;
  Oid owner = InvalidOid;
  std::string qualified_name;  // of the new table
  std::string aside_name;      // of the old one, qualified
  std::string insert_columns;  // quoted, without generated ones
  std::vector<IdentitySequence> identities;
  std::vector<DefinitionCommand> put_aside;
  std::vector<DefinitionCommand> create;
  std::vector<DefinitionCommand> complete;
  std::vector<DefinitionCommand> redirect;
};

/// Refuses, by name, whatever a partitioned table cannot have or this module cannot carry over.
/// REQUIRES: ACCESS EXCLUSIVE on the table.
Status RequireCarriesOver(Oid relid, AttrNumber time_attno);

/// Reads the definition. REQUIRES: as above, and a search_path of pg_catalog alone, so that the
/// catalogs' printers qualify every name.
TableDefinition ReadTableDefinition(Oid relid, AttrNumber time_attno);

}  // namespace orochi::pg
