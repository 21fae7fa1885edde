#include "sstable/format/layout.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/types/java_type.h"

namespace orochi::sstable {

namespace {

Result<std::vector<Column>> ColumnsOf(const std::vector<SerializationHeader::Column>& stored,
                                      std::string_view kind) {
  std::vector<Column> columns;
  columns.reserve(stored.size());
  for (const auto& [name, class_name] : stored) {
    Result<TypeRef> type = ParseJavaType(class_name);
    if (!type.ok()) {
      return std::move(type).status().WithContext(StrCat(kind, " column '", name, "'"));
    }
    columns.push_back(Column::Of(name, *std::move(type)));
  }
  std::sort(columns.begin(), columns.end(), ColumnComesBefore);
  for (size_t index = 1; index < columns.size(); ++index) {
    if (columns[index].name == columns[index - 1].name) {
      return Status::Corruption(StrCat(kind, " column '", columns[index].name, "' occurs twice"));
    }
  }
  return columns;
}

}  // namespace

Column Column::Of(std::string name, TypeRef type) {
  Column column;
  column.is_complex = type->multi_cell();
  std::optional<uint32_t> const fixed = FixedLengthBytes(*type);
  if (fixed.has_value() && !column.is_complex) {
    column.fixed_size_bytes = static_cast<int32_t>(*fixed);
  }
  column.name = std::move(name);
  column.type = std::move(type);
  return column;
}

bool ColumnNameComesBefore(std::string_view a, std::string_view b) {
  // Cassandra compares a prefix with its first bit flipped as if it were not: names that start with
  // a byte of 0x80 or more (any letter outside ASCII) come first.
  auto const starts_high = [](std::string_view name) {
    return !name.empty() && (static_cast<unsigned char>(name.front()) & 0x80) != 0;
  };
  bool const a_is_high = starts_high(a);
  return a_is_high != starts_high(b) ? a_is_high : a < b;
}

bool ColumnComesBefore(const Column& a, const Column& b) {
  return a.is_complex != b.is_complex ? b.is_complex : ColumnNameComesBefore(a.name, b.name);
}

Result<Layout> Layout::FromStatistics(const Statistics& statistics) {
  Layout layout;
  ASSIGN_OR_RETURN(layout.partitioner, ParsePartitioner(statistics.validation.partitioner));
  const SerializationHeader& header = statistics.header;
  Result<TypeRef> key_type = ParseJavaType(header.key_type);
  if (!key_type.ok()) {
    return std::move(key_type).status().WithContext("partition key type");
  }
  layout.key_type = *std::move(key_type);
  std::vector<TypeRef> clustering;
  for (const std::string& class_name : header.clustering_types) {
    Result<TypeRef> type = ParseJavaType(class_name);
    if (!type.ok()) {
      return std::move(type).status().WithContext(
          StrCat("type of clustering column ", clustering.size()));
    }
    clustering.push_back(*std::move(type));
  }
  layout.clustering = ClusteringFormat(std::move(clustering));
  ASSIGN_OR_RETURN(layout.statics, ColumnsOf(header.statics, "static"));
  ASSIGN_OR_RETURN(layout.regulars, ColumnsOf(header.regulars, "regular"));
  return layout;
}

}  // namespace orochi::sstable
