#include "cli/sstable/inputs.h"

#include <algorithm>
#include <filesystem>

#include "base/str_cat.h"
#include "cli/text_file.h"
#include "sstable/read/merge.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;
using sstable::Layout;
using sstable::TableSchema;

bool IsTableId(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<TableSchema> SchemaFromFiles(const TableRequest& request, const TableDirectory& directory) {
  std::string script;
  for (const std::string& file : request.schema_files) {
    ASSIGN_OR_RETURN(std::string const text, ReadTextFile(file));
    script += StrCat(text, "\n;\n");
  }
  Result<std::vector<TableSchema>> const tables =
      sstable::TablesFromCql(script, directory.keyspace);
  if (!tables.ok()) {
    return Status(tables.status()).WithContext(request.schema_files[0]);
  }
  std::string name = request.table;
  if (name.empty() && tables->size() > 1) {
    name = directory.table;
  }
  ASSIGN_OR_RETURN(const TableSchema* const table, sstable::PickTable(*tables, name));
  return *table;
}

}  // namespace

std::string SstableInput::Name() const {
  return StrCat(directory, "/", descriptor.Stem());
}

Result<std::vector<SstableInput>> FindSstables(io::FileSystem& files,
                                               const std::vector<std::string>& paths) {
  std::vector<SstableInput> inputs;
  auto const add = [&](SstableInput input) {
    bool const known = std::any_of(inputs.begin(), inputs.end(), [&](const SstableInput& other) {
      return other.Name() == input.Name();
    });
    if (!known) {
      inputs.push_back(std::move(input));
    }
  };
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      ASSIGN_OR_RETURN(std::vector<sstable::Descriptor> const found,
                       sstable::ListSstables(files, path));
      if (found.empty()) {
        return Status::NotFound(StrCat(path, " has no SSTables"))
            .WithHint("name the directory that holds files like nb-1-big-Data.db");
      }
      for (const sstable::Descriptor& descriptor : found) {
        add({.directory = path, .descriptor = descriptor});
      }
      continue;
    }
    fs::path const file(path);
    ASSIGN_OR_RETURN(bool const exists, files.Exists(path));
    if (!exists) {
      return Status::NotFound(StrCat(path, " does not exist"));
    }
    ASSIGN_OR_RETURN(sstable::Descriptor const descriptor,
                     sstable::Descriptor::Parse(file.filename().string()));
    std::string const parent = file.parent_path().string();
    add({.directory = parent.empty() ? "." : parent, .descriptor = descriptor});
  }
  return inputs;
}

TableDirectory TableOfDirectory(const std::string& directory) {
  fs::path path = fs::absolute(directory).lexically_normal();
  if (!path.has_filename()) {
    path = path.parent_path();
  }
  for (fs::path at = path; at.has_filename() && at.has_parent_path(); at = at.parent_path()) {
    std::string const name = at.filename().string();
    size_t const dash = name.rfind('-');
    if (dash != std::string::npos && IsTableId(std::string_view(name).substr(dash + 1))) {
      return {.keyspace = at.parent_path().filename().string(), .table = name.substr(0, dash)};
    }
    if (at == at.parent_path()) {
      break;
    }
  }
  return {.keyspace = "", .table = path.filename().string()};
}

Result<OpenTable> OpenTableOf(io::FileSystem& files, const TableRequest& request) {
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs, FindSstables(files, request.paths));
  OpenTable table;
  for (const SstableInput& input : inputs) {
    ASSIGN_OR_RETURN(auto reader,
                     sstable::SstableReader::Open(files, input.directory, input.descriptor));
    table.readers.push_back(std::move(reader));
  }
  TableDirectory const directory = TableOfDirectory(inputs[0].directory);
  if (request.schema_files.empty()) {
    std::vector<const Layout*> layouts;
    for (const auto& reader : table.readers) {
      layouts.push_back(&reader->layout());
    }
    Result<Layout> const layout = sstable::MergeLayouts(layouts);
    if (!layout.ok()) {
      return Status(layout.status())
          .WithHint("name SSTables of one table, or give its schema with --schema");
    }
    table.schema = sstable::SchemaFromLayout(directory.keyspace, directory.table, *layout);
    return table;
  }
  ASSIGN_OR_RETURN(table.schema, SchemaFromFiles(request, directory));
  for (size_t index = 0; index < inputs.size(); ++index) {
    RETURN_IF_ERROR(
        sstable::CheckLayout(table.schema, table.readers[index]->layout(), inputs[index].Name()));
  }
  return table;
}

}  // namespace orochi::cli
