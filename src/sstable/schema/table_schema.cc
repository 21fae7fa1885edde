#include "sstable/schema/table_schema.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

void CollectUserTypes(const TypeRef& type, cql::UserTypes& found) {
  for (const TypeRef& parameter : type->parameters) {
    CollectUserTypes(parameter, found);
  }
  if (type->kind == TypeKind::kUdt && !found.contains(type->name)) {
    Type plain = *type;
    plain.frozen = false;
    plain.reversed = false;
    found.emplace(type->name, std::make_shared<const Type>(std::move(plain)));
  }
}

void CollectUserTypes(const std::vector<SchemaColumn>& columns, cql::UserTypes& found) {
  for (const SchemaColumn& column : columns) {
    CollectUserTypes(column.type, found);
  }
}

std::vector<Column> ToLayoutColumns(const std::vector<SchemaColumn>& columns) {
  std::vector<Column> result;
  for (const SchemaColumn& column : columns) {
    result.push_back(Column::Of(column.name, column.type));
  }
  return result;
}

std::vector<SchemaColumn> FromLayoutColumns(const std::vector<Column>& columns) {
  std::vector<SchemaColumn> result;
  for (const Column& column : columns) {
    result.push_back({.name = column.name, .type = column.type});
  }
  return result;
}

}  // namespace

TypeRef TableSchema::PartitionKeyType() const {
  if (partition_key.size() == 1) {
    return partition_key[0].type;
  }
  std::vector<TypeRef> parts;
  for (const SchemaColumn& column : partition_key) {
    parts.push_back(column.type);
  }
  return CompositeOf(std::move(parts));
}

std::vector<TypeRef> TableSchema::ClusteringTypes() const {
  std::vector<TypeRef> types;
  for (const SchemaColumn& column : clustering) {
    types.push_back(column.type);
  }
  return types;
}

bool TableSchema::is_counter() const {
  auto const counts = [](const SchemaColumn& column) {
    return column.type->kind == TypeKind::kCounter;
  };
  return std::any_of(regulars.begin(), regulars.end(), counts) ||
         std::any_of(statics.begin(), statics.end(), counts);
}

std::string TableSchema::QualifiedName() const {
  return keyspace.empty() ? QuoteIdentifier(table)
                          : StrCat(QuoteIdentifier(keyspace), ".", QuoteIdentifier(table));
}

std::optional<TableSchema::Found> TableSchema::Find(std::string_view name) const {
  struct Place {
    ColumnRole role;
    const std::vector<SchemaColumn>* columns;
  };
  for (const Place& place : std::array<Place, 4>{{{ColumnRole::kPartitionKey, &partition_key},
                                                  {ColumnRole::kClustering, &clustering},
                                                  {ColumnRole::kStatic, &statics},
                                                  {ColumnRole::kRegular, &regulars}}}) {
    for (size_t index = 0; index < place.columns->size(); ++index) {
      if ((*place.columns)[index].name == name) {
        return Found{.role = place.role, .index = index, .column = &(*place.columns)[index]};
      }
    }
  }
  return std::nullopt;
}

void SortColumns(std::vector<SchemaColumn>& columns) {
  std::sort(columns.begin(), columns.end(), [](const SchemaColumn& a, const SchemaColumn& b) {
    bool const b_is_complex = b.type->multi_cell();
    return a.type->multi_cell() != b_is_complex ? b_is_complex
                                                : ColumnNameComesBefore(a.name, b.name);
  });
}

Layout LayoutOf(const TableSchema& schema, Partitioner partitioner) {
  Layout layout;
  layout.partitioner = partitioner;
  layout.key_type = schema.PartitionKeyType();
  layout.clustering = ClusteringFormat(schema.ClusteringTypes());
  layout.statics = ToLayoutColumns(schema.statics);
  layout.regulars = ToLayoutColumns(schema.regulars);
  return layout;
}

TableSchema SchemaFromLayout(std::string keyspace, std::string table, const Layout& layout) {
  TableSchema schema;
  schema.keyspace = std::move(keyspace);
  schema.table = std::move(table);
  schema.key_names_are_generated = true;
  schema.statics = FromLayoutColumns(layout.statics);
  schema.regulars = FromLayoutColumns(layout.regulars);
  auto const is_taken = [&](std::string_view name) { return schema.Find(name).has_value(); };
  auto const fresh = [&](std::string name) {
    while (is_taken(name)) {
      name += '_';
    }
    return name;
  };
  if (layout.key_type->kind == TypeKind::kComposite) {
    for (const TypeRef& part : layout.key_type->parameters) {
      schema.partition_key.push_back(
          {.name = fresh(StrCat("key", schema.partition_key.size())), .type = part});
    }
  } else {
    schema.partition_key.push_back({.name = fresh("key"), .type = layout.key_type});
  }
  for (const TypeRef& type : layout.clustering.types()) {
    schema.clustering.push_back(
        {.name = fresh(StrCat("ck", schema.clustering.size())), .type = type});
  }
  for (const auto* columns :
       {&schema.partition_key, &schema.clustering, &schema.statics, &schema.regulars}) {
    CollectUserTypes(*columns, schema.user_types);
  }
  return schema;
}

Status CheckLayout(const TableSchema& schema, const Layout& layout, std::string_view files) {
  auto const differs = [&](std::string_view what, const Type& found, const Type& expected) {
    auto const name = [](const Type& type) {
      return StrCat(CqlName(type), type.reversed ? " in descending order" : "");
    };
    return Status::FailedPrecondition(StrCat(files, ": ", what, " has type ", name(found), ", but ",
                                             name(expected), " in the schema of ",
                                             schema.QualifiedName()))
        .WithHint("the schema belongs to another table or another time");
  };
  TypeRef const key_type = schema.PartitionKeyType();
  if (!CanReadAs(*layout.key_type, *key_type)) {
    return differs("the partition key", *layout.key_type, *key_type);
  }
  const std::vector<TypeRef>& clustering = layout.clustering.types();
  if (clustering.size() != schema.clustering.size()) {
    return Status::FailedPrecondition(StrCat(files, ": there are ", clustering.size(),
                                             " clustering columns, but ", schema.clustering.size(),
                                             " in the schema of ", schema.QualifiedName()));
  }
  for (size_t index = 0; index < clustering.size(); ++index) {
    const SchemaColumn& column = schema.clustering[index];
    if (!CanReadAs(*clustering[index], *column.type)) {
      return differs(StrCat("the clustering column ", column.name), *clustering[index],
                     *column.type);
    }
  }
  for (bool const is_static : {true, false}) {
    for (const Column& column : layout.columns(is_static)) {
      std::optional<TableSchema::Found> const found = schema.Find(column.name);
      ColumnRole const role = is_static ? ColumnRole::kStatic : ColumnRole::kRegular;
      if (found.has_value() && found->role == role &&
          CanReadAs(*column.type, *found->column->type)) {
        continue;
      }
      bool const was_dropped = std::any_of(
          schema.dropped.begin(), schema.dropped.end(),
          [&](const SchemaDroppedColumn& dropped) { return dropped.name == column.name; });
      if (found.has_value() && !was_dropped) {
        return differs(StrCat("the column ", column.name), *column.type, *found->column->type);
      }
    }
  }
  return Status::Ok();
}

Result<const TableSchema*> PickTable(std::span<const TableSchema> tables, std::string_view name) {
  std::vector<const TableSchema*> matches;
  std::string there_are;
  for (const TableSchema& table : tables) {
    there_are += StrCat(there_are.empty() ? "" : ", ", table.QualifiedName());
    if (name.empty() || name == table.table || name == StrCat(table.keyspace, ".", table.table)) {
      matches.push_back(&table);
    }
  }
  if (matches.size() == 1) {
    return matches[0];
  }
  std::string const hint =
      tables.empty() ? "the schema has no CREATE TABLE" : StrCat("the schema has ", there_are);
  if (matches.empty()) {
    return Status::NotFound(name.empty() ? "the schema defines no table"
                                         : StrCat("table ", name, " does not exist"))
        .WithHint(hint);
  }
  return Status::InvalidArgument(StrCat("the schema has ", matches.size(), " tables",
                                        name.empty() ? "" : StrCat(" called ", name)))
      .WithHint(StrCat(hint, ": say which"));
}

}  // namespace orochi::sstable
