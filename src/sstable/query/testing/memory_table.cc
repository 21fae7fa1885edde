#include "sstable/query/testing/memory_table.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/cql/bind.h"
#include "sstable/types/elements.h"

namespace orochi::sstable::testing {

namespace {

std::vector<ClusteringValue> Views(const std::vector<std::string>& values) {
  std::vector<ClusteringValue> views;
  for (const std::string& value : values) {
    views.push_back({.bytes = AsBytes(value)});
  }
  return views;
}

}  // namespace

/// Walks chosen partitions of a MemoryTable.
class MemoryStream final : public UnfilteredStream {
 public:
  MemoryStream(const MemoryTable& table, std::vector<const MemoryTable::Partition*> partitions,
               RowSelection selection)
      : table_(table), partitions_(std::move(partitions)), selection_(std::move(selection)) {}

  const Layout& layout() const override { return table_.layout_; }

  Result<bool> NextPartition() override {
    if (next_partition_ >= partitions_.size()) {
      return false;
    }
    partition_ = partitions_[next_partition_++];
    partition_view_ = PartitionView();
    partition_view_.key = AsBytes(partition_->key);
    static_row_ = Unfiltered();
    static_row_.clustering.kind = ClusteringKind::kStatic;
    Fill(partition_->statics, static_row_, static_cells_, static_complex_);
    rows_.clear();
    for (const MemoryTable::Row& row : partition_->rows) {
      if (Selected(row)) {
        rows_.push_back(&row);
      }
    }
    if (selection_.reversed) {
      std::reverse(rows_.begin(), rows_.end());
    }
    next_row_ = 0;
    return true;
  }
  const PartitionView& partition() const override { return partition_view_; }
  const Unfiltered& static_row() const override { return static_row_; }

  Result<bool> Next() override {
    if (next_row_ >= rows_.size()) {
      return false;
    }
    const MemoryTable::Row& row = *rows_[next_row_++];
    clustering_ = Views(row.clustering);
    row_ = Unfiltered();
    row_.clustering.values = clustering_;
    row_.liveness.timestamp = row.timestamp;
    Fill(row.cells, row_, cells_, complex_);
    return true;
  }
  const Unfiltered& current() const override { return row_; }

 private:
  bool Selected(const MemoryTable::Row& row) const {
    std::vector<ClusteringValue> const values = Views(row.clustering);
    ClusteringView const view{.kind = ClusteringKind::kClustering, .values = values};
    const ClusteringFormat& format = table_.layout_.clustering;
    return selection_.all_rows() ||
           std::any_of(selection_.slices.begin(), selection_.slices.end(),
                       [&](const ClusteringSlice& slice) {
                         return format.Compare(slice.start.view(), view) < 0 &&
                                format.Compare(view, slice.end.view()) < 0;
                       });
  }

  void Fill(const MemoryTable::Cells& from, Unfiltered& row, std::vector<CellView>& cells,
            std::vector<ComplexColumnView>& complex) const {
    cells.clear();
    complex.clear();
    for (const auto& [column, values] : from) {
      bool const is_complex = table_.layout_.columns(row.is_static())[column].is_complex;
      auto const begin = static_cast<uint32_t>(cells.size());
      for (const MemoryTable::Cell& cell : values) {
        cells.push_back({.column_index = column,
                         .ttl = cell.ttl,
                         .timestamp = cell.timestamp,
                         .local_deletion_time = cell.expires_s,
                         .path = AsBytes(cell.path),
                         .value = AsBytes(cell.value)});
      }
      if (is_complex) {
        complex.push_back({.column_index = column,
                           .deletion = {},
                           .cell_begin = begin,
                           .cell_end = static_cast<uint32_t>(cells.size())});
      }
    }
    row.cells = cells;
    row.complex_columns = complex;
  }

  const MemoryTable& table_;
  std::vector<const MemoryTable::Partition*> partitions_;
  RowSelection selection_;
  size_t next_partition_ = 0;
  const MemoryTable::Partition* partition_ = nullptr;
  PartitionView partition_view_;
  Unfiltered static_row_;
  std::vector<CellView> static_cells_;
  std::vector<ComplexColumnView> static_complex_;
  std::vector<const MemoryTable::Row*> rows_;
  size_t next_row_ = 0;
  std::vector<ClusteringValue> clustering_;
  Unfiltered row_;
  std::vector<CellView> cells_;
  std::vector<ComplexColumnView> complex_;
};

MemoryTable::MemoryTable(const TableSchema& schema, Partitioner partitioner)
    : schema_(schema), layout_(LayoutOf(schema, partitioner)) {}

MemoryTable::Partition& MemoryTable::PartitionOf(const std::string& key) {
  auto const at = std::find_if(partitions_.begin(), partitions_.end(), [&](const Partition& p) {
    return layout_.CompareKeys(AsBytes(p.key), AsBytes(key)) >= 0;
  });
  if (at != partitions_.end() && at->key == key) {
    return *at;
  }
  return *partitions_.insert(at, Partition{.key = key, .statics = {}, .rows = {}});
}

int MemoryTable::CompareClustering(const std::vector<std::string>& a,
                                   const std::vector<std::string>& b) const {
  std::vector<ClusteringValue> const left = Views(a);
  std::vector<ClusteringValue> const right = Views(b);
  return layout_.clustering.Compare({.kind = ClusteringKind::kClustering, .values = left},
                                    {.kind = ClusteringKind::kClustering, .values = right});
}

MemoryTable::Row& MemoryTable::RowOf(Partition& partition,
                                     const std::vector<std::string>& clustering) {
  auto const at = std::find_if(partition.rows.begin(), partition.rows.end(), [&](const Row& row) {
    return CompareClustering(row.clustering, clustering) >= 0;
  });
  if (at != partition.rows.end() && CompareClustering(at->clustering, clustering) == 0) {
    return *at;
  }
  return *partition.rows.insert(at, Row{.clustering = clustering, .timestamp = 0, .cells = {}});
}

Status MemoryTable::Insert(const cql::Insert& insert, int64_t now_s) {
  Cell common;
  if (insert.using_clause.timestamp.has_value()) {
    ASSIGN_OR_RETURN(common.timestamp, cql::BindInteger(*insert.using_clause.timestamp, "ts"));
  }
  if (insert.using_clause.ttl.has_value()) {
    ASSIGN_OR_RETURN(int64_t const ttl, cql::BindInteger(*insert.using_clause.ttl, "ttl"));
    common.ttl = static_cast<int32_t>(ttl);
    common.expires_s = static_cast<uint32_t>(now_s + ttl);
  }
  std::vector<std::string> key(schema_.partition_key.size());
  std::vector<std::string> clustering;
  Cells statics;
  Cells regulars;
  for (size_t index = 0; index < insert.columns.size(); ++index) {
    std::optional<TableSchema::Found> const found = schema_.Find(insert.columns[index]);
    if (!found.has_value()) {
      return Status::InvalidArgument("no column " + insert.columns[index]);
    }
    const Type& type = *found->column->type;
    ASSIGN_OR_RETURN(std::optional<std::string> const value,
                     cql::BindTerm(insert.values[index], type, insert.columns[index]));
    if (!value.has_value()) {
      continue;
    }
    if (found->role == ColumnRole::kPartitionKey) {
      key[found->index] = *value;
      continue;
    }
    if (found->role == ColumnRole::kClustering) {
      clustering.resize(std::max(clustering.size(), found->index + 1));
      clustering[found->index] = *value;
      continue;
    }
    bool const is_static = found->role == ColumnRole::kStatic;
    std::vector<Cell>& cells =
        (is_static ? statics : regulars)[static_cast<uint32_t>(found->index)];
    if (!type.multi_cell()) {
      cells.push_back(common);
      cells.back().value = *value;
      continue;
    }
    ElementReader reader(type, AsBytes(*value));
    for (uint16_t number = 0;; ++number) {
      auto const element = reader.Next();
      if (!element.has_value()) {
        break;
      }
      if (element->is_null) {
        continue;
      }
      Cell cell = common;
      if (type.kind == TypeKind::kMap) {
        cell.path = AsText(element->bytes);
        cell.value = AsText(reader.Next()->bytes);
      } else if (type.kind == TypeKind::kSet) {
        cell.path = AsText(element->bytes);
      } else {
        AppendBigEndian(cell.path, number);
        cell.value = AsText(element->bytes);
      }
      cells.push_back(std::move(cell));
    }
  }
  ASSIGN_OR_RETURN(std::string const whole_key, MakePartitionKey(key));
  Partition& partition = PartitionOf(whole_key);
  for (auto& [column, cells] : statics) {
    partition.statics[column] = std::move(cells);
  }
  if (clustering.size() == schema_.clustering.size()) {
    Row& row = RowOf(partition, clustering);
    row.timestamp = common.timestamp;
    for (auto& [column, cells] : regulars) {
      row.cells[column] = std::move(cells);
    }
  }
  return Status::Ok();
}

Result<std::unique_ptr<UnfilteredStream>> MemoryTable::Lookup(Bytes key,
                                                              const RowSelection& selection) {
  ++statistics_.lookups;
  std::vector<const Partition*> chosen;
  for (const Partition& partition : partitions_) {
    if (partition.key == AsText(key)) {
      chosen.push_back(&partition);
    }
  }
  return std::make_unique<MemoryStream>(*this, std::move(chosen), selection);
}

Result<std::unique_ptr<UnfilteredStream>> MemoryTable::Scan(const PartitionRange& range,
                                                            const RowSelection& selection) {
  ++statistics_.scans;
  std::vector<const Partition*> chosen;
  for (const Partition& partition : partitions_) {
    Bytes const key = AsBytes(partition.key);
    Token const token = TokenOf(layout_.partitioner, key);
    if ((!range.start.has_value() || !IsBefore(layout_, token, key, *range.start)) &&
        (!range.end.has_value() || !IsAfter(layout_, token, key, *range.end))) {
      chosen.push_back(&partition);
    }
  }
  return std::make_unique<MemoryStream>(*this, std::move(chosen), selection);
}

}  // namespace orochi::sstable::testing
