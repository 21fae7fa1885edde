#include "cli/sstable/result_writer.h"

#include <algorithm>

#include "base/str_cat.h"
#include "cli/sstable/output.h"
#include "cli/terminal.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

namespace orochi::cli {

namespace {

using sstable::AsBytes;
using sstable::ResultColumn;
using sstable::Value;

Result<std::string> JsonOf(const ResultColumn& column, const Value& value) {
  std::string json = value.has_value() ? "" : "null";
  if (value.has_value()) {
    RETURN_IF_ERROR(AppendJson(*column.type, AsBytes(*value), json));
  }
  return json;
}

/// SELECT JSON gives objects already made.
bool IsJsonResult(const std::vector<ResultColumn>& columns) {
  return columns.size() == 1 && columns[0].name == "[json]";
}

Result<std::string> ObjectOf(const std::vector<ResultColumn>& columns,
                             const std::vector<Value>& values) {
  if (IsJsonResult(columns)) {
    return values[0].value_or("null");
  }
  std::string object = "{";
  for (size_t index = 0; index < columns.size(); ++index) {
    object += index == 0 ? "" : ", ";
    RETURN_IF_ERROR(sstable::AppendJsonString(columns[index].name, object));
    ASSIGN_OR_RETURN(std::string const json, JsonOf(columns[index], values[index]));
    object += StrCat(": ", json);
  }
  return object + "}";
}

class TableWriter final : public ResultWriter {
 public:
  Status Begin(const std::vector<ResultColumn>& columns) override {
    columns_ = columns;
    for (const ResultColumn& column : columns_) {
      widths_.push_back(DisplayWidth(column.name));
    }
    return Status::Ok();
  }

  Status Row(const std::vector<Value>& values) override {
    std::vector<std::string> cells;
    for (size_t index = 0; index < columns_.size(); ++index) {
      std::string text = values[index].has_value() ? "" : "null";
      if (values[index].has_value()) {
        RETURN_IF_ERROR(AppendCqlshText(*columns_[index].type, AsBytes(*values[index]), text));
      }
      cells.push_back(std::move(text));
    }
    ++count_;
    if (heading_done_) {
      return WriteToStdout(Line(cells, /*left=*/false));
    }
    page_.push_back(std::move(cells));
    return page_.size() < kPageRows ? Status::Ok() : FlushPage();
  }

  Status End() override {
    RETURN_IF_ERROR(FlushPage());
    return WriteToStdout(StrCat("\n(", count_, " rows)\n"));
  }

 private:
  static constexpr size_t kPageRows = 1000;

  std::string Line(const std::vector<std::string>& cells, bool left) const {
    std::string line;
    for (size_t index = 0; index < cells.size(); ++index) {
      int const missing = std::max(0, widths_[index] - DisplayWidth(cells[index]));
      std::string const blanks(static_cast<size_t>(missing), ' ');
      line +=
          StrCat(index == 0 ? " " : " | ", left ? "" : blanks, cells[index], left ? blanks : "");
    }
    while (line.ends_with(' ')) {
      line.pop_back();
    }
    return line + "\n";
  }

  Status FlushPage() {
    if (heading_done_) {
      return Status::Ok();
    }
    heading_done_ = true;
    std::vector<std::string> names;
    std::string rule;
    for (size_t index = 0; index < columns_.size(); ++index) {
      for (const std::vector<std::string>& cells : page_) {
        widths_[index] = std::max(widths_[index], DisplayWidth(cells[index]));
      }
      names.push_back(columns_[index].name);
      rule +=
          StrCat(index == 0 ? "" : "+", std::string(static_cast<size_t>(widths_[index]) + 2, '-'));
    }
    RETURN_IF_ERROR(WriteToStdout(StrCat("\n", Line(names, /*left=*/true), rule, "\n")));
    for (const std::vector<std::string>& cells : page_) {
      RETURN_IF_ERROR(WriteToStdout(Line(cells, /*left=*/false)));
    }
    page_.clear();
    return Status::Ok();
  }

  std::vector<ResultColumn> columns_;
  std::vector<int> widths_;
  std::vector<std::vector<std::string>> page_;
  bool heading_done_ = false;
  uint64_t count_ = 0;
};

class ExpandedWriter final : public ResultWriter {
 public:
  Status Begin(const std::vector<ResultColumn>& columns) override {
    columns_ = columns;
    for (const ResultColumn& column : columns_) {
      width_ = std::max(width_, DisplayWidth(column.name));
    }
    return Status::Ok();
  }
  Status Row(const std::vector<Value>& values) override {
    std::string text = StrCat("@ Row ", ++count_, "\n",
                              std::string(static_cast<size_t>(width_) + 2, '-'), "+------\n");
    for (size_t index = 0; index < columns_.size(); ++index) {
      std::string value = values[index].has_value() ? "" : "null";
      if (values[index].has_value()) {
        RETURN_IF_ERROR(AppendCqlshText(*columns_[index].type, AsBytes(*values[index]), value));
      }
      int const missing = width_ - DisplayWidth(columns_[index].name);
      text += StrCat(" ", columns_[index].name, std::string(static_cast<size_t>(missing), ' '),
                     value.empty() ? " |" : " | ", value, "\n");
    }
    return WriteToStdout(text + "\n");
  }
  Status End() override { return WriteToStdout(StrCat("(", count_, " rows)\n")); }

 private:
  std::vector<ResultColumn> columns_;
  int width_ = 0;
  uint64_t count_ = 0;
};

class JsonResultWriter final : public ResultWriter {
 public:
  explicit JsonResultWriter(bool lines) : lines_(lines) {}
  Status Begin(const std::vector<ResultColumn>& columns) override {
    columns_ = columns;
    return lines_ ? Status::Ok() : WriteToStdout("[");
  }
  Status Row(const std::vector<Value>& values) override {
    ASSIGN_OR_RETURN(std::string const object, ObjectOf(columns_, values));
    std::string_view const before = lines_ ? "" : any_ ? ",\n " : "\n ";
    any_ = true;
    return WriteToStdout(StrCat(before, object, lines_ ? "\n" : ""));
  }
  Status End() override { return lines_ ? Status::Ok() : WriteToStdout(any_ ? "\n]\n" : "]\n"); }

 private:
  bool lines_;
  bool any_ = false;
  std::vector<ResultColumn> columns_;
};

class CsvWriter final : public ResultWriter {
 public:
  Status Begin(const std::vector<ResultColumn>& columns) override {
    columns_ = columns;
    std::string line;
    for (const ResultColumn& column : columns_) {
      line += StrCat(line.empty() ? "" : ",", Quoted(column.name));
    }
    return WriteToStdout(line + "\n");
  }
  Status Row(const std::vector<Value>& values) override {
    std::string line;
    for (size_t index = 0; index < columns_.size(); ++index) {
      line += index == 0 ? "" : ",";
      if (!values[index].has_value()) {
        continue;
      }
      const sstable::Type& type = *columns_[index].type;
      std::string text;
      bool const is_text =
          type.kind == sstable::TypeKind::kText || type.kind == sstable::TypeKind::kAscii;
      if (is_text) {
        text = *values[index];
      } else {
        RETURN_IF_ERROR(AppendCqlshText(type, AsBytes(*values[index]), text));
      }
      line += text.empty() ? "\"\"" : Quoted(text);
    }
    return WriteToStdout(line + "\n");
  }
  Status End() override { return Status::Ok(); }

 private:
  static std::string Quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
      return text;
    }
    std::string out = "\"";
    for (char const c : text) {
      out += c;
      out += c == '"' ? "\"" : "";
    }
    return out + "\"";
  }

  std::vector<ResultColumn> columns_;
};

}  // namespace

std::unique_ptr<ResultWriter> MakeResultWriter(ResultFormat format) {
  switch (format) {
    case ResultFormat::kTable:
      return std::make_unique<TableWriter>();
    case ResultFormat::kExpanded:
      return std::make_unique<ExpandedWriter>();
    case ResultFormat::kJson:
      return std::make_unique<JsonResultWriter>(/*lines=*/false);
    case ResultFormat::kLines:
      return std::make_unique<JsonResultWriter>(/*lines=*/true);
    case ResultFormat::kCsv:
      break;
  }
  return std::make_unique<CsvWriter>();
}

}  // namespace orochi::cli
