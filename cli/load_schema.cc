#include "cli/load_schema.h"

#include <algorithm>

#include "base/str_cat.h"
#include "cli/csv_reader.h"
#include "cli/number_format.h"
#include "cli/progress.h"

namespace orochi::cli {

namespace {

constexpr int64_t kRowsBetweenUpdates = 1024;

std::string At(const ValueSample& sample) {
  return StrCat(sample.file, ", line ", sample.line);
}

std::vector<std::string> NamesOf(const std::vector<LoadColumn>& columns) {
  std::vector<std::string> names;
  for (const LoadColumn& column : columns) {
    names.push_back(column.name);
  }
  return names;
}

/// Why a column that should be the time is none, by the first value that speaks against it.
Status NotATime(const LoadColumn& column) {
  const ColumnProfile& profile = column.profile;
  if (profile.First(ValueKind::kTimestampTz).has_value() &&
      !profile.First(ValueKind::kText).has_value()) {
    const auto& naive = profile.First(ValueKind::kTimestamp).has_value()
                            ? profile.First(ValueKind::kTimestamp)
                            : profile.First(ValueKind::kDate);
    if (naive.has_value()) {
      return Status::Corruption(StrCat(At(*naive), ", column ", column.name,
                                       ": expected a zone or offset as in ",
                                       At(*profile.First(ValueKind::kTimestampTz)), ", found \"",
                                       naive->text, "\""))
          .WithHint("say in which zone times without one are, for example --timezone UTC");
    }
  }
  for (ValueKind const kind :
       {ValueKind::kText, ValueKind::kFloat, ValueKind::kBigInteger, ValueKind::kInteger}) {
    if (const auto& sample = profile.First(kind); sample.has_value()) {
      return Status::Corruption(StrCat(At(*sample), ", column ", column.name,
                                       ": expected a time, found \"", sample->text, "\""))
          .WithHint(
              "times are read as 2024-02-29 13:45:00, with T, fractions, Z or an offset, as "
              "2024-02-29, or as whole numbers throughout");
    }
  }
  return Status::Corruption(StrCat("column ", column.name, " has no values"));
}

Result<const LoadColumn*> FindTimeColumn(const LoadSchema& schema, const LoadSchemaOptions& options,
                                         const std::string& file) {
  for (const LoadColumn& column : schema.columns) {
    if (column.name == options.time_column) {
      return &column;
    }
  }
  std::vector<std::string> const names = NamesOf(schema.columns);
  return Status::InvalidArgument(StrCat(file, " has no column \"", options.time_column, "\""))
      .WithHint(HeaderHint(names, options.delimiter,
                           StrCat("choose --time-column from: ", JoinNames(names))));
}

Status CheckTimeColumn(const LoadSchema& schema, const LoadSchemaOptions& options,
                       const std::string& file) {
  ASSIGN_OR_RETURN(const LoadColumn* const column, FindTimeColumn(schema, options, file));
  if (const auto& missing = column->profile.first_null(); missing.has_value()) {
    return Status::Corruption(
        StrCat(At(*missing), ", column ", column->name, ": expected a time, found nothing"));
  }
  return IsTimeType(column->type) ? Status::Ok() : NotATime(*column);
}

}  // namespace

std::string JoinNames(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) {
    joined += StrCat(joined.empty() ? "" : ", ", name);
  }
  return joined;
}

std::string HeaderHint(const std::vector<std::string>& columns, char delimiter,
                       std::string advice) {
  for (char const other : {',', ';', '\t', '|'}) {
    size_t count = 0;
    for (const std::string& column : columns) {
      count += static_cast<size_t>(std::count(column.begin(), column.end(), other));
    }
    // A name may hold one of them; more of them than delimiters are no accident.
    if (other != delimiter && count >= columns.size()) {
      std::string const option = other == '\t' ? "\\t" : std::string(1, other);
      return StrCat("the columns seem to be separated otherwise: try --delimiter '", option, "'");
    }
  }
  return advice;
}

Status CheckSameColumns(const std::vector<LoadColumn>& columns, const std::string& first_file,
                        const std::vector<std::string>& found, const std::string& found_file) {
  std::vector<std::string> const expected = NamesOf(columns);
  if (expected == found) {
    return Status::Ok();
  }
  return Status::Corruption(StrCat(found_file, ", line 1: expected the columns ",
                                   JoinNames(expected), " as in ", first_file, ", found ",
                                   JoinNames(found)))
      .WithHint("files with different columns go into different tables");
}

Result<LoadSchema> InferLoadSchema(const std::vector<InputFile>& files,
                                   const LoadSchemaOptions& options) {
  LoadSchema schema;
  for (const InputFile& file : files) {
    schema.size_bytes += file.size_bytes;
  }
  Progress progress("reading", schema.size_bytes);
  uint64_t bytes_before_file = 0;
  for (const InputFile& file : files) {
    ASSIGN_OR_RETURN(std::unique_ptr<CsvSource> source, OpenCsvFile(file.path));
    ASSIGN_OR_RETURN(CsvReader reader,
                     CsvReader::Open(file.name, std::move(source), options.delimiter));
    if (schema.columns.empty()) {
      for (const std::string& name : reader.columns()) {
        schema.columns.push_back({.name = name, .sql_type = {}, .profile = {}});
      }
    }
    RETURN_IF_ERROR(FindTimeColumn(schema, options, file.name).status());
    RETURN_IF_ERROR(
        CheckSameColumns(schema.columns, files.front().name, reader.columns(), file.name));
    while (true) {
      ASSIGN_OR_RETURN(bool const found, reader.Next());
      if (!found) {
        break;
      }
      for (size_t index = 0; index < schema.columns.size(); ++index) {
        schema.columns[index].profile.Add(reader.fields()[index].text, file.name, reader.line());
      }
      if (++schema.row_count % kRowsBetweenUpdates == 0) {
        progress.Update(schema.row_count, bytes_before_file + reader.bytes_read());
      }
    }
    bytes_before_file += file.size_bytes;
  }
  progress.Finish();
  schema.seconds = progress.ElapsedSeconds();
  if (schema.row_count == 0) {
    return Status::Corruption(StrCat("there are no rows in ",
                                     FormatQuantity(static_cast<int64_t>(files.size()), "file"),
                                     ", only headers: ", files.front().name));
  }
  for (LoadColumn& column : schema.columns) {
    column.type = column.profile.Type(options.has_zone);
    column.sql_type = ColumnTypeName(column.type);
    column.empty_is_null = column.type != ColumnType::kText;
  }
  RETURN_IF_ERROR(CheckTimeColumn(schema, options, files.front().name));
  return schema;
}

}  // namespace orochi::cli
