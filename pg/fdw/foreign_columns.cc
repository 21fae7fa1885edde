#include "pg/fdw/foreign_columns.h"

#include "base/str_cat.h"

namespace orochi::pg {
namespace {

using sstable::cql::Selector;

std::string NamesOf(const sstable::TableSchema& schema) {
  std::string names;
  for (const auto* group :
       {&schema.partition_key, &schema.clustering, &schema.statics, &schema.regulars}) {
    for (const sstable::SchemaColumn& column : *group) {
      names += StrCat(names.empty() ? "" : ", ", column.name);
    }
  }
  return names;
}

Selector ColumnSelector(const std::string& name) {
  Selector selector;
  selector.kind = Selector::Kind::kColumn;
  selector.name = name;
  selector.text = name;
  return selector;
}

}  // namespace

Result<std::vector<ForeignColumn>> MatchColumns(Oid foreign_table, TupleDesc descriptor,
                                                const sstable::TableSchema& schema) {
  std::vector<ForeignColumn> columns;
  for (int index = 0; index < descriptor->natts; ++index) {
    Form_pg_attribute const attribute = TupleDescAttr(descriptor, index);
    if (attribute->attisdropped) {
      continue;
    }
    ForeignColumn column{.number = attribute->attnum,
                         .name = NameStr(attribute->attname),
                         .pg_type = attribute->atttypid,
                         .type_modifier = attribute->atttypmod,
                         .source = {},
                         .column = {}};
    column.source = ReadColumnSource(foreign_table, column.number, column.name.c_str());
    if (column.source.kind != ColumnSource::Kind::kToken) {
      auto found = sstable::FindColumn(schema, column.source.name);
      if (!found.ok()) {
        return Status::NotFound(StrCat("column \"", column.name, "\": the Cassandra table ",
                                       schema.QualifiedName(), " has no column ",
                                       column.source.name))
            .WithHint(
                StrCat("It has: ", NamesOf(schema), ". The column option column_name names one."));
      }
      column.column = *std::move(found);
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

Selector SelectorOf(const ForeignColumn& column, const sstable::TableSchema& schema) {
  if (column.source.kind == ColumnSource::Kind::kValue) {
    return ColumnSelector(column.source.name);
  }
  Selector call;
  call.kind = Selector::Kind::kFunction;
  call.name = column.source.kind == ColumnSource::Kind::kWriteTime ? "writetime"
              : column.source.kind == ColumnSource::Kind::kTtl     ? "ttl"
                                                                   : "token";
  call.text = call.name;
  if (column.source.kind != ColumnSource::Kind::kToken) {
    call.arguments.push_back(ColumnSelector(column.source.name));
    return call;
  }
  for (const sstable::SchemaColumn& key : schema.partition_key) {
    call.arguments.push_back(ColumnSelector(key.name));
  }
  return call;
}

}  // namespace orochi::pg
