#include "sstable/change/change_buffer.h"

#include <algorithm>
#include <utility>

#include "sstable/types/compare.h"

namespace orochi::sstable {

namespace {

/// A row, or one end of a range, of one layer.
struct Item {
  ClusteringView position;
  const ChangeRow* row = nullptr;      // or
  const DeleteRange* range = nullptr;  // whose start or end this is
};

struct LayerPartition {
  const std::string* key = nullptr;
  DeletionTime deletion;
  const ChangeRow* static_row = nullptr;
  std::vector<Item> items;
};

using Layer = std::vector<LayerPartition>;

class LayerStream final : public UnfilteredStream {
 public:
  LayerStream(const Layout& layout, Layer layer) : layout_(layout), layer_(std::move(layer)) {
    static_row_.clustering.kind = ClusteringKind::kStatic;
  }

  const Layout& layout() const override { return layout_; }
  const PartitionView& partition() const override { return partition_; }
  const Unfiltered& static_row() const override { return static_row_; }
  const Unfiltered& current() const override { return current_; }

  Result<bool> NextPartition() override {
    if (next_partition_ == layer_.size()) {
      return false;
    }
    const LayerPartition& partition = layer_[next_partition_++];
    partition_ = {.key = AsBytes(*partition.key), .deletion = partition.deletion};
    static_row_ = {};
    static_row_.clustering.kind = ClusteringKind::kStatic;
    if (partition.static_row != nullptr) {
      Show(*partition.static_row, static_row_, static_cells_, static_complex_);
    }
    next_item_ = 0;
    return true;
  }

  Result<bool> Next() override {
    const LayerPartition& partition = layer_[next_partition_ - 1];
    if (next_item_ == partition.items.size()) {
      return false;
    }
    const Item& item = partition.items[next_item_++];
    current_ = {};
    current_.clustering = item.position;
    if (item.row != nullptr) {
      Show(*item.row, current_, cells_, complex_);
      return true;
    }
    current_.kind = Unfiltered::Kind::kMarker;
    (OpensDeletion(item.position.kind) ? current_.open : current_.close) = item.range->deletion;
    return true;
  }

 private:
  static void Show(const ChangeRow& row, Unfiltered& out, std::vector<CellView>& cells,
                   std::vector<ComplexColumnView>& complex_columns) {
    cells.clear();
    complex_columns.clear();
    auto const add = [&cells](const ChangeRow::Cell& cell) {
      cells.push_back(cell.view);
      cells.back().path = AsBytes(cell.path);
      cells.back().value = AsBytes(cell.value);
    };
    std::for_each(row.simple_cells.begin(), row.simple_cells.end(), add);
    for (const ChangeRow::ComplexColumn& column : row.complex_columns) {
      auto const begin = static_cast<uint32_t>(cells.size());
      std::for_each(column.cells.begin(), column.cells.end(), add);
      complex_columns.push_back({.column_index = column.column_index,
                                 .deletion = column.deletion,
                                 .cell_begin = begin,
                                 .cell_end = static_cast<uint32_t>(cells.size())});
    }
    out.liveness = row.liveness;
    out.deletion = row.deletion;
    out.cells = cells;
    out.complex_columns = complex_columns;
  }

  const Layout& layout_;
  Layer layer_;
  size_t next_partition_ = 0;
  size_t next_item_ = 0;
  PartitionView partition_;
  Unfiltered static_row_;
  Unfiltered current_;
  std::vector<CellView> cells_;
  std::vector<ComplexColumnView> complex_;
  std::vector<CellView> static_cells_;
  std::vector<ComplexColumnView> static_complex_;
};

/// Deals the changes of one partition out to layers, so that in each layer places differ and ranges
/// do not touch.
class PartitionLayers {
 public:
  PartitionLayers(const Layout& layout, std::vector<Layer>& layers)
      : layout_(layout), layers_(layers) {}

  void Start(const std::string& key) {
    key_ = &key;
    static_count_ = 0;
    range_ends_.clear();
    rows_.clear();
    ranges_.clear();
    used_ = 0;
  }

  void Add(const RowChange& change) {
    if (auto const* const partition = std::get_if<DeletePartition>(&change.what)) {
      DeletionTime& deletion = At(0).deletion;
      deletion = deletion.live() || partition->deletion.Supersedes(deletion) ? partition->deletion
                                                                             : deletion;
    } else if (auto const* const range = std::get_if<DeleteRange>(&change.what)) {
      ranges_.push_back(range);
    } else if (auto const* const row = std::get_if<ChangeRow>(&change.what)) {
      if (row->is_static) {
        At(static_count_++).static_row = row;
      } else {
        rows_.push_back(row);
      }
    }
  }

  void Finish() {
    auto const before = [this](const ClusteringView& a, const ClusteringView& b) {
      return layout_.clustering.Compare(a, b) < 0;
    };
    std::stable_sort(rows_.begin(), rows_.end(), [&](const ChangeRow* a, const ChangeRow* b) {
      return before(a->clustering.view(), b->clustering.view());
    });
    size_t repeated = 0;
    for (size_t index = 0; index < rows_.size(); ++index) {
      bool const same = index > 0 && !before(rows_[index - 1]->clustering.view(),
                                             rows_[index]->clustering.view());
      repeated = same ? repeated + 1 : 0;
      At(repeated).items.push_back(
          {.position = rows_[index]->clustering.view(), .row = rows_[index]});
    }
    std::stable_sort(ranges_.begin(), ranges_.end(),
                     [&](const DeleteRange* a, const DeleteRange* b) {
                       return before(a->start.view(), b->start.view());
                     });
    for (const DeleteRange* const range : ranges_) {
      size_t layer = 0;
      while (layer < range_ends_.size() &&
             !before(range_ends_[layer]->end.view(), range->start.view())) {
        ++layer;
      }
      range_ends_.resize(std::max(range_ends_.size(), layer + 1));
      range_ends_[layer] = range;
      std::vector<Item>& items = At(layer).items;
      items.push_back({.position = range->start.view(), .range = range});
      items.push_back({.position = range->end.view(), .range = range});
    }
    for (size_t layer = 0; layer < used_; ++layer) {
      std::vector<Item>& items = layers_[layer].back().items;
      std::stable_sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
        return before(a.position, b.position);
      });
    }
  }

 private:
  // The partition in the layer; used layers are the first ones without a gap.
  LayerPartition& At(size_t layer) {
    while (used_ <= layer) {
      if (layers_.size() <= used_) {
        layers_.emplace_back();
      }
      layers_[used_].emplace_back().key = key_;
      ++used_;
    }
    return layers_[layer].back();
  }

  const Layout& layout_;
  std::vector<Layer>& layers_;
  const std::string* key_ = nullptr;
  size_t used_ = 0;
  size_t static_count_ = 0;
  std::vector<const DeleteRange*> range_ends_;  // the last range of each layer
  std::vector<const ChangeRow*> rows_;
  std::vector<const DeleteRange*> ranges_;
};

/// How the paths of a column's cells compare.
int ComparePaths(const Type& type, const std::string& a, const std::string& b) {
  switch (type.kind) {
    case TypeKind::kSet:
    case TypeKind::kMap:
      return CompareValues(type.element(), AsBytes(a), AsBytes(b));
    case TypeKind::kList:
      return CompareValues(*SimpleType(TypeKind::kTimeuuid), AsBytes(a), AsBytes(b));
    default:
      return CompareUnsigned(AsBytes(a), AsBytes(b));  // u16 field indexes
  }
}

// Sorts by `compare`; of equal ones the last stays.
template <class T, class Compare>
void SortKeepingLast(std::vector<T>& items, Compare compare) {
  std::stable_sort(items.begin(), items.end(),
                   [&](const T& a, const T& b) { return compare(a, b) < 0; });
  size_t kept = 0;
  for (size_t index = 0; index < items.size(); ++index) {
    if (kept > 0 && compare(items[kept - 1], items[index]) == 0) {
      --kept;
    }
    if (kept != index) {
      items[kept] = std::move(items[index]);
    }
    ++kept;
  }
  items.resize(kept);
}

uint64_t SizeOf(const std::vector<ChangeRow::Cell>& cells) {
  uint64_t size_bytes = cells.capacity() * sizeof(ChangeRow::Cell);
  for (const ChangeRow::Cell& cell : cells) {
    size_bytes += cell.path.size() + cell.value.size();
  }
  return size_bytes;
}

uint64_t SizeOf(const RowChange& change) {
  // Clusterings and their vectors are small beside this.
  constexpr uint64_t kOverheadBytes = 200;
  uint64_t size_bytes = sizeof(RowChange) + change.key.size() + kOverheadBytes;
  if (auto const* const row = std::get_if<ChangeRow>(&change.what)) {
    size_bytes += SizeOf(row->simple_cells);
    for (const ChangeRow::ComplexColumn& column : row->complex_columns) {
      size_bytes += sizeof(column) + SizeOf(column.cells);
    }
    for (const ClusteringValue& value : row->clustering.view().values) {
      size_bytes += value.bytes.size();
    }
  }
  return size_bytes;
}

}  // namespace

void ChangeBuffer::SortCells(ChangeRow& row) const {
  SortKeepingLast(row.simple_cells, [](const ChangeRow::Cell& a, const ChangeRow::Cell& b) {
    return static_cast<int64_t>(a.view.column_index) - static_cast<int64_t>(b.view.column_index);
  });
  std::stable_sort(row.complex_columns.begin(), row.complex_columns.end(),
                   [](const ChangeRow::ComplexColumn& a, const ChangeRow::ComplexColumn& b) {
                     return a.column_index < b.column_index;
                   });
  // SET s = s + {1}, s = s - {2} makes two entries of one column.
  std::vector<ChangeRow::ComplexColumn> joined;
  for (ChangeRow::ComplexColumn& column : row.complex_columns) {
    if (joined.empty() || joined.back().column_index != column.column_index) {
      joined.push_back(std::move(column));
      continue;
    }
    if (column.deletion.Supersedes(joined.back().deletion)) {
      joined.back().deletion = column.deletion;
    }
    std::move(column.cells.begin(), column.cells.end(), std::back_inserter(joined.back().cells));
  }
  row.complex_columns = std::move(joined);
  const std::vector<Column>& columns = layout_.columns(row.is_static);
  for (ChangeRow::ComplexColumn& column : row.complex_columns) {
    const Type& type = *columns[column.column_index].type;
    SortKeepingLast(column.cells, [&type](const ChangeRow::Cell& a, const ChangeRow::Cell& b) {
      return ComparePaths(type, a.path, b.path);
    });
  }
}

void ChangeBuffer::Add(RowChange change) {
  if (auto* const row = std::get_if<ChangeRow>(&change.what)) {
    SortCells(*row);
  }
  size_bytes_ += SizeOf(change);
  Token const token = TokenOf(layout_.partitioner, AsBytes(change.key));
  changes_.push_back({token, std::move(change)});
}

std::vector<std::unique_ptr<UnfilteredStream>> ChangeBuffer::Streams() {
  auto const compare = [this](const Entry& a, const Entry& b) {
    return CompareKeys(layout_.partitioner, *layout_.key_type, a.token, AsBytes(a.change.key),
                       b.token, AsBytes(b.change.key));
  };
  std::stable_sort(changes_.begin(), changes_.end(),
                   [&](const Entry& a, const Entry& b) { return compare(a, b) < 0; });
  std::vector<Layer> layers;
  PartitionLayers partition(layout_, layers);
  for (size_t index = 0; index < changes_.size(); ++index) {
    if (index == 0 || compare(changes_[index - 1], changes_[index]) != 0) {
      if (index > 0) {
        partition.Finish();
      }
      partition.Start(changes_[index].change.key);
    }
    partition.Add(changes_[index].change);
  }
  if (!changes_.empty()) {
    partition.Finish();
  }
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  for (Layer& layer : layers) {
    streams.push_back(std::make_unique<LayerStream>(layout_, std::move(layer)));
  }
  return streams;
}

void ChangeBuffer::Clear() {
  changes_.clear();
  size_bytes_ = 0;
}

}  // namespace orochi::sstable
