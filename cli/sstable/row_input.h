#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "sstable/change/cql_changes.h"
#include "sstable/change/table_loader.h"
#include "sstable/schema/table_schema.h"

namespace orochi::cli {

/// How rows of CSV and JSON lines become changes.
struct RowInputOptions {
  std::string null_text;         // CSV: a field so written, and not in quotes, is no value
  char delimiter = ',';          // CSV
  sstable::RowTimes times = {};  // of rows that do not bring their own
  std::string timestamp_column;  // a column of the input with the row's timestamp; may be empty
  std::string ttl_column;        // the same for its TTL
  bool absent_is_null = false;   // JSON: columns that an object does not name become null
};

/// Adds a row for each record of a CSV file, whose header names the columns: text as it stands,
/// other scalars as CQL and CSV exports write them, collections, tuples and user types as CQL
/// literals. Fields without a value leave their column out. Errors name file, line and column.
Status AddCsvRows(const std::string& path, const sstable::TableSchema& schema,
                  const RowInputOptions& options, sstable::CqlChanges& changes,
                  sstable::TableLoader& loader);

/// Adds a row for each line of a file, an object as INSERT JSON takes it. Empty lines are passed
/// over. Errors name file and line.
Status AddJsonRows(const std::string& path, const RowInputOptions& options,
                   sstable::CqlChanges& changes, sstable::TableLoader& loader);

}  // namespace orochi::cli
