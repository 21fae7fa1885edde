#include "sstable/write/row_encoder.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/row_flags.h"

namespace orochi::sstable {

namespace {

constexpr uint8_t kLiveDeletion = 0x80;
constexpr uint32_t kSignedNone = 0x7FFF'FFFF;
constexpr size_t kColumnBitmapMax = 64;  // from here on columns are listed

void AppendByte(std::vector<std::byte>& out, uint8_t byte) {
  out.push_back(static_cast<std::byte>(byte));
}

// Cells of simple columns come first; how many there are.
size_t SimpleCellCount(const Unfiltered& row) {
  return row.complex_columns.empty() ? row.cells.size() : row.complex_columns.front().cell_begin;
}

size_t ColumnCount(const Unfiltered& row) {
  return SimpleCellCount(row) + row.complex_columns.size();
}

Status WrongColumn(std::string_view what, uint32_t column_index, size_t column_count) {
  return Status::InvalidArgument(StrCat(what, " of column ", column_index, ": the table has ",
                                        column_count,
                                        " such columns, and they come in ascending order"));
}

Status CheckSimpleCells(const Unfiltered& row, const std::vector<Column>& columns) {
  size_t next = 0;
  for (const CellView& cell : row.cells.first(SimpleCellCount(row))) {
    if (cell.column_index < next || cell.column_index >= columns.size() ||
        columns[cell.column_index].is_complex) {
      return WrongColumn("cell", cell.column_index, columns.size());
    }
    int32_t const fixed = columns[cell.column_index].fixed_size_bytes;
    if (fixed >= 0 && !cell.value.empty() && cell.value.size() != static_cast<size_t>(fixed)) {
      return Status::InvalidArgument(StrCat("value of column '", columns[cell.column_index].name,
                                            "' has ", cell.value.size(), " bytes, its type has ",
                                            fixed));
    }
    next = cell.column_index + 1;
  }
  return Status::Ok();
}

Status CheckComplexColumns(const Unfiltered& row, const std::vector<Column>& columns) {
  size_t next = 0;
  uint32_t next_cell = static_cast<uint32_t>(SimpleCellCount(row));
  for (const ComplexColumnView& complex : row.complex_columns) {
    if (complex.column_index < next || complex.column_index >= columns.size() ||
        !columns[complex.column_index].is_complex) {
      return WrongColumn("cells", complex.column_index, columns.size());
    }
    if (complex.cell_begin != next_cell || complex.cell_end < complex.cell_begin ||
        complex.cell_end > row.cells.size()) {
      return Status::InvalidArgument(StrCat("column '", columns[complex.column_index].name,
                                            "' has cells ", complex.cell_begin, " to ",
                                            complex.cell_end, " of ", row.cells.size(),
                                            ", expected the first to be ", next_cell));
    }
    next = complex.column_index + 1;
    next_cell = complex.cell_end;
  }
  if (next_cell != row.cells.size()) {
    return Status::InvalidArgument(
        StrCat("row has ", row.cells.size(), " cells, its columns take ", next_cell));
  }
  return Status::Ok();
}

}  // namespace

RowEncoder::RowEncoder(const Layout& layout, Version version, EncodingMinima minima)
    : layout_(layout), version_(version), minima_(minima) {
  for (const TypeRef& type : layout.clustering.types()) {
    std::optional<uint32_t> const fixed = FixedLengthBytes(*type);
    clustering_sizes_bytes_.push_back(fixed.has_value() ? static_cast<int32_t>(*fixed) : -1);
  }
}

Status RowEncoder::AppendDeletion(std::vector<std::byte>& out, const DeletionTime& deletion) const {
  if (!version_.has_unsigned_deletion_times()) {
    uint32_t const time = deletion.local_deletion_time;
    AppendBigEndian(out, deletion.live()                 ? kSignedNone
                         : time == kInvalidDeletionTime  ? time
                         : time > kSignedDeletionTimeMax ? kSignedDeletionTimeMax
                                                         : time);
    AppendBigEndian(out, deletion.marked_for_delete_at);
    return Status::Ok();
  }
  if (deletion.live()) {
    AppendByte(out, kLiveDeletion);
    return Status::Ok();
  }
  if (deletion.marked_for_delete_at < 0) {
    return Status::InvalidArgument(StrCat("deletion has timestamp ", deletion.marked_for_delete_at,
                                          "; format ", version_.letters(),
                                          " has none below 0 for partitions and indexed ranges"));
  }
  AppendBigEndian(out, deletion.marked_for_delete_at);
  AppendBigEndian(out, deletion.local_deletion_time);
  return Status::Ok();
}

void RowEncoder::AppendTimestamp(int64_t timestamp) {
  body_.AppendVint(static_cast<uint64_t>(timestamp) - static_cast<uint64_t>(minima_.timestamp));
}

void RowEncoder::AppendLocalDeletionTime(uint32_t local_deletion_time) {
  uint32_t time = local_deletion_time;
  if (!version_.has_unsigned_deletion_times()) {
    // Tombstones past 2038 get the last second that the signed form has, as in Cassandra.
    if (time > kSignedDeletionTimeMax && time < kInvalidDeletionTime) {
      time = kSignedDeletionTimeMax;
    }
  }
  // A 32-bit difference that is negative takes nine bytes: it is sign-extended first.
  auto const delta = static_cast<int32_t>(time - minima_.local_deletion_time);
  body_.AppendVint(static_cast<uint64_t>(static_cast<int64_t>(delta)));
}

void RowEncoder::AppendTtl(int32_t ttl) {
  auto const delta =
      static_cast<int32_t>(static_cast<uint32_t>(ttl) - static_cast<uint32_t>(minima_.ttl));
  body_.AppendVint(static_cast<uint64_t>(static_cast<int64_t>(delta)));
}

void RowEncoder::AppendDeletionDelta(const DeletionTime& deletion) {
  AppendTimestamp(deletion.marked_for_delete_at);
  AppendLocalDeletionTime(deletion.local_deletion_time);
}

Status RowEncoder::CheckClustering(const ClusteringView& clustering, size_t count_min) const {
  size_t const count = clustering.values.size();
  if (count < count_min || count > clustering_sizes_bytes_.size()) {
    return Status::InvalidArgument(StrCat("clustering has ", count, " values, the table has ",
                                          clustering_sizes_bytes_.size(), " clustering columns"));
  }
  for (size_t index = 0; index < count; ++index) {
    const ClusteringValue& value = clustering.values[index];
    int32_t const fixed = clustering_sizes_bytes_[index];
    if (fixed >= 0 && !value.bytes.empty() && value.bytes.size() != static_cast<size_t>(fixed)) {
      return Status::InvalidArgument(StrCat("clustering value ", index, " has ", value.bytes.size(),
                                            " bytes, its type has ", fixed));
    }
  }
  return Status::Ok();
}

// A tombstone's time may be brought forward, it only says when to forget it. When something expires
// may not.
Status RowEncoder::CheckExpiry(const Unfiltered& row) const {
  uint32_t latest = row.liveness.expiring() ? row.liveness.local_expiration_time : 0;
  for (const CellView& cell : row.cells) {
    latest = std::max(latest, cell.expiring() ? cell.local_deletion_time : 0);
  }
  if (latest > kSignedDeletionTimeMax && latest < kInvalidDeletionTime) {
    return Status::InvalidArgument(StrCat("a TTL ends at ", latest, " seconds since 1970; format ",
                                          version_.letters(), " has none after ",
                                          kSignedDeletionTimeMax, " (January 2038)"))
        .WithHint("write oa or da");
  }
  return Status::Ok();
}

Status RowEncoder::CheckRow(const Unfiltered& row, const std::vector<Column>& columns) const {
  if (!version_.has_unsigned_deletion_times()) {
    RETURN_IF_ERROR(CheckExpiry(row));
  }
  RETURN_IF_ERROR(CheckSimpleCells(row, columns));
  if (row.liveness.empty() && row.liveness.expiring()) {
    return Status::InvalidArgument("row has a TTL but no timestamp");
  }
  return row.complex_columns.empty() ? Status::Ok() : CheckComplexColumns(row, columns);
}

// n columns below 64: a bitmap of those that are missing. From 64 on: how many are missing, then
// the shorter list of indexes, of those present or of those missing.
void RowEncoder::AppendSubset(const Unfiltered& row, size_t column_count) {
  std::vector<uint32_t> present;
  size_t const simple_count = SimpleCellCount(row);
  if (column_count < kColumnBitmapMax) {
    uint64_t missing = (uint64_t{1} << column_count) - 1;
    for (const CellView& cell : row.cells.first(simple_count)) {
      missing &= ~(uint64_t{1} << cell.column_index);
    }
    for (const ComplexColumnView& complex : row.complex_columns) {
      missing &= ~(uint64_t{1} << complex.column_index);
    }
    body_.AppendVint(missing);
    return;
  }
  for (const CellView& cell : row.cells.first(simple_count)) {
    present.push_back(cell.column_index);
  }
  for (const ComplexColumnView& complex : row.complex_columns) {
    present.push_back(complex.column_index);
  }
  body_.AppendVint(column_count - present.size());
  if (present.size() < column_count / 2) {
    for (uint32_t const index : present) {
      body_.AppendVint(index);
    }
    return;
  }
  // Simple columns come before complex ones in the layout too, so `present` is ascending.
  size_t at = 0;
  for (uint32_t index = 0; index < column_count; ++index) {
    if (at < present.size() && present[at] == index) {
      ++at;
    } else {
      body_.AppendVint(index);
    }
  }
}

void RowEncoder::AppendCell(const CellView& cell, const Column& column,
                            const LivenessInfo& liveness) {
  bool const tombstone = cell.tombstone();
  bool const expiring = cell.expiring();
  bool const has_value = !tombstone && !cell.value.empty();
  bool const row_timestamp = !liveness.empty() && cell.timestamp == liveness.timestamp;
  bool const row_ttl = expiring && liveness.expiring() && cell.ttl == liveness.ttl &&
                       cell.local_deletion_time == liveness.local_expiration_time;
  auto const flags = static_cast<uint8_t>(
      (tombstone ? kCellIsDeleted : 0) | (expiring ? kCellIsExpiring : 0) |
      (has_value ? 0 : kCellHasEmptyValue) | (row_timestamp ? kCellUsesRowTimestamp : 0) |
      (row_ttl ? kCellUsesRowTtl : 0));
  body_.AppendByte(flags);
  if (!row_timestamp) {
    AppendTimestamp(cell.timestamp);
  }
  if ((tombstone || expiring) && !row_ttl) {
    AppendLocalDeletionTime(cell.local_deletion_time);
  }
  if (expiring && !row_ttl) {
    AppendTtl(cell.ttl);
  }
  if (column.is_complex) {
    body_.AppendVint(cell.path.size());
    body_.AppendBytes(cell.path);
  }
  if (has_value) {
    if (column.fixed_size_bytes < 0) {
      body_.AppendVint(cell.value.size());
    }
    body_.AppendBytes(cell.value);
  }
}

void RowEncoder::AppendRow(std::vector<std::byte>& out, const Unfiltered& row,
                           const std::vector<Column>& columns, uint64_t previous_size_bytes) {
  bool const is_static = row.is_static();
  bool has_complex_deletion = false;
  for (const ComplexColumnView& complex : row.complex_columns) {
    has_complex_deletion |= !complex.deletion.live();
  }
  bool const has_all_columns = ColumnCount(row) == columns.size();
  bool const extended = is_static || row.deletion_is_shadowable;
  auto const flags = static_cast<uint8_t>(
      (row.liveness.empty() ? 0 : kHasTimestamp) | (row.liveness.expiring() ? kHasTtl : 0) |
      (row.deletion.live() ? 0 : kHasDeletion) | (has_all_columns ? kHasAllColumns : 0) |
      (has_complex_deletion ? kHasComplexDeletion : 0) | (extended ? kHasExtendedFlags : 0));
  AppendByte(out, flags);
  if (extended) {
    AppendByte(out,
               static_cast<uint8_t>((is_static ? kIsStatic : 0) |
                                    (row.deletion_is_shadowable ? kHasShadowableDeletion : 0)));
  }
  clustering_begin_ = out.size();
  if (!is_static) {
    layout_.clustering.AppendValues(out, row.clustering.values);
  }
  clustering_end_ = out.size();

  body_.clear();
  body_.AppendVint(previous_size_bytes);
  if (!row.liveness.empty()) {
    AppendTimestamp(row.liveness.timestamp);
  }
  if (row.liveness.expiring()) {
    AppendTtl(row.liveness.ttl);
    AppendLocalDeletionTime(row.liveness.local_expiration_time);
  }
  if (!row.deletion.live()) {
    AppendDeletionDelta(row.deletion);
  }
  if (!has_all_columns) {
    AppendSubset(row, columns.size());
  }
  for (const CellView& cell : row.cells.first(SimpleCellCount(row))) {
    AppendCell(cell, columns[cell.column_index], row.liveness);
  }
  for (const ComplexColumnView& complex : row.complex_columns) {
    if (has_complex_deletion) {
      AppendDeletionDelta(complex.deletion);
    }
    body_.AppendVint(complex.cell_end - complex.cell_begin);
    for (uint32_t index = complex.cell_begin; index < complex.cell_end; ++index) {
      AppendCell(row.cells[index], columns[complex.column_index], row.liveness);
    }
  }
  AppendVint(out, body_.size());
  AppendBytes(out, body_.bytes());
}

Status RowEncoder::AppendStatic(std::vector<std::byte>& out, const Unfiltered& row) {
  ASSERT(!layout_.statics.empty());
  RETURN_IF_ERROR(CheckRow(row, layout_.statics));
  Unfiltered as_static = row;
  as_static.clustering.kind = ClusteringKind::kStatic;
  AppendRow(out, as_static, layout_.statics, 0);
  return Status::Ok();
}

Status RowEncoder::Append(std::vector<std::byte>& out, const Unfiltered& unfiltered,
                          uint64_t previous_size_bytes) {
  const ClusteringView& clustering = unfiltered.clustering;
  if (unfiltered.is_row()) {
    if (clustering.kind != ClusteringKind::kClustering) {
      return Status::InvalidArgument(
          StrCat("row has clustering kind ", static_cast<int>(clustering.kind)));
    }
    RETURN_IF_ERROR(CheckClustering(clustering, clustering_sizes_bytes_.size()));
    RETURN_IF_ERROR(CheckRow(unfiltered, layout_.regulars));
    AppendRow(out, unfiltered, layout_.regulars, previous_size_bytes);
    return Status::Ok();
  }
  if (!IsBound(clustering.kind)) {
    return Status::InvalidArgument(
        StrCat("marker has clustering kind ", static_cast<int>(clustering.kind)));
  }
  RETURN_IF_ERROR(CheckClustering(clustering, 0));
  if (unfiltered.close.live() == ClosesDeletion(clustering.kind) ||
      unfiltered.open.live() == OpensDeletion(clustering.kind)) {
    return Status::InvalidArgument(StrCat("marker of kind ", static_cast<int>(clustering.kind),
                                          " does not have the deletions that it closes and opens"));
  }
  AppendByte(out, kIsMarker);
  clustering_begin_ = out.size();
  layout_.clustering.AppendBound(out, clustering);
  clustering_end_ = out.size();
  body_.clear();
  body_.AppendVint(previous_size_bytes);
  if (ClosesDeletion(clustering.kind)) {
    AppendDeletionDelta(unfiltered.close);
  }
  if (OpensDeletion(clustering.kind)) {
    AppendDeletionDelta(unfiltered.open);
  }
  AppendVint(out, body_.size());
  AppendBytes(out, body_.bytes());
  return Status::Ok();
}

}  // namespace orochi::sstable
