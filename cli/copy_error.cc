#include "cli/copy_error.h"

#include <algorithm>
#include <charconv>

#include "base/result.h"
#include "base/str_cat.h"
#include "cli/csv_reader.h"

namespace orochi::cli {

namespace {

constexpr std::string_view kNotNullViolation = "23502";
constexpr std::string_view kNotInEncoding = "22021";

Result<int64_t> LineOfRecord(const FileStart& start, int64_t record, char delimiter) {
  ASSIGN_OR_RETURN(std::unique_ptr<CsvSource> source, OpenCsvFile(start.file->path));
  ASSIGN_OR_RETURN(CsvReader reader,
                   CsvReader::Open(start.file->name, std::move(source), delimiter));
  for (int64_t at = start.first_record; at <= record; ++at) {
    ASSIGN_OR_RETURN(bool const found, reader.Next());
    if (!found) {
      return Status::NotFound("the file is shorter now");
    }
  }
  return reader.line();
}

/// The number in "COPY metrics, line 7, column value: ...", or 0.
int64_t RecordIn(const std::string& context) {
  constexpr std::string_view kBefore = ", line ";
  size_t const at = context.find(kBefore);
  int64_t record = 0;
  if (at != std::string::npos) {
    std::from_chars(context.data() + at + kBefore.size(), context.data() + context.size(), record);
  }
  return record;
}

std::string HintFor(const Status& error, const Connection& connection, const CopiedFiles& files,
                    const InputFile& file) {
  if (connection.last_sqlstate() == kNotInEncoding) {
    return error.message().find("0x00") != std::string::npos
               ? "no text has zero bytes: is the file damaged?"
               : StrCat("the file is not in UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 ",
                        file.name, " > new.csv");
  }
  const auto& unfilled = files.unfilled_text_columns;
  const std::string& column = connection.last_error_column();
  if (connection.last_sqlstate() == kNotNullViolation &&
      std::find(unfilled.begin(), unfilled.end(), column) != unfilled.end()) {
    return StrCat("the files have no such column; --series-from-path=", column,
                  " fills it with the path of each file");
  }
  return error.hint();
}

}  // namespace

Status ExplainCopyError(const Status& error, const Connection& connection,
                        const CopiedFiles& files) {
  const std::string& context = connection.last_error_context();
  int64_t const record = RecordIn(context);
  auto const after =
      std::find_if(files.starts.begin(), files.starts.end(),
                   [&](const FileStart& start) { return start.first_record > record; });
  if (error.code() == StatusCode::kCorruption || record == 0 || after == files.starts.begin()) {
    return error;
  }
  const FileStart& start = *(after - 1);
  Result<int64_t> const line = LineOfRecord(start, record, files.delimiter);
  if (!line.ok()) {
    line.status().IgnoreError("the server's message stands without it");
    return error;
  }
  std::string where = StrCat(start.file->name, ", line ", *line);
  if (size_t const column = context.find(", column "); column != std::string::npos) {
    where += context.substr(column, context.find(':', column) - column);
  }
  bool const is_bad_data =
      connection.last_sqlstate().starts_with("22") || connection.last_sqlstate().starts_with("23");
  return Status(is_bad_data ? StatusCode::kCorruption : error.code(),
                StrCat(where, ": ", error.message()))
      .WithDetail(error.detail())
      .WithHint(HintFor(error, connection, files, *start.file));
}

}  // namespace orochi::cli
