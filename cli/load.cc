#include "cli/load.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/str_cat.h"
#include "cli/copy_text.h"
#include "cli/csv_reader.h"
#include "cli/interrupt.h"
#include "cli/number_format.h"
#include "cli/progress.h"
#include "cli/text_table.h"

namespace orochi::cli {

namespace {

constexpr size_t kCopyBlockSizeBytes = 64 * 1024;
constexpr int64_t kRowsBetweenUpdates = 256;

/// Where the records of a file are among the lines of the COPY.
struct FileStart {
  const InputFile* file;
  int64_t first_record;  // counted from 1 over all files
};

bool IsWholeNumber(const std::string& text) {
  int64_t value = 0;
  auto const [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size();
}

/// `request.table` read as SQL reads a name, and quoted again where it must be.
Result<std::string> QuoteTableName(const std::string& table, Connection& connection) {
  Result<QueryResult> const name = connection.Query(
      "SELECT string_agg(quote_ident(part), '.' ORDER BY position), count(*)"
      " FROM unnest(parse_ident($1)) WITH ORDINALITY AS parts(part, position)",
      {table});
  if (name.ok() && (name->Int(0, 1) == 1 || name->Int(0, 1) == 2)) {
    return std::string(name->Text(0, 0));
  }
  return Status::InvalidArgument(StrCat("--table: expected a table's name, found \"", table, "\""))
      .WithHint("for example metrics, public.metrics, or '\"My Table\"'");
}

/// One `orochi load` on its way. Life: made, Run once.
class Load {
 public:
  Load(const LoadRequest& request, Connection& connection, const Terminal& terminal)
      : request_(request), connection_(connection), terminal_(terminal), interrupt_(connection) {}

  Result<LoadReport> Run();

 private:
  Status CheckTable();
  Status ReadSchema();
  Status ReadSchemaOfTable();
  void PrintSchema() const;
  Status CreateTable();
  Status CopyFiles();
  Status CopyFile(const InputFile& file, Progress& progress, uint64_t bytes_before);
  Status PutBlock();
  Status ExplainCopyError(const Status& error) const;
  Result<int64_t> LineOfRecord(const InputFile& file, int64_t record) const;

  const LoadRequest& request_;
  Connection& connection_;
  const Terminal& terminal_;
  InterruptScope interrupt_;
  std::vector<InputFile> files_;
  std::vector<FileStart> starts_;
  CopyTextWriter writer_;
  LoadReport report_;
};

Result<LoadReport> Load::Run() {
  ASSIGN_OR_RETURN(files_, FindInputFiles(request_.inputs, request_.series_column.has_value()));
  report_.file_count = files_.size();
  RETURN_IF_ERROR(
      connection_.Execute("SET client_min_messages = error; SET datestyle = 'ISO, YMD'"));
  std::string const zone = request_.timezone.empty() ? "UTC" : request_.timezone;
  if (Status status =
          connection_.Execute(StrCat("SET timezone = ", connection_.QuoteLiteral(zone)));
      !status.ok()) {
    return Status::InvalidArgument(StrCat("--timezone: ", status.message()))
        .WithHint("use a name such as UTC or Europe/Berlin; pg_timezone_names lists them");
  }
  ASSIGN_OR_RETURN(report_.table, QuoteTableName(request_.table, connection_));
  RETURN_IF_ERROR(CheckTable());
  RETURN_IF_ERROR(request_.append ? ReadSchemaOfTable() : ReadSchema());
  RETURN_IF_ERROR(interrupt_.Check());
  Status status = connection_.Execute("BEGIN");
  if (status.ok() && !request_.append) {
    status = CreateTable();
  }
  if (status.ok()) {
    status = CopyFiles();
  }
  if (!status.ok()) {
    connection_.Execute("ROLLBACK").IgnoreError("the end of the session rolls back as well");
    RETURN_IF_ERROR(interrupt_.Check());
    return status;
  }
  Progress const analyze(terminal_, "analyze", 0);
  RETURN_IF_ERROR(connection_.Execute(StrCat("ANALYZE ", report_.table)));
  report_.analyze_seconds = analyze.ElapsedSeconds();
  return std::move(report_);
}

Status Load::CheckTable() {
  ASSIGN_OR_RETURN(QueryResult const found,
                   connection_.Query("SELECT to_regclass($1) IS NOT NULL", {report_.table}));
  bool const exists = found.Text(0, 0) == "t";
  if (exists && !request_.append) {
    return Status::AlreadyExists(StrCat("the table ", report_.table, " exists already"))
        .WithHint("choose another --table, or add the rows to it with --append");
  }
  if (!exists && request_.append) {
    return Status::NotFound(StrCat("there is no table ", report_.table, " to append to"))
        .WithHint("without --append, load creates it");
  }
  return Status::Ok();
}

Status Load::ReadSchema() {
  ASSIGN_OR_RETURN(report_.schema, InferLoadSchema(files_,
                                                   {.delimiter = request_.delimiter,
                                                    .time_column = request_.time_column,
                                                    .has_zone = !request_.timezone.empty()},
                                                   terminal_));
  for (const LoadColumn& column : report_.schema.columns) {
    if (request_.series_column == column.name) {
      return Status::InvalidArgument(
                 StrCat("the files have a column \"", column.name, "\" already"))
          .WithHint("name the new one differently: --series-from-path=NAME");
    }
  }
  PrintSchema();
  return Status::Ok();
}

Status Load::ReadSchemaOfTable() {
  ASSIGN_OR_RETURN(QueryResult const attributes,
                   connection_.Query("SELECT a.attname, format_type(a.atttypid, a.atttypmod),"
                                     " t.typcategory = 'S' FROM pg_attribute a"
                                     " JOIN pg_type t ON t.oid = a.atttypid"
                                     " WHERE a.attrelid = $1::regclass AND a.attnum > 0"
                                     " AND NOT a.attisdropped ORDER BY a.attnum",
                                     {report_.table}));
  std::vector<std::string> names;
  for (int row = 0; row < attributes.row_count(); ++row) {
    names.emplace_back(attributes.Text(row, 0));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<CsvSource> source, OpenCsvFile(files_.front().path));
  ASSIGN_OR_RETURN(CsvReader const first,
                   CsvReader::Open(files_.front().name, std::move(source), request_.delimiter));
  std::vector<std::string> wanted = first.columns();
  if (request_.series_column.has_value()) {
    wanted.push_back(*request_.series_column);
  }
  for (size_t index = 0; index < wanted.size(); ++index) {
    auto const found = std::find(names.begin(), names.end(), wanted[index]);
    if (found == names.end()) {
      return Status::InvalidArgument(
                 StrCat("the table ", report_.table, " has no column \"", wanted[index], "\""))
          .WithHint(StrCat("its columns are: ", JoinNames(names)));
    }
    int const row = static_cast<int>(found - names.begin());
    if (index < first.columns().size()) {
      report_.schema.columns.push_back({.name = wanted[index],
                                        .sql_type = std::string(attributes.Text(row, 1)),
                                        .empty_is_null = attributes.Text(row, 2) == "f",
                                        .profile = {}});
    }
  }
  for (const InputFile& file : files_) {
    report_.schema.size_bytes += file.size_bytes;
  }
  return Status::Ok();
}

void Load::PrintSchema() const {
  TextTable table({{"column"}, {"type"}, {"empty", TextTable::Align::kRight}, {"for example"}});
  for (const LoadColumn& column : report_.schema.columns) {
    std::string example;
    for (size_t kind = kValueKindCount; kind-- > 0;) {
      const auto& sample = column.profile.First(static_cast<ValueKind>(kind));
      example = sample.has_value() ? sample->text : example;
    }
    std::replace_if(
        example.begin(), example.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; },
        ' ');
    table.AddRow({column.name, column.sql_type,
                  column.profile.null_count() > 0 ? FormatCount(column.profile.null_count()) : "",
                  example});
  }
  if (request_.series_column.has_value()) {
    table.AddRow({*request_.series_column, "text", "", files_.front().series});
  }
  terminal_.Heading(StrCat("Columns, from all ", FormatCount(report_.schema.row_count), " rows of ",
                           FormatCount(static_cast<int64_t>(files_.size())),
                           files_.size() == 1 ? " file" : " files"));
  table.Print(terminal_);
}

Status Load::CreateTable() {
  std::string columns;
  bool whole_number_time = false;
  for (const LoadColumn& column : report_.schema.columns) {
    bool const is_time = column.name == request_.time_column;
    whole_number_time = whole_number_time || (is_time && column.type == ColumnType::kBigint);
    columns += StrCat(columns.empty() ? "" : ", ", connection_.QuoteIdentifier(column.name), " ",
                      column.sql_type, is_time ? " NOT NULL" : "");
  }
  if (request_.series_column.has_value()) {
    columns += StrCat(", ", connection_.QuoteIdentifier(*request_.series_column), " text NOT NULL");
  }
  if (whole_number_time != IsWholeNumber(request_.chunk_interval)) {
    return Status::InvalidArgument(
               StrCat("--chunk-interval: the time column ", request_.time_column,
                      whole_number_time ? " holds whole numbers" : " holds times", ", found \"",
                      request_.chunk_interval, "\""))
        .WithHint(whole_number_time
                      ? "give the length of a chunk in the column's own unit, for example 86400"
                      : "give an interval, for example '1 day'");
  }
  RETURN_IF_ERROR(connection_.Execute(StrCat("CREATE TABLE ", report_.table, " (", columns, ")")));
  std::string const interval = connection_.QuoteLiteral(request_.chunk_interval);
  return connection_.Execute(StrCat(
      "SELECT orochi.create_hypertable(", connection_.QuoteLiteral(report_.table), "::regclass, ",
      connection_.QuoteLiteral(request_.time_column), ", chunk_time_interval => ", interval,
      whole_number_time ? "::bigint)" : "::interval)"));
}

Status Load::CopyFiles() {
  std::string columns;
  for (const LoadColumn& column : report_.schema.columns) {
    columns += StrCat(columns.empty() ? "" : ", ", connection_.QuoteIdentifier(column.name));
  }
  if (request_.series_column.has_value()) {
    columns += StrCat(", ", connection_.QuoteIdentifier(*request_.series_column));
  }
  RETURN_IF_ERROR(
      connection_.CopyBegin(StrCat("COPY ", report_.table, " (", columns, ") FROM STDIN")));
  Progress progress(terminal_, "loading", report_.schema.size_bytes);
  uint64_t bytes_before = 0;
  for (const InputFile& file : files_) {
    starts_.push_back({.file = &file, .first_record = report_.row_count + 1});
    if (Status status = CopyFile(file, progress, bytes_before); !status.ok()) {
      progress.Finish();
      return ExplainCopyError(connection_.CopyAbort(status));
    }
    bytes_before += file.size_bytes;
  }
  if (Status status = PutBlock(); !status.ok()) {
    progress.Finish();
    return ExplainCopyError(connection_.CopyAbort(status));
  }
  Result<int64_t> const copied = connection_.CopyFinish();
  progress.Finish();
  if (!copied.ok()) {
    return ExplainCopyError(copied.status());
  }
  if (*copied != report_.row_count) {
    return Status::Internal(StrCat("sent ", report_.row_count, " rows, the server took ", *copied));
  }
  RETURN_IF_ERROR(interrupt_.Check());
  RETURN_IF_ERROR(connection_.Execute("COMMIT"));
  report_.load_seconds = progress.ElapsedSeconds();
  return Status::Ok();
}

Status Load::CopyFile(const InputFile& file, Progress& progress, uint64_t bytes_before) {
  ASSIGN_OR_RETURN(std::unique_ptr<CsvSource> source, OpenCsvFile(file.path));
  ASSIGN_OR_RETURN(CsvReader reader,
                   CsvReader::Open(file.name, std::move(source), request_.delimiter));
  const std::vector<LoadColumn>& columns = report_.schema.columns;
  RETURN_IF_ERROR(CheckSameColumns(columns, files_.front().name, reader.columns(), file.name));
  while (true) {
    ASSIGN_OR_RETURN(bool const found, reader.Next());
    if (!found) {
      return Status::Ok();
    }
    for (size_t index = 0; index < columns.size(); ++index) {
      const CsvField& field = reader.fields()[index];
      if (field.text.empty() && (columns[index].empty_is_null || !field.quoted)) {
        writer_.AddNull();
      } else {
        writer_.AddValue(field.text);
      }
    }
    if (request_.series_column.has_value()) {
      writer_.AddValue(file.series);
    }
    writer_.EndRow();
    ++report_.row_count;
    if (writer_.text().size() >= kCopyBlockSizeBytes) {
      RETURN_IF_ERROR(PutBlock());
    }
    if (report_.row_count % kRowsBetweenUpdates == 0) {
      progress.Update(report_.row_count, bytes_before + reader.bytes_read());
    }
  }
}

Status Load::PutBlock() {
  RETURN_IF_ERROR(interrupt_.Check());
  RETURN_IF_ERROR(connection_.CopyPut(writer_.text()));
  writer_.Clear();
  return Status::Ok();
}

Result<int64_t> Load::LineOfRecord(const InputFile& file, int64_t record) const {
  ASSIGN_OR_RETURN(std::unique_ptr<CsvSource> source, OpenCsvFile(file.path));
  ASSIGN_OR_RETURN(CsvReader reader,
                   CsvReader::Open(file.name, std::move(source), request_.delimiter));
  for (int64_t at = 0; at < record; ++at) {
    ASSIGN_OR_RETURN(bool const found, reader.Next());
    if (!found) {
      return Status::NotFound("the file is shorter now");
    }
  }
  return reader.line();
}

Status Load::ExplainCopyError(const Status& error) const {
  // "COPY metrics, line 7, column value: ...": the line counts the records of all files.
  const std::string& context = connection_.last_error_context();
  size_t const at = context.find(", line ");
  bool const is_bad_data = connection_.last_sqlstate().starts_with("22") ||
                           connection_.last_sqlstate().starts_with("23");
  int64_t record = 0;
  if (error.code() == StatusCode::kCorruption || at == std::string::npos) {
    return error;
  }
  size_t const digits = at + std::string_view(", line ").size();
  std::from_chars(context.data() + digits, context.data() + context.size(), record);
  auto const after = std::find_if(starts_.begin(), starts_.end(), [&](const FileStart& start) {
    return start.first_record > record;
  });
  if (after == starts_.begin()) {
    return error;
  }
  const FileStart& start = *(after - 1);
  Result<int64_t> const line = LineOfRecord(*start.file, record - start.first_record + 1);
  if (!line.ok()) {
    line.status().IgnoreError("the server's message stands without it");
    return error;
  }
  std::string where = StrCat(start.file->name, ", line ", *line);
  if (size_t const column = context.find(", column "); column != std::string::npos) {
    where += context.substr(column, context.find(':', column) - column);
  }
  return Status(is_bad_data ? StatusCode::kCorruption : error.code(),
                StrCat(where, ": ", error.message()))
      .WithDetail(error.detail())
      .WithHint(error.hint());
}

}  // namespace

Result<LoadReport> LoadFiles(const LoadRequest& request, Connection& connection,
                             const Terminal& terminal) {
  return Load(request, connection, terminal).Run();
}

}  // namespace orochi::cli
