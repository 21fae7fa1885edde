#include "sstable/read/internal/row_merger.h"

#include <algorithm>

#include "sstable/read/internal/cell_path.h"
#include "sstable/read/internal/counter_context.h"

namespace orochi::sstable::internal {

namespace {

bool LivenessSupersedes(const LivenessInfo& a, const LivenessInfo& b) {
  if (a.timestamp != b.timestamp) {
    return a.timestamp > b.timestamp;
  }
  if (a.expired_marker() != b.expired_marker()) {
    return a.expired_marker();
  }
  if (a.expiring() != b.expiring()) {
    return a.expiring();
  }
  return a.local_expiration_time > b.local_expiration_time;
}

// Of two cells that are not counters; ties end with the bytes, so that the order of files says
// nothing.
const CellView& LaterCell(const CellView& left, const CellView& right) {
  if (left.timestamp != right.timestamp) {
    return left.timestamp > right.timestamp ? left : right;
  }
  bool const left_dies = left.local_deletion_time != kNoDeletionTime;
  bool const right_dies = right.local_deletion_time != kNoDeletionTime;
  if (left_dies != right_dies) {
    return left_dies ? left : right;
  }
  if (left_dies) {
    if (left.expiring() != right.expiring()) {
      return left.expiring() ? right : left;
    }
    if (left.local_deletion_time != right.local_deletion_time) {
      return left.local_deletion_time > right.local_deletion_time ? left : right;
    }
  }
  return CompareUnsigned(left.value, right.value) >= 0 ? left : right;
}

}  // namespace

ColumnMap ColumnMap::Of(const std::vector<Column>& from, const std::vector<Column>& to) {
  ColumnMap map;
  map.is_identity = true;
  for (uint32_t index = 0; index < from.size(); ++index) {
    auto const found = std::find_if(to.begin(), to.end(), [&](const Column& column) {
      return column.name == from[index].name;
    });
    uint32_t const target = found == to.end() ? kAbsent : static_cast<uint32_t>(found - to.begin());
    map.indexes.push_back(target);
    map.is_identity = map.is_identity && target == index;
  }
  return map;
}

RowMerger::RowMerger(const Layout& layout, const MergeOptions& options, bool is_static)
    : columns_(layout.columns(is_static)), options_(options) {
  for (const Column& column : columns_) {
    is_counter_.push_back(column.type->kind == TypeKind::kCounter);
  }
  for (const DroppedColumn& dropped : options.dropped_columns) {
    for (size_t index = 0; index < columns_.size(); ++index) {
      if (columns_[index].name == dropped.name) {
        dropped_at_us_.resize(columns_.size(), kNoTimestamp);
        dropped_at_us_[index] = dropped.dropped_at_us;
      }
    }
  }
}

DeletionTime RowMerger::Purged(const DeletionTime& deletion) const {
  if (options_.live_at_s.has_value()) {
    return DeletionTime();  // has done its work
  }
  if (options_.purge.has_value() && deletion.local_deletion_time < options_.purge->gc_before_s) {
    return DeletionTime();
  }
  return deletion;
}

void RowMerger::MergeHeads(std::span<const Input> inputs, const DeletionTime& cover,
                           Unfiltered& merged) {
  const Unfiltered& first = *inputs[0].row;
  merged.kind = Unfiltered::Kind::kRow;
  merged.clustering = first.clustering;
  merged.liveness = first.liveness;
  merged.deletion = first.deletion;
  merged.deletion_is_shadowable = first.deletion_is_shadowable;
  for (const Input& input : inputs.subspan(1)) {
    if (LivenessSupersedes(input.row->liveness, merged.liveness)) {
      merged.liveness = input.row->liveness;
    }
    if (input.row->deletion.Supersedes(merged.deletion)) {
      merged.deletion = input.row->deletion;
      merged.deletion_is_shadowable = input.row->deletion_is_shadowable;
    }
  }
  if (merged.deletion_is_shadowable &&
      merged.liveness.timestamp > merged.deletion.marked_for_delete_at) {
    merged.deletion = DeletionTime();
  }
  if (!merged.deletion.Supersedes(cover)) {
    merged.deletion = DeletionTime();
  }
}

bool RowMerger::Merge(std::span<const Input> inputs, const DeletionTime& cover,
                      Unfiltered& merged) {
  MergeHeads(inputs, cover, merged);
  DeletionTime const active = merged.deletion.live() ? cover : merged.deletion;
  if (active.Deletes(merged.liveness.timestamp)) {
    merged.liveness = LivenessInfo();
  }
  cells_.clear();
  complex_.clear();
  counters_used_ = 0;
  cursors_.clear();
  for (const Input& input : inputs) {
    std::span<const ComplexColumnView> const complex = input.row->complex_columns;
    size_t const simple_count = complex.empty() ? input.row->cells.size() : complex[0].cell_begin;
    cursors_.push_back({input.row->cells.first(simple_count), complex, &input});
  }
  MergeSimple(active);
  MergeComplex(active);

  if (options_.live_at_s.has_value() && !merged.liveness.LiveAt(*options_.live_at_s)) {
    merged.liveness = LivenessInfo();
  }
  if (options_.purge.has_value() && !merged.liveness.LiveAt(options_.purge->now_s) &&
      merged.liveness.local_expiration_time < options_.purge->gc_before_s) {
    merged.liveness = LivenessInfo();
  }
  merged.deletion = Purged(merged.deletion);
  merged.deletion_is_shadowable = merged.deletion_is_shadowable && !merged.deletion.live();
  merged.cells = cells_;
  merged.complex_columns = complex_;
  return !merged.empty_row();
}

// Streams hold columns in one order, so the least index of those to come is next for all.
void RowMerger::MergeSimple(const DeletionTime& active) {
  for (;;) {
    uint32_t next = ColumnMap::kAbsent;
    for (Cursor& cursor : cursors_) {
      while (!cursor.cells.empty() &&
             cursor.input->map->indexes[cursor.cells[0].column_index] == ColumnMap::kAbsent) {
        cursor.cells = cursor.cells.subspan(1);
      }
      if (!cursor.cells.empty()) {
        next = std::min(next, cursor.input->map->indexes[cursor.cells[0].column_index]);
      }
    }
    if (next == ColumnMap::kAbsent) {
      return;
    }
    std::optional<CellView> cell;
    for (Cursor& cursor : cursors_) {
      if (!cursor.cells.empty() &&
          cursor.input->map->indexes[cursor.cells[0].column_index] == next) {
        cell = cell.has_value() ? Reconcile(*cell, cursor.cells[0], is_counter_[next])
                                : cursor.cells[0];
        cursor.cells = cursor.cells.subspan(1);
      }
    }
    AddCell(*cell, next, active);
  }
}

void RowMerger::MergeComplex(const DeletionTime& active) {
  for (;;) {
    uint32_t next = ColumnMap::kAbsent;
    for (Cursor& cursor : cursors_) {
      while (!cursor.complex.empty() &&
             cursor.input->map->indexes[cursor.complex[0].column_index] == ColumnMap::kAbsent) {
        cursor.complex = cursor.complex.subspan(1);
      }
      if (!cursor.complex.empty()) {
        next = std::min(next, cursor.input->map->indexes[cursor.complex[0].column_index]);
      }
    }
    if (next == ColumnMap::kAbsent) {
      return;
    }
    MergeComplexColumn(next, active);
  }
}

void RowMerger::MergeComplexColumn(uint32_t column_index, const DeletionTime& active) {
  ComplexColumnView merged;
  merged.column_index = column_index;
  elements_.clear();
  for (Cursor& cursor : cursors_) {
    if (cursor.complex.empty() ||
        cursor.input->map->indexes[cursor.complex[0].column_index] != column_index) {
      continue;
    }
    const ComplexColumnView& complex = cursor.complex[0];
    if (complex.deletion.Supersedes(merged.deletion)) {
      merged.deletion = complex.deletion;
    }
    elements_.push_back(cursor.input->row->cells.subspan(complex.cell_begin,
                                                         complex.cell_end - complex.cell_begin));
    cursor.complex = cursor.complex.subspan(1);
  }
  if (!merged.deletion.Supersedes(active) ||
      IsDropped(column_index, merged.deletion.marked_for_delete_at)) {
    merged.deletion = DeletionTime();
  }
  DeletionTime const inside = merged.deletion.live() ? active : merged.deletion;
  merged.cell_begin = static_cast<uint32_t>(cells_.size());
  const Type& type = *columns_[column_index].type;
  for (;;) {
    const CellView* least = nullptr;
    for (std::span<const CellView> const cells : elements_) {
      if (!cells.empty() &&
          (least == nullptr || CompareCellPaths(type, cells[0].path, least->path) < 0)) {
        least = &cells[0];
      }
    }
    if (least == nullptr) {
      break;
    }
    CellView cell = *least;
    Bytes const path = least->path;
    for (std::span<const CellView>& cells : elements_) {
      if (!cells.empty() && CompareCellPaths(type, cells[0].path, path) == 0) {
        if (&cells[0] != least) {
          cell = Reconcile(cell, cells[0], false);
        }
        cells = cells.subspan(1);
      }
    }
    AddCell(cell, column_index, inside);
  }
  merged.cell_end = static_cast<uint32_t>(cells_.size());
  merged.deletion = Purged(merged.deletion);
  if (!merged.deletion.live() || merged.cell_begin != merged.cell_end) {
    complex_.push_back(merged);
  }
}

void RowMerger::AddCell(CellView cell, uint32_t column_index, const DeletionTime& active) {
  if (active.Deletes(cell.timestamp) || IsDropped(column_index, cell.timestamp)) {
    return;
  }
  if (options_.live_at_s.has_value() && !cell.LiveAt(*options_.live_at_s)) {
    return;
  }
  if (options_.purge.has_value() && !cell.LiveAt(options_.purge->now_s)) {
    if (cell.local_deletion_time < options_.purge->gc_before_s) {
      return;
    }
    if (cell.expiring() && cell.local_deletion_time >= static_cast<uint32_t>(cell.ttl)) {
      // As if it had been deleted when it was written: nothing can bring it back.
      cell.local_deletion_time -= static_cast<uint32_t>(cell.ttl);
      cell.ttl = kNoTtl;
      cell.value = Bytes();
      if (cell.local_deletion_time < options_.purge->gc_before_s) {
        return;
      }
    }
  }
  cell.column_index = column_index;
  cells_.push_back(cell);
}

CellView RowMerger::Reconcile(const CellView& left, const CellView& right, bool is_counter) {
  if (!is_counter) {
    return LaterCell(left, right);
  }
  // A counter that was deleted stays so: its shards cannot start again.
  if (left.tombstone() || right.tombstone()) {
    if (left.tombstone() && right.tombstone()) {
      return LaterCell(left, right);
    }
    return left.tombstone() ? left : right;
  }
  if (left.value.empty() || right.value.empty()) {
    if (left.value.empty() != right.value.empty()) {
      return left.value.empty() ? left : right;
    }
    return left.timestamp > right.timestamp ? left : right;
  }
  if (counters_used_ == counters_.size()) {
    counters_.emplace_back();
  }
  std::vector<std::byte>& merged = counters_[counters_used_++];
  merged.clear();
  MergeCounterContexts(left.value, right.value, merged);
  CellView cell = left;
  cell.timestamp = std::max(left.timestamp, right.timestamp);
  cell.value = merged;
  return cell;
}

}  // namespace orochi::sstable::internal
