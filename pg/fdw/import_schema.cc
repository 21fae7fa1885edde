#include "pg/fdw/import_schema.h"

#include <set>

#include "base/str_cat.h"
#include "pg/fdw/open_table.h"
#include "pg/fdw/options.h"
#include "pg/fdw/table_directory.h"
#include "pg/fdw/type_names.h"

extern "C" {
#include "commands/defrem.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/pg_list.h"
}

namespace orochi::pg {
namespace {

struct ImportOptions {
  bool composite_types = true;
  std::string token_column;
};

Result<ImportOptions> ReadOptions(List* options) {
  ImportOptions out;
  for (int index = 0; index < list_length(options); ++index) {
    auto* const option = static_cast<DefElem*>(list_nth(options, index));
    std::string const value = TryPg([&]() noexcept { return defGetString(option); });
    if (strcmp(option->defname, "import_user_types") == 0) {
      if (value != "composite" && value != "jsonb") {
        return Status::InvalidArgument(
                   StrCat("invalid value for option \"import_user_types\": \"", value, "\""))
            .WithHint("Valid values are: composite, jsonb");
      }
      out.composite_types = value == "composite";
    } else if (strcmp(option->defname, "token_column") == 0) {
      out.token_column = value;
    } else {
      return Status::InvalidArgument(StrCat("invalid option \"", option->defname, "\""))
          .WithHint("Valid options in this context are: import_user_types, token_column");
    }
  }
  return out;
}

Result<std::vector<sstable::TableSchema>> TablesOfSchemaFile(io::FileSystem& files,
                                                             const TableOptions& options) {
  ASSIGN_OR_RETURN(auto tables, ReadSchemaFile(files, options.schema_file, options.keyspace));
  std::set<std::string> keyspaces;
  for (const sstable::TableSchema& table : tables) {
    keyspaces.insert(table.keyspace);
  }
  std::erase_if(tables, [&](const sstable::TableSchema& table) {
    return table.keyspace != options.keyspace;
  });
  if (tables.empty()) {
    std::string names;
    for (const std::string& keyspace : keyspaces) {
      names += StrCat(names.empty() ? "" : ", ", keyspace);
    }
    return Status::NotFound(
               StrCat(options.schema_file, " has no tables of the keyspace ", options.keyspace))
        .WithHint(names.empty() ? "It has no CREATE TABLE at all."
                                : StrCat("It has tables of: ", names));
  }
  return tables;
}

bool IsWanted(ImportForeignSchemaStmt* statement, const std::string& table) {
  return TryPg([&]() noexcept { return IsImportableForeignTable(table.c_str(), statement); });
}

Result<std::vector<sstable::TableSchema>> TablesOfFiles(io::FileSystem& files,
                                                        ImportForeignSchemaStmt* statement,
                                                        TableOptions options) {
  ASSIGN_OR_RETURN(auto const directories, ListTableDirectories(files, options));
  if (directories.empty()) {
    return Status::NotFound(StrCat("no SSTables of the keyspace ", options.keyspace, " below ",
                                   options.data_dir))
        .WithHint(
            "data_dir holds a directory for each keyspace, or is a keyspace's or a table's "
            "directory itself.");
  }
  std::set<std::string> names;
  for (const TableDirectory& directory : directories) {
    names.insert(directory.table);
  }
  std::vector<sstable::TableSchema> tables;
  for (const std::string& name : names) {
    if (!IsWanted(statement, name)) {
      continue;
    }
    options.table = name;
    auto const table = OpenTable::Open(options);
    if (!table.ok()) {
      return Status(table.status())
          .WithContext(StrCat("table ", name))
          .WithHint("EXCEPT leaves a table out.");
    }
    tables.push_back((*table)->schema());
  }
  return tables;
}

std::string ColumnSql(const sstable::SchemaColumn& column, const ImportTypes& types) {
  std::string sql = StrCat(QuotedName(column.name), " ", TypeNameFor(*column.type, types));
  if (column.name.size() >= NAMEDATALEN) {  // PostgreSQL cuts it
    sql += StrCat(" OPTIONS (column_name ", QuotedText(column.name), ")");
  }
  return sql;
}

std::string TableSql(const sstable::TableSchema& table, const std::string& keyspace,
                     const char* server, const ImportTypes& types, const ImportOptions& options) {
  std::string columns;
  for (const auto* group :
       {&table.partition_key, &table.clustering, &table.statics, &table.regulars}) {
    for (const sstable::SchemaColumn& column : *group) {
      columns += StrCat(columns.empty() ? "" : ",\n  ", ColumnSql(column, types));
    }
  }
  if (!options.token_column.empty()) {
    columns += StrCat(",\n  ", QuotedName(options.token_column), " bigint OPTIONS (token 'true')");
  }
  return StrCat("CREATE FOREIGN TABLE ", QuotedName(table.table), " (\n  ", columns, "\n) SERVER ",
                QuotedName(server), " OPTIONS (keyspace ", QuotedText(keyspace), ", \"table\" ",
                QuotedText(table.table), ")");
}

}  // namespace

List* ImportSchema(ImportForeignSchemaStmt* statement, Oid server_id) {
  return Boundary([&]() -> Result<List*> {
    ASSIGN_OR_RETURN(ImportOptions const options, ReadOptions(statement->options));
    ASSIGN_OR_RETURN(TableOptions source, ReadServerOptions(server_id));
    source.keyspace = statement->remote_schema;
    if (source.schema_file.empty() && source.data_dir.empty()) {
      return Status::InvalidArgument(
          StrCat("server \"", statement->server_name, "\" has neither data_dir nor schema_file"));
    }
    ServerFiles files;
    auto tables = source.schema_file.empty() ? TablesOfFiles(files, statement, source)
                                             : TablesOfSchemaFile(files, source);
    RETURN_IF_ERROR(tables.status());
    ImportTypes const types = {.schema = statement->local_schema,
                               .composite_types = options.composite_types,
                               .vector_type = VisibleVectorType()};
    List* commands = NIL;
    for (const sstable::TableSchema& table : *tables) {
      if (!IsWanted(statement, table.table)) {
        continue;
      }
      RETURN_IF_ERROR(MakeCompositeTypes(table, types));
      std::string const sql =
          TableSql(table, source.keyspace, statement->server_name, types, options);
      commands = TryPg([&]() noexcept { return lappend(commands, pstrdup(sql.c_str())); });
    }
    return commands;
  });
}

}  // namespace orochi::pg
