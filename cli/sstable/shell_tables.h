#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/sstable/completion.h"
#include "cli/sstable/inputs.h"
#include "io/file.h"
#include "sstable/cql/syntax.h"

namespace orochi::cli {

/// The tables in some directories, opened when they are first asked for.
///
/// Threads: none.    Borrows: the file system.
class ShellTables {
 public:
  struct Table {
    std::string keyspace;  // empty where nothing tells
    std::string name;
    std::string directory;
    std::vector<std::string> paths;  // for OpenTableOf
    std::unique_ptr<OpenTable> open;
  };

  /// Directories of SSTables, or of such directories, as a node's data directory is; files of
  /// single SSTables. kNotFound where a path has none.
  static Result<ShellTables> Find(io::FileSystem& files, const std::vector<std::string>& paths,
                                  std::vector<std::string> schema_files, std::string table_name);

  std::vector<Table>& tables() { return tables_; }
  /// The table that a statement names, opened: by its name, or the only one where the files do not
  /// say what they are called. kInvalidArgument lists what there is.
  Result<Table*> Pick(const sstable::cql::TableName& name);
  /// Opens it, if that was not done.
  Result<OpenTable*> Open(Table& table);
  /// Opens what can be opened without errors.
  CompletionNames Names();

 private:
  explicit ShellTables(io::FileSystem& files) : files_(files) {}
  void Add(const std::string& directory, const std::string& path);

  io::FileSystem& files_;
  std::vector<Table> tables_;
  std::vector<std::string> schema_files_;
  std::string table_name_;  // --table: of the only table
};

}  // namespace orochi::cli
