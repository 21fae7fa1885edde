#include "cli/sstable/shell_tables.h"

#include <algorithm>
#include <filesystem>

#include "base/str_cat.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;
/// A node's data directory: keyspaces, tables, and below those backups and snapshots, which are no
/// part of the table.
constexpr int kDepthMax = 2;

bool HasSstables(const fs::path& directory) {
  std::error_code ignored;
  return std::any_of(fs::directory_iterator(directory, ignored), fs::directory_iterator(),
                     [](const fs::directory_entry& entry) {
                       return entry.path().filename().string().ends_with("-Data.db");
                     });
}

void FindDirectories(const fs::path& directory, int depth, std::vector<std::string>& found) {
  if (HasSstables(directory)) {
    found.push_back(directory.string());
    return;
  }
  std::vector<fs::path> children;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    if (depth < kDepthMax && entry.is_directory(ignored)) {
      children.push_back(entry.path());
    }
  }
  std::sort(children.begin(), children.end());
  for (const fs::path& child : children) {
    FindDirectories(child, depth + 1, found);
  }
}

}  // namespace

void ShellTables::Add(const std::string& directory, const std::string& path) {
  TableDirectory const named = TableOfDirectory(directory);
  auto const known = std::find_if(tables_.begin(), tables_.end(), [&](const Table& table) {
    return table.keyspace == named.keyspace && table.name == named.table &&
           (!named.keyspace.empty() || table.directory == directory);
  });
  if (known != tables_.end()) {
    known->paths.push_back(path);
    return;
  }
  tables_.push_back({.keyspace = named.keyspace,
                     .name = named.table,
                     .directory = directory,
                     .paths = {path},
                     .open = nullptr});
}

Result<ShellTables> ShellTables::Find(io::FileSystem& files, const std::vector<std::string>& paths,
                                      std::vector<std::string> schema_files,
                                      std::string table_name) {
  ShellTables tables(files);
  tables.schema_files_ = std::move(schema_files);
  tables.table_name_ = std::move(table_name);
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs, FindSstables(files, {path}));
      tables.Add(inputs.front().directory, path);
      continue;
    }
    std::vector<std::string> directories;
    FindDirectories(path, 0, directories);
    if (directories.empty()) {
      return Status::NotFound(StrCat(path, " has no SSTables"))
          .WithHint("name directories that hold files like nb-1-big-Data.db, or a node's data/");
    }
    for (const std::string& directory : directories) {
      tables.Add(directory, directory);
    }
  }
  return tables;
}

Result<OpenTable*> ShellTables::Open(Table& table) {
  if (table.open == nullptr) {
    TableRequest request = {
        .paths = table.paths, .schema_files = schema_files_, .table = table_name_};
    Result<OpenTable> opened = OpenTableOf(files_, request);
    if (!opened.ok() && request.table.empty() && opened.status().code() == StatusCode::kNotFound &&
        tables_.size() > 1) {
      return Status(opened.status())
          .WithHint("the schema's tables go by the names of the directories");
    }
    RETURN_IF_ERROR(opened.status());
    table.open = std::make_unique<OpenTable>(*std::move(opened));
    if (!table.open->schema.key_names_are_generated) {
      table.keyspace = table.open->schema.keyspace;
      table.name = table.open->schema.table;
    }
  }
  return table.open.get();
}

Result<ShellTables::Table*> ShellTables::Pick(const sstable::cql::TableName& name) {
  auto const matches = [&](const Table& table) {
    return table.name == name.table &&
           (name.keyspace.empty() || table.keyspace.empty() || table.keyspace == name.keyspace);
  };
  if (tables_.size() == 1) {
    // Its directory may be called anything; a schema says what it is.
    ASSIGN_OR_RETURN(const OpenTable* const only, Open(tables_.front()));
    if (matches(tables_.front()) || only->schema.key_names_are_generated) {
      return &tables_.front();
    }
  }
  std::vector<Table*> found;
  std::string all;
  for (Table& table : tables_) {
    if (matches(table)) {
      found.push_back(&table);
    }
    all += StrCat(all.empty() ? "" : ", ", table.keyspace, table.keyspace.empty() ? "" : ".",
                  table.name);
  }
  if (found.size() == 1) {
    RETURN_IF_ERROR(Open(*found.front()).status());
    return found.front();
  }
  return Status::InvalidArgument(
      StrCat("line ", name.position.line, ":", name.position.column, " ",
             found.empty() ? "table " : "more than one table is called ", name.table,
             found.empty() ? " does not exist; there is " : "; there is ", all));
}

CompletionNames ShellTables::Names() {
  CompletionNames names;
  for (Table& table : tables_) {
    Result<OpenTable*> const open = Open(table);
    CompletionNames::Table entry = {.keyspace = table.keyspace, .table = table.name, .columns = {}};
    if (open.ok()) {
      const sstable::TableSchema& schema = (*open)->schema;
      for (auto const* columns :
           {&schema.partition_key, &schema.clustering, &schema.statics, &schema.regulars}) {
        for (const sstable::SchemaColumn& column : *columns) {
          entry.columns.push_back(column.name);
        }
      }
    }
    names.tables.push_back(std::move(entry));
  }
  return names;
}

}  // namespace orochi::cli
