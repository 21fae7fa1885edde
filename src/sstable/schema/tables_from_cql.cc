// TablesFromCql: applies the statements of a script one after the other.
#include <algorithm>
#include <charconv>
#include <set>

#include "base/str_cat.h"
#include "sstable/cql/parser.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

namespace {

using cql::UserTypes;

Status At(cql::Position position, std::string_view message) {
  return Status::InvalidArgument(StrCat(cql::PositionText(position), " ", message));
}

/// `type` with every use of a user type replaced by its present definition.
TypeRef WithCurrentTypes(const TypeRef& type, const UserTypes& user_types) {
  Type updated = *type;
  for (TypeRef& parameter : updated.parameters) {
    parameter = WithCurrentTypes(parameter, user_types);
  }
  if (type->kind == TypeKind::kUdt) {
    if (auto const found = user_types.find(type->name); found != user_types.end()) {
      updated.field_names = found->second->field_names;
      updated.parameters = found->second->parameters;
      for (TypeRef& parameter : updated.parameters) {
        parameter = Frozen(parameter);
      }
    }
  }
  return std::make_shared<const Type>(std::move(updated));
}

std::vector<SchemaColumn>& ColumnsOf(TableSchema& table, ColumnRole role) {
  switch (role) {
    case ColumnRole::kPartitionKey:
      return table.partition_key;
    case ColumnRole::kClustering:
      return table.clustering;
    case ColumnRole::kStatic:
      return table.statics;
    case ColumnRole::kRegular:
      break;
  }
  return table.regulars;
}

bool IsKey(ColumnRole role) {
  return role == ColumnRole::kPartitionKey || role == ColumnRole::kClustering;
}

class ScriptRunner {
 public:
  explicit ScriptRunner(std::string_view default_keyspace) : keyspace_(default_keyspace) {}

  Status Run(const cql::Statement& statement) {
    return std::visit([this](const auto& s) { return Apply(s); }, statement);
  }
  std::vector<TableSchema> TakeTables() {
    for (TableSchema& table : tables_) {
      table.user_types = types_[table.keyspace];
    }
    return std::move(tables_);
  }

 private:
  template <class Other>
  Status Apply(const Other&) {
    return Status::Ok();  // says nothing about the shape of tables
  }
  Status Apply(const cql::Use& use) {
    keyspace_ = use.keyspace;
    return Status::Ok();
  }
  Status Apply(const cql::CreateType& create);
  Status Apply(const cql::AlterType& alter);
  Status Apply(const cql::CreateTable& create);
  Status Apply(const cql::AlterTable& alter);

  Status AddColumns(TableSchema& table, const cql::CreateTable& create);
  Status TakeKeyColumns(TableSchema& table, const cql::CreateTable& create);
  Status SetClusteringOrder(TableSchema& table, const cql::CreateTable& create);
  Status SetOptions(TableSchema& table, const std::vector<cql::TableOption>& options);
  Status AddColumn(TableSchema& table, const cql::ColumnDefinition& definition);
  Status DropColumn(TableSchema& table, const std::string& name, const cql::AlterTable& alter);
  Status RenameColumn(TableSchema& table, const std::string& from, const std::string& to);
  Result<TypeRef> TypeOf(const cql::ColumnDefinition& definition, const std::string& keyspace,
                         bool is_key);
  void RefreshTypes(const std::string& keyspace);
  Result<TableSchema*> FindTable(const cql::TableName& name);

  const std::string& KeyspaceOf(const cql::TableName& name) const {
    return name.keyspace.empty() ? keyspace_ : name.keyspace;
  }

  std::string keyspace_;
  std::map<std::string, UserTypes> types_;
  std::vector<TableSchema> tables_;
};

Status ScriptRunner::Apply(const cql::CreateType& create) {
  std::string const& keyspace = KeyspaceOf(create.name);
  UserTypes& types = types_[keyspace];
  if (types.contains(create.name.table)) {
    return create.if_not_exists
               ? Status::Ok()
               : At(create.name.position,
                    StrCat("A user type with name '", create.name.table, "' already exists"));
  }
  std::vector<std::string> names;
  std::vector<TypeRef> fields;
  for (const cql::ColumnDefinition& field : create.fields) {
    ASSIGN_OR_RETURN(TypeRef type, cql::ResolveType(field.type, types));
    if (std::find(names.begin(), names.end(), field.name) != names.end()) {
      return At(field.position, StrCat("Duplicate field name '", field.name, "' in type '",
                                       create.name.table, "'"));
    }
    names.push_back(field.name);
    fields.push_back(std::move(type));
  }
  types[create.name.table] =
      UserTypeOf(keyspace, create.name.table, std::move(names), std::move(fields));
  return Status::Ok();
}

Status ScriptRunner::Apply(const cql::AlterType& alter) {
  std::string const& keyspace = KeyspaceOf(alter.name);
  UserTypes& types = types_[keyspace];
  auto const found = types.find(alter.name.table);
  if (found == types.end()) {
    return At(alter.name.position, StrCat("Type ", alter.name.table, " does not exist"));
  }
  Type changed = *found->second;
  for (const cql::ColumnDefinition& field : alter.added) {
    ASSIGN_OR_RETURN(TypeRef type, cql::ResolveType(field.type, types));
    changed.field_names.push_back(field.name);
    changed.parameters.push_back(Frozen(type));
  }
  for (const auto& [from, to] : alter.renames) {
    auto const field = std::find(changed.field_names.begin(), changed.field_names.end(), from);
    if (field == changed.field_names.end()) {
      return At(alter.name.position,
                StrCat("Unknown field ", from, " in user type ", alter.name.table));
    }
    *field = to;
  }
  found->second = std::make_shared<const Type>(std::move(changed));
  RefreshTypes(keyspace);
  return Status::Ok();
}

/// Types and columns that use a type which has changed.
void ScriptRunner::RefreshTypes(const std::string& keyspace) {
  UserTypes& types = types_[keyspace];
  // Types can only use earlier ones, so as many rounds as types suffice for any nesting.
  for (size_t round = 0; round < types.size(); ++round) {
    for (auto& [name, type] : types) {
      Type updated = *type;
      for (TypeRef& parameter : updated.parameters) {
        parameter = WithCurrentTypes(parameter, types);
      }
      type = std::make_shared<const Type>(std::move(updated));
    }
  }
  for (TableSchema& table : tables_) {
    if (table.keyspace == keyspace) {
      for (auto* columns :
           {&table.partition_key, &table.clustering, &table.statics, &table.regulars}) {
        for (SchemaColumn& column : *columns) {
          column.type = WithCurrentTypes(column.type, types);
        }
      }
    }
  }
}

Result<TypeRef> ScriptRunner::TypeOf(const cql::ColumnDefinition& definition,
                                     const std::string& keyspace, bool is_key) {
  ASSIGN_OR_RETURN(TypeRef const type, cql::ResolveType(definition.type, types_[keyspace]));
  if (is_key && type->multi_cell()) {
    return At(definition.position,
              StrCat("Invalid non-frozen ",
                     type->kind == TypeKind::kUdt ? "user-defined type" : "collection type",
                     " for PRIMARY KEY component '", definition.name, "'"));
  }
  if (is_key && (type->kind == TypeKind::kCounter || type->kind == TypeKind::kDuration)) {
    return At(definition.position, StrCat(CqlName(*type),
                                          " type is not supported for PRIMARY KEY "
                                          "column '",
                                          definition.name, "'"));
  }
  return type;
}

Status ScriptRunner::Apply(const cql::CreateTable& create) {
  TableSchema table;
  table.keyspace = KeyspaceOf(create.name);
  table.table = create.name.table;
  auto const same = [&](const TableSchema& other) {
    return other.keyspace == table.keyspace && other.table == table.table;
  };
  if (std::any_of(tables_.begin(), tables_.end(), same)) {
    return create.if_not_exists ? Status::Ok()
                                : At(create.name.position,
                                     StrCat("Table '", table.QualifiedName(), "' already exists"));
  }
  if (create.compact_storage) {
    return Status::Unsupported(StrCat("table ", table.QualifiedName(),
                                      " is WITH COMPACT STORAGE, which Cassandra 4 and later do "
                                      "not have"))
        .WithHint("take the schema after ALTER TABLE ... DROP COMPACT STORAGE");
  }
  RETURN_IF_ERROR(TakeKeyColumns(table, create));
  RETURN_IF_ERROR(AddColumns(table, create));
  RETURN_IF_ERROR(SetClusteringOrder(table, create));
  RETURN_IF_ERROR(SetOptions(table, create.options));
  tables_.push_back(std::move(table));
  return Status::Ok();
}

Status ScriptRunner::TakeKeyColumns(TableSchema& table, const cql::CreateTable& create) {
  auto const take = [&](const std::vector<std::string>& names,
                        std::vector<SchemaColumn>& columns) -> Status {
    for (const std::string& name : names) {
      auto const definition =
          std::find_if(create.columns.begin(), create.columns.end(),
                       [&](const cql::ColumnDefinition& column) { return column.name == name; });
      if (definition == create.columns.end()) {
        return At(create.name.position,
                  StrCat("Unknown column '", name, "' referenced in PRIMARY KEY for table '",
                         table.table, "'"));
      }
      if (table.Find(name).has_value()) {
        return At(definition->position,
                  StrCat("Duplicate column '", name, "' in PRIMARY KEY clause for table '",
                         table.table, "'"));
      }
      if (definition->is_static) {
        return At(definition->position,
                  StrCat("Static column '", name, "' cannot be part of the PRIMARY KEY"));
      }
      ASSIGN_OR_RETURN(TypeRef type, TypeOf(*definition, table.keyspace, /*is_key=*/true));
      columns.push_back({.name = name, .type = std::move(type)});
    }
    return Status::Ok();
  };
  RETURN_IF_ERROR(take(create.partition_key, table.partition_key));
  return take(create.clustering, table.clustering);
}

Status ScriptRunner::AddColumns(TableSchema& table, const cql::CreateTable& create) {
  std::set<std::string_view> names;
  for (const cql::ColumnDefinition& definition : create.columns) {
    if (!names.insert(definition.name).second) {
      return At(definition.position, StrCat("Duplicate column '", definition.name,
                                            "' declaration for table '", table.table, "'"));
    }
    if (!table.Find(definition.name).has_value()) {
      RETURN_IF_ERROR(AddColumn(table, definition));
    }
  }
  return Status::Ok();
}

Status ScriptRunner::AddColumn(TableSchema& table, const cql::ColumnDefinition& definition) {
  if (table.Find(definition.name).has_value()) {
    return At(definition.position,
              StrCat("Column with name '", definition.name, "' already exists"));
  }
  if (definition.is_static && table.clustering.empty()) {
    return At(definition.position,
              "Static columns are only useful (and thus allowed) if the table has at least one "
              "clustering column");
  }
  for (const SchemaDroppedColumn& dropped : table.dropped) {
    if (dropped.name == definition.name && dropped.dropped_at_micros == INT64_MAX) {
      return At(definition.position, StrCat("Column ", definition.name,
                                            " is added again after a DROP that does not say "
                                            "when it was: write DROP ",
                                            definition.name, " USING TIMESTAMP <micros>"));
    }
  }
  ASSIGN_OR_RETURN(TypeRef type, TypeOf(definition, table.keyspace, /*is_key=*/false));
  std::vector<SchemaColumn>& columns = definition.is_static ? table.statics : table.regulars;
  columns.push_back({.name = definition.name, .type = std::move(type)});
  SortColumns(columns);
  return Status::Ok();
}

Status ScriptRunner::SetClusteringOrder(TableSchema& table, const cql::CreateTable& create) {
  for (size_t index = 0; index < create.clustering_order.size(); ++index) {
    const cql::CreateTable::Order& order = create.clustering_order[index];
    if (index >= table.clustering.size() || table.clustering[index].name != order.column) {
      return At(create.name.position,
                StrCat("Clustering key columns must exactly match columns in CLUSTERING ORDER BY "
                       "directive; found '",
                       order.column, "'"));
    }
    if (order.descending) {
      table.clustering[index].type = Reversed(table.clustering[index].type);
    }
  }
  return Status::Ok();
}

/// A map literal whose keys and values are constants.
std::map<std::string, std::string> ToMap(const cql::Term& term) {
  std::map<std::string, std::string> map;
  for (size_t index = 0; index + 1 < term.items.size(); index += 2) {
    map[term.items[index].text] = term.items[index + 1].text;
  }
  return map;
}

/// LZ4Compressor, whichever way its class and options are spelt.
std::map<std::string, std::string> NormalisedCompression(std::map<std::string, std::string> map) {
  if (auto old = map.extract("sstable_compression"); !old.empty()) {
    old.key() = "class";
    map.insert(std::move(old));
  }
  if (auto old = map.extract("chunk_length_kb"); !old.empty()) {
    old.key() = "chunk_length_in_kb";
    map.insert(std::move(old));
  }
  auto const enabled = map.find("enabled");
  if (map["class"].empty() || (enabled != map.end() && enabled->second == "false")) {
    return {};
  }
  std::string& name = map["class"];
  name = name.substr(name.rfind('.') + 1);
  return map;
}

Status ScriptRunner::SetOptions(TableSchema& table, const std::vector<cql::TableOption>& options) {
  for (const cql::TableOption& option : options) {
    TableOptions& set = table.options;
    if (option.name == "gc_grace_seconds") {
      ASSIGN_OR_RETURN(set.gc_grace_s, cql::BindInteger(option.value, option.name));
    } else if (option.name == "default_time_to_live") {
      ASSIGN_OR_RETURN(set.default_ttl_s, cql::BindInteger(option.value, option.name));
    } else if (option.name == "min_index_interval") {
      ASSIGN_OR_RETURN(set.min_index_interval, cql::BindInteger(option.value, option.name));
      if (set.min_index_interval < 1) {
        return At(option.value.position, "min_index_interval must be at least 1");
      }
    } else if (option.name == "bloom_filter_fp_chance") {
      const std::string& text = option.value.text;
      auto const end = text.data() + text.size();
      auto const [stop, problem] = std::from_chars(text.data(), end, set.bloom_fp_chance);
      if (problem != std::errc() || stop != end ||
          !(set.bloom_fp_chance > 0 && set.bloom_fp_chance <= 1)) {
        return At(option.value.position,
                  "bloom_filter_fp_chance must be larger than 0 and at most 1");
      }
    } else if (option.name == "compression") {
      set.compression = NormalisedCompression(ToMap(option.value));
    } else if (option.name == "compaction") {
      set.compaction = ToMap(option.value);
    } else if (option.name == "comment") {
      set.comment = option.value.text;
    }
  }
  return Status::Ok();
}

Result<TableSchema*> ScriptRunner::FindTable(const cql::TableName& name) {
  for (TableSchema& table : tables_) {
    if (table.keyspace == KeyspaceOf(name) && table.table == name.table) {
      return &table;
    }
  }
  return At(name.position, StrCat("Table '", KeyspaceOf(name).empty() ? "" : KeyspaceOf(name) + ".",
                                  name.table, "' doesn't exist"));
}

Status ScriptRunner::DropColumn(TableSchema& table, const std::string& name,
                                const cql::AlterTable& alter) {
  std::optional<TableSchema::Found> const found = table.Find(name);
  bool const is_key = found.has_value() && IsKey(found->role);
  if (!found.has_value() || is_key) {
    return At(alter.name.position, StrCat(is_key ? "Cannot drop PRIMARY KEY column " : "Column ",
                                          name, is_key ? "" : " was not found in table ",
                                          is_key ? "" : table.QualifiedName()));
  }
  SchemaDroppedColumn dropped{
      .name = name, .type = found->column->type, .is_static = found->role == ColumnRole::kStatic};
  if (alter.dropped_at_micros.has_value()) {
    ASSIGN_OR_RETURN(dropped.dropped_at_micros,
                     cql::BindInteger(*alter.dropped_at_micros, "USING TIMESTAMP"));
  } else {
    // The script does not say when: all that files hold of it is older.
    dropped.dropped_at_micros = INT64_MAX;
  }
  std::vector<SchemaColumn>& columns = ColumnsOf(table, found->role);
  columns.erase(columns.begin() + static_cast<ptrdiff_t>(found->index));
  std::erase_if(table.dropped, [&](const SchemaDroppedColumn& d) { return d.name == name; });
  table.dropped.push_back(std::move(dropped));
  return Status::Ok();
}

Status ScriptRunner::RenameColumn(TableSchema& table, const std::string& from,
                                  const std::string& to) {
  std::optional<TableSchema::Found> const found = table.Find(from);
  if (!found.has_value() || table.Find(to).has_value()) {
    return Status::InvalidArgument(
        StrCat("Cannot rename column ", from, " to ", to, " in table ", table.QualifiedName()));
  }
  if (!IsKey(found->role)) {
    return Status::InvalidArgument(StrCat("Cannot rename non PRIMARY KEY column ", from));
  }
  ColumnsOf(table, found->role)[found->index].name = to;
  return Status::Ok();
}

Status ScriptRunner::Apply(const cql::AlterTable& alter) {
  ASSIGN_OR_RETURN(TableSchema* const table, FindTable(alter.name));
  switch (alter.action) {
    case cql::AlterTable::Action::kAdd:
      for (const cql::ColumnDefinition& column : alter.columns) {
        RETURN_IF_ERROR(AddColumn(*table, column));
      }
      return Status::Ok();
    case cql::AlterTable::Action::kDrop:
      for (const std::string& name : alter.dropped) {
        RETURN_IF_ERROR(DropColumn(*table, name, alter));
      }
      return Status::Ok();
    case cql::AlterTable::Action::kRename:
      for (const auto& [from, to] : alter.renames) {
        RETURN_IF_ERROR(RenameColumn(*table, from, to));
      }
      return Status::Ok();
    case cql::AlterTable::Action::kAlterType: {
      const cql::ColumnDefinition& column = alter.columns[0];
      std::optional<TableSchema::Found> const found = table->Find(column.name);
      if (!found.has_value()) {
        return At(column.position, StrCat("Unknown column '", column.name, "'"));
      }
      ASSIGN_OR_RETURN(TypeRef type, TypeOf(column, table->keyspace, IsKey(found->role)));
      ColumnsOf(*table, found->role)[found->index].type =
          found->column->type->reversed ? Reversed(type) : type;
      SortColumns(table->statics);
      SortColumns(table->regulars);
      return Status::Ok();
    }
    case cql::AlterTable::Action::kWith:
      return SetOptions(*table, alter.options);
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<TableSchema>> TablesFromCql(std::string_view script,
                                               std::string_view default_keyspace) {
  ASSIGN_OR_RETURN(std::vector<cql::Statement> const statements, cql::ParseScript(script));
  ScriptRunner runner(default_keyspace);
  for (const cql::Statement& statement : statements) {
    RETURN_IF_ERROR(runner.Run(statement));
  }
  return runner.TakeTables();
}

}  // namespace orochi::sstable
