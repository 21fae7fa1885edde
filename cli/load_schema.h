#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/status.h"
#include "cli/input_files.h"
#include "cli/type_inference.h"

namespace orochi::cli {

/// One column of the files.
struct LoadColumn {
  std::string name;
  std::string sql_type;
  ColumnType type = ColumnType::kText;  // inferred; meaningless when appending
  bool empty_is_null = true;            // also in quotes; text keeps "" as the empty string
  ColumnProfile profile;                // without values when appending
};

/// What all files have in common, and how much there is.
struct LoadSchema {
  std::vector<LoadColumn> columns;
  int64_t row_count = 0;
  uint64_t size_bytes = 0;
  double seconds = 0;  // that reading took
};

struct LoadSchemaOptions {
  char delimiter = ',';
  std::string time_column;
  bool has_zone = false;  // times without a zone are to be read in one the user named
};

/// Reads all files to their end and infers a type for every column from all values.
/// kCorruption for malformed files, for files whose headers differ, and for a time column with
/// values that are missing or no times; kInvalidArgument when there is no such column. Shows its
/// progress.
Result<LoadSchema> InferLoadSchema(const std::vector<InputFile>& files,
                                   const LoadSchemaOptions& options);

/// `columns` are those of the first file; fails like InferLoadSchema when `found` are others.
Status CheckSameColumns(const std::vector<LoadColumn>& columns, const std::string& first_file,
                        const std::vector<std::string>& found, const std::string& found_file);

/// What to do when a header has not the columns that were expected: names the delimiter that the
/// file seems to have where `columns`, split at `delimiter`, hold another one; else `advice`.
std::string HeaderHint(const std::vector<std::string>& columns, char delimiter, std::string advice);

/// "a, b, c" for messages.
std::string JoinNames(const std::vector<std::string>& names);

}  // namespace orochi::cli
