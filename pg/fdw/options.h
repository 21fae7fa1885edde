#pragma once

#include "pg/bridge.h"

extern "C" {
#include "access/attnum.h"
}

/// OPTIONS of servers, tables and columns of the foreign data wrapper orochi_sstable.
namespace orochi::pg {

/// What becomes of dates and timestamps that PostgreSQL's types cannot hold.
enum class OutOfRangeRule : uint8_t { kError, kNull, kInfinity };
/// What becomes of values without bytes of types that are not text: Cassandra has them beside null.
enum class EmptyRule : uint8_t { kNull, kError };

struct ValueRules {
  OutOfRangeRule out_of_range = OutOfRangeRule::kError;
  EmptyRule empty = EmptyRule::kNull;

  friend bool operator==(const ValueRules&, const ValueRules&) = default;
};

/// Where a table's files are and how they are read: the server's options under the table's.
struct TableOptions {
  std::string data_dir;
  std::string schema_file;
  std::string keyspace;
  std::string table;
  std::string directory;  // of the SSTables themselves, instead of a search below data_dir
  std::string snapshot;
  std::optional<int64_t> now_s;  // by which TTLs expire; none: when the transaction began
  ValueRules rules;

  int64_t NowSeconds() const;
  friend bool operator==(const TableOptions&, const TableOptions&) = default;
};

/// What a column of a foreign table shows.
struct ColumnSource {
  enum class Kind : uint8_t { kValue, kWriteTime, kTtl, kToken };
  Kind kind = Kind::kValue;
  std::string name;  // of the Cassandra column; empty for kToken
};

/// The options of a foreign table; `table` is its name where no option says otherwise.
///
/// Files are read with the rights of whoever named them: the owner of the server for its options,
/// the owner of the table for the table's. kPermissionDenied when that role may not read server
/// files (any more).
Result<TableOptions> ReadTableOptions(Oid foreign_table);
/// Those of a server alone, for IMPORT FOREIGN SCHEMA; the same rule.
Result<TableOptions> ReadServerOptions(Oid server);

/// `column_name` is the column's own name.
ColumnSource ReadColumnSource(Oid foreign_table, AttrNumber number, const char* column_name);

}  // namespace orochi::pg
