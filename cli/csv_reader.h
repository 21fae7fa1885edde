#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/status.h"

namespace orochi::cli {

/// Bytes in order, from wherever CSV comes.
class CsvSource {
 public:
  virtual ~CsvSource() = default;
  /// Fills the front of `out` and answers how much; 0 only at the end.
  virtual Result<size_t> Read(std::span<char> out) = 0;
};

/// A file as a source. kNotFound, kPermissionDenied or kIoError name the file.
Result<std::unique_ptr<CsvSource>> OpenCsvFile(const std::filesystem::path& path);

/// One value of a record.
struct CsvField {
  std::string_view text;  // unquoted and unescaped
  bool quoted = false;
};

/// Reads CSV as RFC 4180 has it: fields in quotes may hold the delimiter, line breaks and doubled
/// quotes; lines end in LF or CRLF. Files of another kind (compressed, UTF-16, binary) are
/// recognised by their first bytes and refused with what to do. A UTF-8 byte order mark is skipped.
/// The first record names the columns, and every other has as many fields; empty lines are allowed
/// only at the end (in a file of one column they are records).
///
/// Life: Open -> Next* until it answers false or an error.
/// Errors: kCorruption for all malformed input, naming source, line, expected and found.
/// Bounds: one record takes at most kRecordSizeBytesMax. Threads: none.
class CsvReader {
 public:
  static constexpr size_t kRecordSizeBytesMax = 64 << 20;

  /// Reads the header. `name` is for messages.
  static Result<CsvReader> Open(std::string name, std::unique_ptr<CsvSource> source,
                                char delimiter = ',');

  const std::vector<std::string>& columns() const { return columns_; }

  /// Moves to the next record; false at the end.
  Result<bool> Next();

  /// The record, columns().size() fields. They live until the following Next.
  std::span<const CsvField> fields() const { return fields_; }
  /// The line on which the record begins; the header is on line 1.
  int64_t line() const { return record_line_; }
  /// Bytes of the source up to the end of the record.
  uint64_t bytes_read() const { return bytes_before_buffer_ + begin_; }
  const std::string& name() const { return name_; }

 private:
  CsvReader(std::string name, std::unique_ptr<CsvSource> source, char delimiter)
      : name_(std::move(name)), source_(std::move(source)), delimiter_(delimiter) {}

  Status ReadHeader();
  Status CheckHeader() const;
  /// Refuses what cannot be text and skips a byte order mark.
  Status ReadStart();
  /// Takes the next record's bytes into record_; false at the end.
  Result<bool> TakeRecord();
  /// Where the record that starts at begin_ ends (its LF), or npos when the buffer ends first.
  size_t FindRecordEnd();
  Status Refill();
  /// Splits record_ into fields_, unescaping in place.
  Status Split();
  Result<size_t> SplitQuoted(size_t at);
  Status Malformed(int64_t line, std::string_view what) const;

  std::string name_;
  std::unique_ptr<CsvSource> source_;
  char delimiter_;
  std::vector<std::string> columns_;
  std::vector<CsvField> fields_;
  std::span<char> record_;    // inside buffer_, without its line break
  std::vector<char> buffer_;  // bytes [begin_, end_) are not consumed yet
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t scanned_ = 0;  // bytes after begin_ in which no record end was found
  bool scan_in_quotes_ = false;
  bool at_end_ = false;
  uint64_t bytes_before_buffer_ = 0;
  int64_t record_line_ = 0;
  int64_t next_line_ = 1;
};

}  // namespace orochi::cli
