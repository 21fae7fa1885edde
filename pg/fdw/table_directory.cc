#include "pg/fdw/table_directory.h"

#include <filesystem>
#include <set>

#include "base/str_cat.h"

namespace orochi::pg {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTableIdDigits = 32;
constexpr size_t kNamesShownMax = 10;

bool IsDirectory(const std::string& path) {
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  return fs::is_directory(path, ignored);
}

// "orders" of "orders-<table id>"; the whole name of others.
std::string_view TableOf(std::string_view name) {
  size_t const dash = name.rfind('-');
  bool const has_id =
      dash != std::string_view::npos && name.size() - dash - 1 == kTableIdDigits &&
      name.substr(dash + 1).find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return has_id ? name.substr(0, dash) : name;
}

std::string WithSnapshot(std::string path, const TableOptions& options) {
  return options.snapshot.empty() ? path : StrCat(path, "/snapshots/", options.snapshot);
}

Result<bool> HasSstables(io::FileSystem& files, const std::string& path) {
  if (!IsDirectory(path)) {
    return false;
  }
  // By name: a version that cannot be read is reported when its table is.
  ASSIGN_OR_RETURN(std::vector<std::string> const names, files.List(path));
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.ends_with("-Data.db"); });
}

// Directories of `root` by the table they belong to.
Result<std::vector<TableDirectory>> TablesIn(io::FileSystem& files, const std::string& root) {
  std::vector<TableDirectory> tables;
  ASSIGN_OR_RETURN(std::vector<std::string> const names, files.List(root));
  for (const std::string& name : names) {
    std::string path = StrCat(root, "/", name);
    if (!name.starts_with('.') && IsDirectory(path)) {
      tables.push_back({.table = std::string(TableOf(name)), .path = std::move(path)});
    }
  }
  return tables;
}

// The keyspace's directory and data_dir itself, as far as they are there.
Result<std::vector<std::string>> Roots(const TableOptions& options) {
  if (!IsDirectory(options.data_dir)) {
    return Status::NotFound(StrCat("data_dir ", options.data_dir, " is not a directory"))
        .WithHint("It must be a directory that the server's operating system user can read.");
  }
  std::vector<std::string> roots;
  if (!options.keyspace.empty() && IsDirectory(StrCat(options.data_dir, "/", options.keyspace))) {
    roots.push_back(StrCat(options.data_dir, "/", options.keyspace));
  }
  roots.push_back(options.data_dir);
  return roots;
}

// One of several directories of a table: the one that has SSTables.
Result<std::string> PickDirectory(io::FileSystem& files, const TableOptions& options,
                                  const std::vector<std::string>& paths) {
  std::vector<std::string> filled;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(bool const has, HasSstables(files, WithSnapshot(path, options)));
    if (has || paths.size() == 1) {
      filled.push_back(WithSnapshot(path, options));
    }
  }
  if (filled.size() == 1) {
    return filled[0];
  }
  std::string text;
  for (const std::string& path : filled.empty() ? paths : filled) {
    text += StrCat(text.empty() ? "" : ", ", path);
  }
  return Status::InvalidArgument(
             StrCat("table ", options.table, " has several directories: ", text))
      .WithHint("Name the right one with the option directory.");
}

Status NotThere(const TableOptions& options, const std::vector<TableDirectory>& others) {
  std::set<std::string> tables;
  for (const TableDirectory& other : others) {
    tables.insert(other.table);
  }
  std::string names;
  size_t shown = 0;
  for (const std::string& table : tables) {
    names += shown++ < kNamesShownMax ? StrCat(names.empty() ? "" : ", ", table) : "";
  }
  Status status = Status::NotFound(StrCat("no directory of table ",
                                          options.keyspace.empty() ? "" : options.keyspace + ".",
                                          options.table, " below ", options.data_dir));
  return names.empty() ? status
                       : std::move(status).WithHint(StrCat(
                             "There are: ", names, tables.size() > kNamesShownMax ? ", ..." : ""));
}

}  // namespace

Result<std::string> FindTableDirectory(io::FileSystem& files, const TableOptions& options) {
  if (!options.directory.empty()) {
    std::string path = WithSnapshot(options.directory, options);
    if (!IsDirectory(path)) {
      return Status::NotFound(StrCat("directory ", path, " is not there"));
    }
    return path;
  }
  ASSIGN_OR_RETURN(std::vector<std::string> const roots, Roots(options));
  std::vector<TableDirectory> others;
  for (const std::string& root : roots) {
    ASSIGN_OR_RETURN(std::vector<TableDirectory> const tables, TablesIn(files, root));
    std::vector<std::string> paths;
    for (const TableDirectory& table : tables) {
      if (table.table == options.table) {
        paths.push_back(table.path);
      }
    }
    if (!paths.empty()) {
      ASSIGN_OR_RETURN(std::string path, PickDirectory(files, options, paths));
      if (!IsDirectory(path)) {
        return Status::NotFound(StrCat("snapshot directory ", path, " is not there"));
      }
      return path;
    }
    others = others.empty() ? tables : others;
  }
  ASSIGN_OR_RETURN(bool const is_table, HasSstables(files, options.data_dir));
  if (is_table) {
    return WithSnapshot(options.data_dir, options);
  }
  return NotThere(options, others);
}

Result<std::vector<TableDirectory>> ListTableDirectories(io::FileSystem& files,
                                                         const TableOptions& options) {
  ASSIGN_OR_RETURN(std::vector<std::string> const roots, Roots(options));
  ASSIGN_OR_RETURN(bool const is_table, HasSstables(files, options.data_dir));
  if (is_table) {
    std::string const name = fs::path(options.data_dir).lexically_normal().filename().string();
    std::string const table(TableOf(name));
    return std::vector<TableDirectory>{
        {.table = table, .path = WithSnapshot(options.data_dir, options)}};
  }
  std::vector<TableDirectory> found;
  ASSIGN_OR_RETURN(std::vector<TableDirectory> const tables, TablesIn(files, roots[0]));
  for (const TableDirectory& table : tables) {
    std::string path = WithSnapshot(table.path, options);
    ASSIGN_OR_RETURN(bool const has, HasSstables(files, path));
    if (has) {
      found.push_back({.table = table.table, .path = std::move(path)});
    }
  }
  return found;
}

}  // namespace orochi::pg
