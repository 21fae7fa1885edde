#include "cli/sstable/row_input.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "cli/csv_reader.h"
#include "sstable/cql/bind.h"
#include "sstable/cql/parser.h"
#include "sstable/types/value_build.h"

namespace orochi::cli {

namespace {

using sstable::NamedValue;
using sstable::RowTimes;
using sstable::Type;
using sstable::TypeKind;

std::string NameOf(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

Status AddAll(Result<std::vector<sstable::RowChange>> changes, sstable::TableLoader& loader) {
  RETURN_IF_ERROR(changes.status());
  for (sstable::RowChange& change : *changes) {
    RETURN_IF_ERROR(loader.Add(std::move(change)));
  }
  return Status::Ok();
}

Result<int64_t> WholeNumber(std::string_view text) {
  int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Status::InvalidArgument(StrCat("'", text, "' is no whole number"));
  }
  return number;
}

bool IsNested(const Type& type) {
  return type.is_collection() || type.kind == TypeKind::kTuple || type.kind == TypeKind::kUdt ||
         type.kind == TypeKind::kVector;
}

Result<std::optional<std::string>> ValueOfField(const Type& type, std::string_view text) {
  if (IsNested(type)) {
    ASSIGN_OR_RETURN(sstable::cql::Term const term, sstable::cql::ParseTerm(text));
    return sstable::cql::BindTerm(term, type, "it");
  }
  if ((type.kind == TypeKind::kBlob || type.kind == TypeKind::kCustom) && !text.empty()) {
    if (!text.starts_with("0x")) {
      return Status::InvalidArgument(StrCat("'", text, "' is no blob: expected 0x and hex digits"));
    }
    text.remove_prefix(2);
  }
  ASSIGN_OR_RETURN(std::string value, sstable::ParseScalar(type, text));
  return std::optional<std::string>(std::move(value));
}

/// Where the fields of a record go.
class CsvRows {
 public:
  CsvRows(const CsvReader& reader, const sstable::TableSchema& schema,
          const RowInputOptions& options)
      : reader_(reader), schema_(schema), options_(options) {}

  Status Begin() {
    for (const std::string& name : reader_.columns()) {
      bool const is_time =
          !name.empty() && (name == options_.timestamp_column || name == options_.ttl_column);
      auto const found = schema_.Find(name);
      if (!found.has_value() && !is_time) {
        return Status::InvalidArgument(StrCat(reader_.name(), ": line 1: Undefined column name ",
                                              name, " in table ", schema_.QualifiedName()));
      }
      types_.push_back(is_time ? nullptr : Frozen(found->column->type));
    }
    for (const std::string& wanted : {options_.timestamp_column, options_.ttl_column}) {
      if (!wanted.empty() && std::find(reader_.columns().begin(), reader_.columns().end(),
                                       wanted) == reader_.columns().end()) {
        return Status::InvalidArgument(
            StrCat(reader_.name(), ": line 1: there is no column ", wanted));
      }
    }
    return Status::Ok();
  }

  Status Add(sstable::CqlChanges& changes, sstable::TableLoader& loader) {
    values_.clear();
    RowTimes times = options_.times;
    for (size_t index = 0; index < types_.size(); ++index) {
      const CsvField& field = reader_.fields()[index];
      if (!field.quoted && field.text == options_.null_text) {
        continue;
      }
      const std::string& name = reader_.columns()[index];
      Status status;
      if (types_[index] == nullptr) {
        status = SetTime(name, field.text, times);
      } else {
        auto value = ValueOfField(*types_[index], field.text);
        status = value.status();
        if (value.ok()) {
          values_.push_back({.column = name, .value = *std::move(value), .position = {}});
        }
      }
      if (!status.ok()) {
        return AtLine(std::move(status).WithContext(StrCat("column ", name)));
      }
    }
    Status status = AddAll(changes.BindRow(values_, times), loader);
    return status.ok() ? status : AtLine(std::move(status));
  }

 private:
  Status SetTime(const std::string& name, std::string_view text, RowTimes& times) const {
    ASSIGN_OR_RETURN(int64_t const number, WholeNumber(text));
    (name == options_.timestamp_column ? times.timestamp_us : times.ttl_s) = number;
    return Status::Ok();
  }
  Status AtLine(Status status) const {
    return std::move(status).WithContext(StrCat(reader_.name(), ": line ", reader_.line()));
  }

  const CsvReader& reader_;
  const sstable::TableSchema& schema_;
  const RowInputOptions& options_;
  std::vector<sstable::TypeRef> types_;  // none: the row's timestamp or TTL
  std::vector<NamedValue> values_;
};

}  // namespace

Status AddCsvRows(const std::string& path, const sstable::TableSchema& schema,
                  const RowInputOptions& options, sstable::CqlChanges& changes,
                  sstable::TableLoader& loader) {
  ASSIGN_OR_RETURN(auto source, OpenCsvFile(path == "-" ? "/dev/stdin" : path));
  ASSIGN_OR_RETURN(CsvReader reader,
                   CsvReader::Open(NameOf(path), std::move(source), options.delimiter));
  CsvRows rows(reader, schema, options);
  RETURN_IF_ERROR(rows.Begin());
  while (true) {
    ASSIGN_OR_RETURN(bool const found, reader.Next());
    if (!found) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(rows.Add(changes, loader));
  }
}

Status AddJsonRows(const std::string& path, const RowInputOptions& options,
                   sstable::CqlChanges& changes, sstable::TableLoader& loader) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) {
      return Status::NotFound(StrCat(path, " cannot be opened"));
    }
  }
  sstable::JsonRowOptions const row = {.absent_is_unset = !options.absent_is_null,
                                       .times = options.times,
                                       .timestamp_name = options.timestamp_column,
                                       .ttl_name = options.ttl_column};
  std::istream& in = path == "-" ? std::cin : file;
  std::string line;
  for (int64_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    Status status = AddAll(changes.BindJson(line, row), loader);
    if (!status.ok()) {
      return std::move(status).WithContext(StrCat(NameOf(path), ": line ", number));
    }
  }
  return in.bad() ? Status::IoError(StrCat(NameOf(path), ": cannot be read")) : Status::Ok();
}

}  // namespace orochi::cli
