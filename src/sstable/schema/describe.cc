// DescribeTable: a schema as CQL.
#include "base/str_cat.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

namespace {

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (char const c : text) {
    out += c;
    if (c == '\'') {
      out += c;
    }
  }
  return out + "'";
}

std::string JoinNames(const std::vector<SchemaColumn>& columns) {
  std::string out;
  for (const SchemaColumn& column : columns) {
    out += StrCat(out.empty() ? "" : ", ", QuoteIdentifier(column.name));
  }
  return out;
}

std::string MapText(const std::map<std::string, std::string>& map) {
  std::string out;
  for (const auto& [name, value] : map) {
    out += StrCat(out.empty() ? "" : ", ", Quoted(name), ": ", Quoted(value));
  }
  return StrCat("{", out, "}");
}

/// A type and before it, once each, those it is made of.
void AppendType(const Type& type, std::string_view keyspace, std::vector<std::string>& done,
                std::string& out) {
  for (const TypeRef& parameter : type.parameters) {
    AppendType(*parameter, keyspace, done, out);
  }
  if (type.kind != TypeKind::kUdt) {
    return;
  }
  for (const std::string& name : done) {
    if (name == type.name) {
      return;
    }
  }
  done.push_back(type.name);
  out += StrCat("CREATE TYPE ", keyspace.empty() ? "" : StrCat(QuoteIdentifier(keyspace), "."),
                QuoteIdentifier(type.name), " (\n");
  for (size_t index = 0; index < type.parameters.size(); ++index) {
    out +=
        StrCat("    ", QuoteIdentifier(type.field_names[index]), " ",
               CqlName(*type.parameters[index]), index + 1 < type.parameters.size() ? ",\n" : "\n");
  }
  out += ");\n\n";
}

std::string PrimaryKeyText(const TableSchema& schema) {
  std::string const partition = JoinNames(schema.partition_key);
  std::string out = schema.partition_key.size() > 1 ? StrCat("(", partition, ")") : partition;
  if (!schema.clustering.empty()) {
    out += StrCat(", ", JoinNames(schema.clustering));
  }
  return out;
}

std::string ClusteringOrderText(const TableSchema& schema) {
  std::string out;
  for (const SchemaColumn& column : schema.clustering) {
    out += StrCat(out.empty() ? "" : ", ", QuoteIdentifier(column.name),
                  column.type->reversed ? " DESC" : " ASC");
  }
  return out;
}

std::string OptionsText(const TableSchema& schema) {
  const TableOptions& options = schema.options;
  TableOptions const defaults;
  std::vector<std::string> parts;
  if (!schema.clustering.empty()) {
    parts.push_back(StrCat("CLUSTERING ORDER BY (", ClusteringOrderText(schema), ")"));
  }
  if (options.bloom_fp_chance != defaults.bloom_fp_chance) {
    parts.push_back(StrCat("bloom_filter_fp_chance = ", options.bloom_fp_chance));
  }
  if (!options.comment.empty()) {
    parts.push_back(StrCat("comment = ", Quoted(options.comment)));
  }
  if (!options.compaction.empty()) {
    parts.push_back(StrCat("compaction = ", MapText(options.compaction)));
  }
  if (options.compression != defaults.compression) {
    parts.push_back(StrCat("compression = ", options.compression.empty()
                                                 ? "{'enabled': 'false'}"
                                                 : MapText(options.compression)));
  }
  if (options.default_ttl_s != defaults.default_ttl_s) {
    parts.push_back(StrCat("default_time_to_live = ", options.default_ttl_s));
  }
  if (options.gc_grace_s != defaults.gc_grace_s) {
    parts.push_back(StrCat("gc_grace_seconds = ", options.gc_grace_s));
  }
  if (options.min_index_interval != defaults.min_index_interval) {
    parts.push_back(StrCat("min_index_interval = ", options.min_index_interval));
  }
  std::string out;
  for (const std::string& part : parts) {
    out += StrCat(out.empty() ? " WITH " : "\n    AND ", part);
  }
  return out;
}

}  // namespace

std::string DescribeTable(const TableSchema& schema) {
  std::string out;
  std::vector<std::string> done;
  for (const auto* columns :
       {&schema.partition_key, &schema.clustering, &schema.statics, &schema.regulars}) {
    for (const SchemaColumn& column : *columns) {
      AppendType(*column.type, schema.keyspace, done, out);
    }
  }
  if (schema.key_names_are_generated) {
    out += "-- The files do not hold the names of key columns: these are made up.\n";
  }
  out += StrCat("CREATE TABLE ", schema.QualifiedName(), " (\n");
  auto const add = [&](std::string_view name, const Type& type, bool is_static) {
    out += StrCat("    ", QuoteIdentifier(name), " ", CqlName(type), is_static ? " static" : "",
                  ",\n");
  };
  for (const auto* columns : {&schema.partition_key, &schema.clustering}) {
    for (const SchemaColumn& column : *columns) {
      add(column.name, *column.type, false);
    }
  }
  for (const SchemaColumn& column : schema.statics) {
    add(column.name, *column.type, true);
  }
  for (const SchemaColumn& column : schema.regulars) {
    add(column.name, *column.type, false);
  }
  for (const SchemaDroppedColumn& column : schema.dropped) {
    if (!schema.Find(column.name).has_value()) {
      add(column.name, *column.type, column.is_static);
    }
  }
  out += StrCat("    PRIMARY KEY (", PrimaryKeyText(schema), ")\n)", OptionsText(schema), ";\n");
  for (const SchemaDroppedColumn& column : schema.dropped) {
    bool const added_again = schema.Find(column.name).has_value();
    std::string const alter = StrCat("ALTER TABLE ", schema.QualifiedName());
    out += StrCat("\n", alter, " DROP ", QuoteIdentifier(column.name));
    if (column.dropped_at_micros != INT64_MAX) {
      out += StrCat(" USING TIMESTAMP ", column.dropped_at_micros);
    }
    out += ";\n";
    if (added_again) {
      out += StrCat("\n", alter, " ADD ", QuoteIdentifier(column.name), " ",
                    CqlName(*schema.Find(column.name)->column->type),
                    column.is_static ? " static" : "", ";\n");
    }
  }
  return out;
}

}  // namespace orochi::sstable
