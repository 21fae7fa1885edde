#include "cli/csv_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "base/str_cat.h"
#include "cli/foreign_format.h"
#include "cli/number_format.h"

namespace orochi::cli {

namespace {

constexpr size_t kBufferSizeBytes = 128 << 10;
constexpr size_t kColumnNameSizeBytesMax = 63;  // PostgreSQL cuts longer names

class CsvFile : public CsvSource {
 public:
  CsvFile(std::string name, FILE* file) : name_(std::move(name)), file_(file, fclose) {}

  Result<size_t> Read(std::span<char> out) override {
    size_t const size = fread(out.data(), 1, out.size(), file_.get());
    if (size == 0 && ferror(file_.get()) != 0) {
      return Status::IoError(StrCat("cannot read ", name_, ": ", strerror(errno)));
    }
    return size;
  }

 private:
  std::string name_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
};

}  // namespace

Result<std::unique_ptr<CsvSource>> OpenCsvFile(const std::filesystem::path& path) {
  FILE* file = fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    std::string const message = StrCat("cannot read ", path.string(), ": ", strerror(errno));
    return errno == ENOENT ? Status::NotFound(message).WithHint("check the path")
           : errno == EACCES
               ? Status::PermissionDenied(message).WithHint(
                     "let this user read the file (chmod, chown), or run orochi as one who may")
               : Status::IoError(message);
  }
  setvbuf(file, nullptr, _IONBF, 0);  // CsvReader reads in large blocks
  return std::unique_ptr<CsvSource>(std::make_unique<CsvFile>(path.string(), file));
}

Result<CsvReader> CsvReader::Open(std::string name, std::unique_ptr<CsvSource> source,
                                  char delimiter) {
  CsvReader reader(std::move(name), std::move(source), delimiter);
  RETURN_IF_ERROR(reader.ReadStart());
  RETURN_IF_ERROR(reader.ReadHeader());
  return reader;
}

Status CsvReader::Malformed(int64_t line, std::string_view what) const {
  return Status::Corruption(StrCat(name_, ", line ", line, ": ", what));
}

Status CsvReader::ReadStart() {
  while (end_ < kForeignFormatPrefixSizeBytes && !at_end_) {
    RETURN_IF_ERROR(Refill());
  }
  std::string_view const start(buffer_.data(), std::min(end_, kForeignFormatPrefixSizeBytes));
  if (auto const foreign = RecognizeForeignFormat(start); foreign.has_value()) {
    return Status::Corruption(StrCat(name_, ": expected text in UTF-8, found ", foreign->name))
        .WithHint(AdviceFor(*foreign, name_));
  }
  if (start.starts_with("\xEF\xBB\xBF")) {
    begin_ = 3;
  }
  return Status::Ok();
}

Status CsvReader::ReadHeader() {
  ASSIGN_OR_RETURN(bool const found, TakeRecord());
  if (!found || record_.empty()) {
    return Malformed(1, "expected a header with the names of the columns, found nothing");
  }
  RETURN_IF_ERROR(Split());
  for (const CsvField& field : fields_) {
    columns_.emplace_back(field.text);
  }
  return CheckHeader();
}

Status CsvReader::CheckHeader() const {
  std::unordered_set<std::string_view> seen;
  for (size_t index = 0; index < columns_.size(); ++index) {
    std::string_view const name = columns_[index];
    if (name.empty()) {
      return Malformed(1, StrCat("expected a name for column ", index + 1, ", found nothing"));
    }
    if (name.find('\r') != std::string_view::npos) {
      return Malformed(1, "expected lines that end in LF or CRLF, found a lone carriage return");
    }
    if (name.size() > kColumnNameSizeBytesMax) {
      return Malformed(1, StrCat("the name of column ", index + 1, " has ", name.size(),
                                 " bytes, at most ", kColumnNameSizeBytesMax, " are possible"));
    }
    if (!seen.insert(name).second) {
      return Malformed(1, StrCat("two columns are named \"", name, "\""));
    }
  }
  return Status::Ok();
}

Status CsvReader::Refill() {
  if (begin_ > 0) {
    memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    bytes_before_buffer_ += begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    if (buffer_.size() >= kRecordSizeBytesMax) {
      return Malformed(
          next_line_,
          StrCat("the record that begins here has more than ", kRecordSizeBytesMax, " bytes",
                 scan_in_quotes_ ? "; a quote in it is probably never closed" : ""));
    }
    buffer_.resize(std::max(kBufferSizeBytes, buffer_.size() * 2));
  }
  ASSIGN_OR_RETURN(size_t const size, source_->Read(std::span(buffer_).subspan(end_)));
  end_ += size;
  at_end_ = size == 0;
  return Status::Ok();
}

size_t CsvReader::FindRecordEnd() {
  const char* const data = buffer_.data();
  size_t at = begin_ + scanned_;
  while (at < end_) {
    auto const* const line_break = static_cast<const char*>(memchr(data + at, '\n', end_ - at));
    size_t const stop = line_break == nullptr ? end_ : static_cast<size_t>(line_break - data);
    // A line break ends the record when the quotes before it are all paired.
    for (size_t quote = at; quote < stop; ++quote) {
      auto const* const found = static_cast<const char*>(memchr(data + quote, '"', stop - quote));
      if (found == nullptr) {
        break;
      }
      scan_in_quotes_ = !scan_in_quotes_;
      quote = static_cast<size_t>(found - data);
    }
    if (line_break != nullptr && !scan_in_quotes_) {
      return stop;
    }
    at = line_break == nullptr ? end_ : stop + 1;
  }
  scanned_ = end_ - begin_;
  return std::string::npos;
}

Result<bool> CsvReader::TakeRecord() {
  size_t end = FindRecordEnd();
  while (end == std::string::npos && !at_end_) {
    RETURN_IF_ERROR(Refill());
    end = FindRecordEnd();
  }
  if (end == std::string::npos && begin_ == end_) {
    return false;
  }
  bool const has_line_break = end != std::string::npos;
  size_t const stop = has_line_break ? end : end_;
  record_line_ = next_line_;
  if (!has_line_break && scan_in_quotes_) {
    return Malformed(record_line_, "a quote in this record is never closed");
  }
  record_ = std::span(buffer_).subspan(begin_, stop - begin_);
  next_line_ += 1 + std::count(record_.begin(), record_.end(), '\n');
  if (!record_.empty() && record_.back() == '\r') {
    record_ = record_.first(record_.size() - 1);
  }
  begin_ = has_line_break ? stop + 1 : stop;
  scanned_ = 0;
  scan_in_quotes_ = false;
  return true;
}

Result<size_t> CsvReader::SplitQuoted(size_t at) {
  char* const data = record_.data();
  size_t const size = record_.size();
  size_t const begin = at + 1;
  size_t out = begin;
  size_t in = begin;
  while (true) {
    auto const* const quote =
        in < size ? static_cast<const char*>(memchr(data + in, '"', size - in)) : nullptr;
    if (quote == nullptr) {
      return Malformed(record_line_, StrCat("column ", fields_.size() + 1,
                                            ": a quote is opened and never closed"));
    }
    size_t const stop = static_cast<size_t>(quote - data);
    if (out != in) {
      memmove(data + out, data + in, stop - in);
    }
    out += stop - in;
    in = stop + 1;
    if (in >= size || data[in] != '"') {
      break;
    }
    data[out++] = '"';
    ++in;
  }
  if (in < size && data[in] != delimiter_) {
    return Malformed(
        record_line_,
        StrCat("column ", fields_.size() + 1,
               ": expected the delimiter after the closing quote, found '", data[in], "'"));
  }
  fields_.push_back({.text = {data + begin, out - begin}, .quoted = true});
  return in;
}

Status CsvReader::Split() {
  fields_.clear();
  const char* const data = record_.data();
  size_t const size = record_.size();
  size_t at = 0;
  while (true) {
    if (at < size && data[at] == '"') {
      ASSIGN_OR_RETURN(at, SplitQuoted(at));
    } else {
      auto const* const found =
          at < size ? static_cast<const char*>(memchr(data + at, delimiter_, size - at)) : nullptr;
      size_t const stop = found == nullptr ? size : static_cast<size_t>(found - data);
      std::string_view const text(data + at, stop - at);
      if (text.find('"') != std::string_view::npos) {
        return Malformed(record_line_,
                         StrCat("column ", fields_.size() + 1,
                                ": a quote inside a field that does not begin with one"))
            .WithHint("put the field in quotes and double the quotes inside it");
      }
      fields_.push_back({.text = text, .quoted = false});
      at = stop;
    }
    if (at >= size) {
      return Status::Ok();
    }
    ++at;  // the delimiter; after a last one there is one more, empty field
  }
}

Result<bool> CsvReader::Next() {
  auto const column_count = static_cast<int64_t>(columns_.size());
  int64_t empty_line = 0;
  while (true) {
    ASSIGN_OR_RETURN(bool const found, TakeRecord());
    if (!found) {
      return false;
    }
    if (!record_.empty() || columns_.size() == 1) {
      break;
    }
    empty_line = empty_line == 0 ? record_line_ : empty_line;
  }
  if (empty_line != 0) {
    return Malformed(empty_line, StrCat("expected ", FormatQuantity(column_count, "column"),
                                        ", found an empty line"));
  }
  RETURN_IF_ERROR(Split());
  if (fields_.size() != columns_.size()) {
    return Malformed(record_line_, StrCat("expected ", FormatQuantity(column_count, "column"),
                                          ", found ", fields_.size()));
  }
  return true;
}

}  // namespace orochi::cli
