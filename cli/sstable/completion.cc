#include "cli/sstable/completion.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "sstable/types/type.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::array kStarts = {"SELECT", "EXPLAIN", "DESCRIBE", "EXPAND", "SOURCE",
                                "HELP",   "EXIT",    "QUIT",     "PAGING"};
constexpr std::array kCommands = {"\\?",     "\\d", "\\format", "\\i", "\\now",
                                  "\\pager", "\\q", "\\timing", "\\x"};
constexpr std::array kKeywords = {"ALLOW FILTERING",
                                  "AND",
                                  "AS",
                                  "ASC",
                                  "BY",
                                  "CAST",
                                  "CONTAINS",
                                  "DESC",
                                  "DISTINCT",
                                  "EXPLAIN",
                                  "FROM",
                                  "GROUP BY",
                                  "IN",
                                  "JSON",
                                  "KEY",
                                  "LIMIT",
                                  "NULL",
                                  "ORDER BY",
                                  "PARTITION",
                                  "PER PARTITION LIMIT",
                                  "SELECT",
                                  "WHERE"};
constexpr std::array kFunctions = {
    "avg(",   "count(",   "max(",      "maxwritetime(", "min(",
    "sum(",   "to_date(", "to_json(",  "to_timestamp(", "to_unix_timestamp(",
    "token(", "ttl(",     "writetime("};
constexpr std::array kFormats = {"csv", "expanded", "json", "lines", "table"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '"' || c == '\\' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The word before the one that ends the line, in lower case.
std::string WordBefore(std::string_view line, size_t word_start) {
  std::string_view before = line.substr(0, word_start);
  size_t const end = before.find_last_not_of(" \t\n'");
  if (end == std::string_view::npos) {
    return "";
  }
  before = before.substr(0, end + 1);
  size_t const start = before.find_last_of(" \t\n(,;");
  return Lower(start == std::string_view::npos ? before : before.substr(start + 1));
}

std::vector<std::string> CompleteFile(std::string_view path) {
  size_t const slash = path.rfind('/');
  std::string const directory(slash == std::string_view::npos ? "" : path.substr(0, slash + 1));
  std::string_view const start = slash == std::string_view::npos ? path : path.substr(slash + 1);
  std::vector<std::string> found;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(directory.empty() ? "." : directory, error)) {
    std::string const name = entry.path().filename().string();
    if (name.starts_with(start) && (!start.empty() || !name.starts_with('.'))) {
      std::error_code ignored;
      found.push_back(directory + name + (entry.is_directory(ignored) ? "/" : ""));
    }
  }
  return found;
}

class Candidates {
 public:
  explicit Candidates(std::string_view word)
      : word_(word),
        lower_(Lower(word)),
        is_upper_(std::any_of(word.begin(), word.end(), [](char c) {
          return std::isupper(static_cast<unsigned char>(c)) != 0;
        })) {}

  // Written as the user writes.
  void AddKeyword(std::string_view keyword) {
    std::string lower = Lower(keyword);
    if (lower.starts_with(lower_)) {
      found_.push_back(is_upper_ || word_.empty() ? std::string(keyword) : lower);
    }
  }
  void AddName(std::string name) {
    if (name.starts_with(word_)) {
      found_.push_back(std::move(name));
    }
  }
  void AddFile(std::string name) { found_.push_back(std::move(name)); }

  std::vector<std::string> Sorted() {
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  std::string_view word_;
  std::string lower_;
  bool is_upper_;
  std::vector<std::string> found_;
};

bool Names(std::string_view line, const CompletionNames::Table& table) {
  return Lower(line).find(" " + Lower(table.table)) != std::string::npos ||
         Lower(line).find("." + Lower(table.table)) != std::string::npos;
}

void AddColumns(std::string_view line, const CompletionNames& names, Candidates& candidates) {
  bool const any_named = std::any_of(names.tables.begin(), names.tables.end(),
                                     [&](auto const& table) { return Names(line, table); });
  for (const CompletionNames::Table& table : names.tables) {
    if (any_named && !Names(line, table)) {
      continue;
    }
    for (const std::string& column : table.columns) {
      candidates.AddName(sstable::QuoteIdentifier(column));
    }
  }
}

}  // namespace

size_t WordStart(std::string_view line) {
  size_t start = line.size();
  while (start > 0 && IsWordByte(line[start - 1])) {
    --start;
  }
  return start;
}

std::vector<std::string> Complete(std::string_view line, const CompletionNames& names) {
  size_t const first = line.find_first_not_of(" \t");
  std::string const whole = Lower(first == std::string_view::npos ? "" : line.substr(first));
  if (whole.starts_with("\\i ") || whole.starts_with("source ")) {
    size_t const start = line.find_first_of(" \t", first) + 1;
    std::string_view path = line.substr(start);
    size_t const word = path.find_first_not_of(" \t'");
    path = word == std::string_view::npos ? "" : path.substr(word);
    Candidates candidates("");
    for (std::string& file : CompleteFile(path)) {
      // The line editor puts the end of the word in the place of what WordStart found.
      size_t const skipped = path.size() - (line.size() - WordStart(line));
      candidates.AddFile(file.substr(std::min(skipped, file.size())));
    }
    return candidates.Sorted();
  }
  size_t const start = WordStart(line);
  std::string_view const word = line.substr(start);
  std::string const before = WordBefore(line, start);
  Candidates candidates(word);
  if (before == "from" || before == "\\d" || before == "table" || before == "describe" ||
      before == "desc") {
    for (const CompletionNames::Table& table : names.tables) {
      candidates.AddName(sstable::QuoteIdentifier(table.table));
      if (!table.keyspace.empty()) {
        candidates.AddName(sstable::QuoteIdentifier(table.keyspace) + "." +
                           sstable::QuoteIdentifier(table.table));
      }
    }
    if (before == "describe") {
      candidates.AddKeyword("TABLE");
      candidates.AddKeyword("TABLES");
    }
    return candidates.Sorted();
  }
  if (before.empty()) {
    for (const char* command : kCommands) {
      candidates.AddName(command);
    }
    for (const char* keyword : kStarts) {
      candidates.AddKeyword(keyword);
    }
    return candidates.Sorted();
  }
  if (before == "\\format") {
    for (const char* format : kFormats) {
      candidates.AddName(format);
    }
    return candidates.Sorted();
  }
  for (const char* keyword : kKeywords) {
    candidates.AddKeyword(keyword);
  }
  for (const char* function : kFunctions) {
    candidates.AddKeyword(function);
  }
  AddColumns(line, names, candidates);
  return candidates.Sorted();
}

}  // namespace orochi::cli
