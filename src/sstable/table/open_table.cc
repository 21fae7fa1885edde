#include "sstable/table/open_table.h"

#include <algorithm>
#include <filesystem>

#include "base/str_cat.h"
#include "sstable/read/data_file.h"
#include "sstable/read/merge.h"

namespace orochi::sstable {

namespace {

namespace fs = std::filesystem;

bool IsTableId(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

constexpr uint64_t kSchemaSizeBytesMax = uint64_t{64} << 20;

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
    ASSIGN_OR_RETURN(bool const exists, files.Exists(path));
    if (!exists) {
      return Status::NotFound(StrCat(path, " does not exist"));
    }
    fs::path const file(path);
    Result<Descriptor> const one = Descriptor::Parse(file.filename().string());
    if (one.ok()) {
      std::string const parent = file.parent_path().string();
      add({.directory = parent.empty() ? "." : parent, .descriptor = *one});
      continue;
    }
    Result<std::vector<Descriptor>> const found = ListSstables(files, path);
    if (!found.ok()) {
      // What is no directory either is a file whose name says nothing.
      return found.status().code() == StatusCode::kIoError ? one.status() : found.status();
    }
    one.status().IgnoreError("it is a directory");
    if (found->empty()) {
      return Status::NotFound(StrCat(path, " has no SSTables"))
          .WithHint("name the directory that holds files like nb-1-big-Data.db");
    }
    for (const Descriptor& descriptor : *found) {
      add({.directory = path, .descriptor = descriptor});
    }
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

Result<TableSchema> SchemaOf(io::FileSystem& files, const TableRequest& request) {
  std::string script;
  for (const std::string& file : request.schema_files) {
    ASSIGN_OR_RETURN(std::vector<std::byte> const text,
                     ReadWholeFile(files, file, kSchemaSizeBytesMax));
    script += StrCat(AsText(text), "\n;\n");
  }
  script += request.schema_text;
  TableDirectory directory;
  if (!request.paths.empty()) {
    directory = TableOfDirectory(request.paths.front());
  }
  Result<std::vector<TableSchema>> const tables =
      TablesFromCql(script, request.keyspace.empty() ? directory.keyspace : request.keyspace);
  if (!tables.ok()) {
    return Status(tables.status())
        .WithContext(request.schema_files.empty() ? "schema" : request.schema_files[0]);
  }
  std::string name = request.table;
  if (name.empty() && tables->size() > 1) {
    name = directory.table;
  }
  ASSIGN_OR_RETURN(const TableSchema* const table, PickTable(*tables, name));
  return *table;
}

Result<OpenTable> OpenTableOf(io::FileSystem& files, const TableRequest& request) {
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs, FindSstables(files, request.paths));
  if (inputs.empty()) {
    return Status::InvalidArgument("no SSTables are named");
  }
  OpenTable table;
  for (const SstableInput& input : inputs) {
    ASSIGN_OR_RETURN(auto reader,
                     SstableReader::Open(files, input.directory, input.descriptor, request.reader));
    table.readers.push_back(std::move(reader));
  }
  TableDirectory const directory = TableOfDirectory(inputs[0].directory);
  if (request.schema_files.empty() && request.schema_text.empty()) {
    std::vector<const Layout*> layouts;
    for (const auto& reader : table.readers) {
      layouts.push_back(&reader->layout());
    }
    Result<Layout> const layout = MergeLayouts(layouts);
    if (!layout.ok()) {
      return Status(layout.status())
          .WithHint("name SSTables of one table, or give its schema with --schema");
    }
    table.schema = SchemaFromLayout(
        request.keyspace.empty() ? directory.keyspace : request.keyspace, directory.table, *layout);
    return table;
  }
  TableRequest schema_request = request;
  schema_request.paths = {inputs[0].directory};
  ASSIGN_OR_RETURN(table.schema, SchemaOf(files, schema_request));
  for (size_t index = 0; index < inputs.size(); ++index) {
    RETURN_IF_ERROR(
        CheckLayout(table.schema, table.readers[index]->layout(), inputs[index].Name()));
  }
  return table;
}

}  // namespace orochi::sstable
