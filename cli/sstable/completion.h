#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orochi::cli {

/// The names that a statement can use.
struct CompletionNames {
  struct Table {
    std::string keyspace;
    std::string table;
    std::vector<std::string> columns;
  };
  std::vector<Table> tables;
};

/// What the word that ends `line` may go on as, sorted: after FROM and \d tables, after \i and
/// SOURCE files, at the start of a line commands and statements, elsewhere keywords, functions and
/// the columns of the tables that `line` names, or of all. Keywords come as the word is written:
/// "sel" gives "select", "SEL" "SELECT".
std::vector<std::string> Complete(std::string_view line, const CompletionNames& names);

/// Where the word that ends `line` begins.
size_t WordStart(std::string_view line);

}  // namespace orochi::cli
