#include "cli/load.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/str_cat.h"
#include "cli/copy_error.h"
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

Status WrongInterval(const Status& refusal) {
  return Status::InvalidArgument(StrCat("--chunk-interval: ", refusal.message()))
      .WithDetail(refusal.detail())
      .WithHint(
          "give a length of time as '1 day', '6 hours' or '1 month'; for a time column of "
          "whole numbers a whole number in its own unit");
}

/// One `orochi load` on its way. Life: made, Run once.
class Load {
 public:
  Load(const LoadRequest& request, Connection& connection, const Terminal& terminal)
      : request_(request), connection_(connection), terminal_(terminal), interrupt_(connection) {}

  Result<LoadReport> Run();

 private:
  Status CheckInterval();
  Status CheckTable();
  Status ReadSchema();
  Status ReadSchemaOfTable();
  void PrintSchema() const;
  Status CheckNamesAreUtf8();
  Status CreateTable();
  Status CreateHypertable(bool whole_number_time);
  Status CopyFiles();
  Status CopyFile(const InputFile& file, Progress& progress, uint64_t bytes_before);
  Status PutBlock();
  Status FailCopy(const Status& error) const;

  const LoadRequest& request_;
  Connection& connection_;
  const Terminal& terminal_;
  InterruptScope interrupt_;
  std::vector<InputFile> files_;
  CopiedFiles copied_;
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
  RETURN_IF_ERROR(CheckInterval());
  copied_.delimiter = request_.delimiter;
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
  Progress const analyze("analyze", 0);
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

/// Before all files are read, as far as it can be known by then.
Status Load::CheckInterval() {
  if (request_.append || IsWholeNumber(request_.chunk_interval)) {
    return Status::Ok();
  }
  Status status = connection_.Query("SELECT $1::interval", {request_.chunk_interval}).status();
  return status.ok() ? Status::Ok() : WrongInterval(status);
}

/// A name in another encoding could be neither quoted nor shown.
Status Load::CheckNamesAreUtf8() {
  std::string names;
  for (const LoadColumn& column : report_.schema.columns) {
    names += column.name;
  }
  Status status = connection_.Query("SELECT $1::text", {names}).status();
  if (status.ok()) {
    return Status::Ok();
  }
  const std::string& file = files_.front().name;
  return Status::Corruption(
             StrCat(file, ", line 1: the names of the columns are not UTF-8: ", status.message()))
      .WithHint(StrCat("if the file is in Latin-1: iconv -f LATIN1 -t UTF-8 ", file, " > new.csv"));
}

Status Load::ReadSchema() {
  ASSIGN_OR_RETURN(report_.schema,
                   InferLoadSchema(files_, {.delimiter = request_.delimiter,
                                            .time_column = request_.time_column,
                                            .has_zone = !request_.timezone.empty()}));
  RETURN_IF_ERROR(CheckNamesAreUtf8());
  for (const LoadColumn& column : report_.schema.columns) {
    if (request_.series_column == column.name) {
      return Status::InvalidArgument(
                 StrCat(files_.front().name, " has a column \"", column.name, "\" already"))
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
      bool const is_of_file = index < first.columns().size();
      return Status::InvalidArgument(StrCat("the table ", report_.table, " has no column \"",
                                            wanted[index], "\"",
                                            is_of_file ? ", which is in " + first.name() : ""))
          .WithHint(HeaderHint(first.columns(), request_.delimiter,
                               StrCat("its columns are: ", JoinNames(names))));
    }
    int const row = static_cast<int>(found - names.begin());
    if (index < first.columns().size()) {
      report_.schema.columns.push_back({.name = wanted[index],
                                        .sql_type = std::string(attributes.Text(row, 1)),
                                        .empty_is_null = attributes.Text(row, 2) == "f",
                                        .profile = {}});
    }
  }
  for (size_t row = 0; row < names.size(); ++row) {
    bool const is_text = attributes.Text(static_cast<int>(row), 2) == "t";
    if (is_text && std::find(wanted.begin(), wanted.end(), names[row]) == wanted.end()) {
      copied_.unfilled_text_columns.push_back(names[row]);
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
  int64_t const row_count = report_.schema.row_count;
  terminal_.Heading(StrCat("Columns, from ", row_count == 1 ? "" : "all ",
                           FormatQuantity(row_count, "row"), " of ",
                           FormatQuantity(static_cast<int64_t>(files_.size()), "file")));
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
  return CreateHypertable(whole_number_time);
}

Status Load::CreateHypertable(bool whole_number_time) {
  std::string const interval = connection_.QuoteLiteral(request_.chunk_interval);
  Status status = connection_.Execute(StrCat(
      "SELECT orochi.create_hypertable(", connection_.QuoteLiteral(report_.table), "::regclass, ",
      connection_.QuoteLiteral(request_.time_column), ", chunk_time_interval => ", interval,
      whole_number_time ? "::bigint)" : "::interval)"));
  // The only value of the user's in this statement that can still be wrong.
  return connection_.last_sqlstate().starts_with("22") && !status.ok() ? WrongInterval(status)
                                                                       : status;
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
  Progress progress("loading", report_.schema.size_bytes);
  uint64_t bytes_before = 0;
  for (const InputFile& file : files_) {
    copied_.starts.push_back({.file = &file, .first_record = report_.row_count + 1});
    if (Status status = CopyFile(file, progress, bytes_before); !status.ok()) {
      progress.Finish();
      return FailCopy(connection_.CopyAbort(status));
    }
    bytes_before += file.size_bytes;
  }
  if (Status status = PutBlock(); !status.ok()) {
    progress.Finish();
    return FailCopy(connection_.CopyAbort(status));
  }
  Result<int64_t> const copied = connection_.CopyFinish();
  progress.Finish();
  if (!copied.ok()) {
    return FailCopy(copied.status());
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

Status Load::FailCopy(const Status& error) const {
  return ExplainCopyError(error, connection_, copied_);
}

}  // namespace

Result<LoadReport> LoadFiles(const LoadRequest& request, Connection& connection,
                             const Terminal& terminal) {
  return Load(request, connection, terminal).Run();
}

}  // namespace orochi::cli
