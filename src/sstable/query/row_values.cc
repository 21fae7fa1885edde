#include "sstable/query/row_values.h"

#include "base/str_cat.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

namespace orochi::sstable {

namespace {

std::string Owned(Bytes bytes) {
  return std::string(AsText(bytes));
}

/// One value from the cells of a column, in the frozen form of its type.
Value AssembleCells(const Type& type, std::span<const CellView> cells) {
  if (cells.empty()) {
    return std::nullopt;
  }
  if (type.kind == TypeKind::kUdt) {
    std::vector<Value> fields(type.parameters.size());
    for (const CellView& cell : cells) {
      size_t const field =
          cell.path.size() == sizeof(uint16_t) ? LoadBigEndian<uint16_t>(cell.path) : SIZE_MAX;
      if (field < fields.size()) {
        fields[field] = Owned(cell.value);
      }
    }
    return BuildTuple(fields);
  }
  // Cells come in the order of their paths, which is that of the collection.
  std::string out;
  AppendBigEndian(out, static_cast<int32_t>(cells.size()));
  auto const append = [&](Bytes bytes) {
    AppendBigEndian(out, static_cast<int32_t>(bytes.size()));
    AppendBytes(out, bytes);
  };
  for (const CellView& cell : cells) {
    if (type.kind != TypeKind::kList) {
      append(cell.path);
    }
    if (type.kind != TypeKind::kSet) {
      append(cell.value);
    }
  }
  return out;
}

}  // namespace

Status RowValues::BindPartition(const PartitionView& partition, const Unfiltered& static_row) {
  key_ = partition.key;
  static_row_ = &static_row;
  row_ = nullptr;
  ASSIGN_OR_RETURN(key_values_, SplitPartitionKey(key_, schema_.partition_key.size()));
  return Status::Ok();
}

const Unfiltered* RowValues::RowOf(ColumnRole role) const {
  return role == ColumnRole::kStatic ? static_row_ : row_;
}

std::span<const CellView> RowValues::CellsOf(const ColumnRef& column) const {
  const Unfiltered* const row = RowOf(column.role);
  if (row == nullptr) {
    return {};
  }
  if (layout_.columns(column.role == ColumnRole::kStatic)[column.index].is_complex) {
    for (const ComplexColumnView& complex : row->complex_columns) {
      if (complex.column_index == column.index) {
        return row->cells.subspan(complex.cell_begin, complex.cell_end - complex.cell_begin);
      }
    }
    return {};
  }
  size_t const simple_count =
      row->complex_columns.empty() ? row->cells.size() : row->complex_columns[0].cell_begin;
  for (size_t index = 0; index < simple_count; ++index) {
    if (row->cells[index].column_index == column.index) {
      return row->cells.subspan(index, 1);
    }
  }
  return {};
}

Result<Value> RowValues::Get(const ColumnRef& column) const {
  switch (column.role) {
    case ColumnRole::kPartitionKey:
      return Value(Owned(key_values_[column.index]));
    case ColumnRole::kClustering:
      if (row_ == nullptr || column.index >= row_->clustering.values.size() ||
          row_->clustering.values[column.index].is_null) {
        return Value();
      }
      return Value(Owned(row_->clustering.values[column.index].bytes));
    case ColumnRole::kStatic:
    case ColumnRole::kRegular:
      break;
  }
  std::span<const CellView> const cells = CellsOf(column);
  const Column& stored = layout_.columns(column.role == ColumnRole::kStatic)[column.index];
  if (stored.is_complex) {
    return AssembleCells(*stored.type, cells);
  }
  if (cells.empty() || cells[0].tombstone()) {
    return Value();
  }
  if (stored.type->kind == TypeKind::kCounter) {
    ASSIGN_OR_RETURN(int64_t const total, CounterTotal(cells[0].value));
    std::string bytes;
    AppendBigEndian(bytes, total);
    return Value(std::move(bytes));
  }
  return Value(Owned(cells[0].value));
}

RowValues::CellTimes RowValues::TimesOf(const ColumnRef& column) const {
  CellTimes times;
  for (const CellView& cell : CellsOf(column)) {
    times.timestamps_us.push_back(cell.timestamp);
    Value expires;
    if (cell.expiring()) {
      expires.emplace();
      AppendBigEndian(*expires, static_cast<int64_t>(cell.local_deletion_time));
    }
    times.expires_s.push_back(std::move(expires));
  }
  return times;
}

Result<ColumnRef> FindColumn(const TableSchema& schema, std::string_view name) {
  std::optional<TableSchema::Found> const found = schema.Find(name);
  if (!found.has_value()) {
    return Status::InvalidArgument(StrCat("Undefined column name ", QuoteIdentifier(name),
                                          " in table ", schema.QualifiedName()));
  }
  TypeRef type = Unreversed(found->column->type);
  if (type->kind == TypeKind::kCounter) {
    type = SimpleType(TypeKind::kBigint);
  }
  return ColumnRef{
      .role = found->role, .index = found->index, .name = std::string(name), .type = Frozen(type)};
}

}  // namespace orochi::sstable
