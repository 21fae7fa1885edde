#include "sstable/query/row_values.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

namespace orochi::sstable {

namespace {

std::string Owned(Bytes bytes) {
  return std::string(AsText(bytes));
}

/// One value from the cells of a column, in the frozen form of its type, into `out`. False where no
/// cell has a value.
bool AssembleCells(const Type& type, std::span<const CellView> cells, std::string& out) {
  auto const live = std::count_if(cells.begin(), cells.end(),
                                  [](const CellView& cell) { return !cell.tombstone(); });
  if (live == 0) {
    return false;
  }
  if (type.kind == TypeKind::kUdt) {
    std::vector<Value> fields(type.parameters.size());
    for (const CellView& cell : cells) {
      size_t const field =
          cell.path.size() == sizeof(uint16_t) ? LoadBigEndian<uint16_t>(cell.path) : SIZE_MAX;
      if (field < fields.size() && !cell.tombstone()) {
        fields[field] = Owned(cell.value);
      }
    }
    out = BuildTuple(fields);
    return true;
  }
  // Cells come in the order of their paths, which is that of the collection.
  out.clear();
  AppendBigEndian(out, static_cast<int32_t>(live));
  auto const append = [&](Bytes bytes) {
    AppendBigEndian(out, static_cast<int32_t>(bytes.size()));
    AppendBytes(out, bytes);
  };
  for (const CellView& cell : cells) {
    if (cell.tombstone()) {
      continue;
    }
    if (type.kind != TypeKind::kList) {
      append(cell.path);
    }
    if (type.kind != TypeKind::kSet) {
      append(cell.value);
    }
  }
  return true;
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

const ComplexColumnView* RowValues::ComplexOf(const ColumnRef& column) const {
  const Unfiltered* const row = RowOf(column.role);
  if (row != nullptr) {
    for (const ComplexColumnView& complex : row->complex_columns) {
      if (complex.column_index == column.index) {
        return &complex;
      }
    }
  }
  return nullptr;
}

DeletionTime RowValues::DeletionOf(const ColumnRef& column) const {
  bool const is_static = column.role == ColumnRole::kStatic;
  if ((!is_static && column.role != ColumnRole::kRegular) ||
      !layout_.columns(is_static)[column.index].is_complex) {
    return {};
  }
  const ComplexColumnView* const complex = ComplexOf(column);
  return complex == nullptr ? DeletionTime() : complex->deletion;
}

std::span<const CellView> RowValues::Cells(const ColumnRef& column) const {
  const Unfiltered* const row = RowOf(column.role);
  if (row == nullptr) {
    return {};
  }
  if (layout_.columns(column.role == ColumnRole::kStatic)[column.index].is_complex) {
    const ComplexColumnView* const complex = ComplexOf(column);
    return complex == nullptr
               ? std::span<const CellView>()
               : row->cells.subspan(complex->cell_begin, complex->cell_end - complex->cell_begin);
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
  std::string scratch;
  ASSIGN_OR_RETURN(std::optional<Bytes> const view, View(column, scratch));
  if (!view.has_value()) {
    return Value();
  }
  bool const made = !scratch.empty() && AsText(*view).data() == scratch.data();
  return Value(made ? std::move(scratch) : Owned(*view));
}

Result<std::optional<Bytes>> RowValues::View(const ColumnRef& column, std::string& scratch) const {
  using View = std::optional<Bytes>;
  switch (column.role) {
    case ColumnRole::kPartitionKey:
      return View(key_values_[column.index]);
    case ColumnRole::kClustering:
      if (row_ == nullptr || column.index >= row_->clustering.values.size() ||
          row_->clustering.values[column.index].is_null) {
        return View();
      }
      return View(row_->clustering.values[column.index].bytes);
    case ColumnRole::kStatic:
    case ColumnRole::kRegular:
      break;
  }
  std::span<const CellView> const cells = Cells(column);
  const Column& stored = layout_.columns(column.role == ColumnRole::kStatic)[column.index];
  if (stored.is_complex) {
    return AssembleCells(*stored.type, cells, scratch) ? View(AsBytes(scratch)) : View();
  }
  if (cells.empty() || cells[0].tombstone()) {
    return View();
  }
  if (stored.type->kind == TypeKind::kCounter) {
    ASSIGN_OR_RETURN(int64_t const total, CounterTotal(cells[0].value));
    scratch.clear();
    AppendBigEndian(scratch, total);
    return View(AsBytes(scratch));
  }
  return View(cells[0].value);
}

RowValues::CellTimes RowValues::TimesOf(const ColumnRef& column) const {
  CellTimes times;
  for (const CellView& cell : Cells(column)) {
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
