#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/status.h"
#include "cli/connection.h"
#include "cli/input_files.h"
#include "cli/load_schema.h"
#include "cli/terminal.h"

namespace orochi::cli {

/// What `orochi load` was asked to do.
struct LoadRequest {
  std::vector<std::string> inputs;
  std::string table;        // as SQL has it: folded to lower case unless quoted, schema optional
  std::string time_column;  // unused when appending
  std::optional<std::string> series_column;
  std::string chunk_interval;  // an interval; a whole number for a time column of whole numbers
  std::string timezone;        // empty: times without a zone stay without
  char delimiter = ',';
  bool append = false;
};

/// What happened.
struct LoadReport {
  std::string table;  // quoted and, if the request named one, with its schema
  LoadSchema schema;
  size_t file_count = 0;
  int64_t row_count = 0;
  double load_seconds = 0;  // COPY and COMMIT
  double analyze_seconds = 0;
};

/// Loads CSV files into a new hypertable, or appends to a table: table, hypertable and rows appear
/// in one transaction, so an error, a kill or Ctrl-C leaves nothing. Prints the schema it inferred
/// and its progress.
///
/// kCorruption for malformed data, with file and line, also when the server is who finds it;
/// kAlreadyExists when the table exists and must not, kNotFound when it does not and must.
Result<LoadReport> LoadFiles(const LoadRequest& request, Connection& connection,
                             const Terminal& terminal);

}  // namespace orochi::cli
