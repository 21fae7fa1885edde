#include "sstable/read/testing/expected_json.h"

#include <string>

#include "sstable/format/big_endian.h"

namespace orochi::sstable::testing {

namespace {

using nlohmann::json;

std::string Hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::byte const byte : bytes) {
    text.push_back(kDigits[std::to_integer<int>(byte) >> 4]);
    text.push_back(kDigits[std::to_integer<int>(byte) & 15]);
  }
  return text;
}

json CounterValue(Bytes context) {
  constexpr size_t kShardSizeBytes = 32;
  auto const header_count = LoadBigEndian<uint16_t>(context.data());
  size_t const header_size_bytes = 2 + 2 * size_t{header_count};
  json shards = json::array();
  int64_t total = 0;
  for (size_t at = header_size_bytes; at + kShardSizeBytes <= context.size();
       at += kShardSizeBytes) {
    auto const clock = static_cast<int64_t>(LoadBigEndian<uint64_t>(context.data() + at + 16));
    auto const count = static_cast<int64_t>(LoadBigEndian<uint64_t>(context.data() + at + 24));
    shards.push_back({Hex(context.subspan(at, 16)), clock, count});
    total += count;
  }
  return {{"total", total}, {"header", Hex(context.first(header_size_bytes))}, {"shards", shards}};
}

json Value(const Type& type, Bytes bytes) {
  switch (type.kind) {
    case TypeKind::kText:
    case TypeKind::kAscii:
      return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    case TypeKind::kInt:
      return static_cast<int32_t>(LoadBigEndian<uint32_t>(bytes.data()));
    case TypeKind::kCounter:
      return CounterValue(bytes);
    default:
      return Hex(bytes);
  }
}

json Clustering(const Layout& layout, const ClusteringView& clustering) {
  json values = json::array();
  for (size_t index = 0; index < clustering.values.size(); ++index) {
    const ClusteringValue& value = clustering.values[index];
    values.push_back(value.is_null ? json()
                                   : Value(*layout.clustering.types()[index], value.bytes));
  }
  return values;
}

json Deletion(const DeletionTime& deletion) {
  return {deletion.marked_for_delete_at, deletion.local_deletion_time};
}

json Cell(const Column& column, const CellView& cell) {
  json out = {{"ts", cell.timestamp}};
  if (column.is_complex) {
    out["path"] = Hex(cell.path);
    out["value"] = Hex(cell.value);
  } else {
    out["value"] = cell.tombstone() ? json() : Value(*column.type, cell.value);
  }
  if (cell.expiring()) {
    out["ttl"] = cell.ttl;
    out["expires"] = cell.local_deletion_time;
  } else if (cell.tombstone()) {
    out["deleted"] = cell.local_deletion_time;
  }
  return out;
}

json Row(const Layout& layout, const Unfiltered& row) {
  const std::vector<Column>& columns = layout.columns(row.is_static());
  json out = {{"cl", Clustering(layout, row.clustering)}};
  if (!row.liveness.empty()) {
    out["ts"] = row.liveness.timestamp;
  }
  if (row.liveness.expiring()) {
    out["ttl"] = row.liveness.ttl;
    out["exp"] = row.liveness.local_expiration_time;
  }
  if (!row.deletion.live()) {
    out["del"] = Deletion(row.deletion);
  }
  json cells = json::object();
  for (const CellView& cell : row.cells) {
    const Column& column = columns[cell.column_index];
    if (!column.is_complex) {
      cells[column.name] = Cell(column, cell);
    }
  }
  for (const ComplexColumnView& complex : row.complex_columns) {
    const Column& column = columns[complex.column_index];
    json elements = json::array();
    for (uint32_t index = complex.cell_begin; index < complex.cell_end; ++index) {
      elements.push_back(Cell(column, row.cells[index]));
    }
    cells[column.name] = {{"del", complex.deletion.live() ? json() : Deletion(complex.deletion)},
                          {"cells", elements}};
  }
  out["cells"] = cells;
  return out;
}

json Marker(const Layout& layout, const Unfiltered& marker) {
  json deletions = json::array();
  if (ClosesDeletion(marker.clustering.kind)) {
    deletions.push_back(Deletion(marker.close));
  }
  if (OpensDeletion(marker.clustering.kind)) {
    deletions.push_back(Deletion(marker.open));
  }
  return {{"marker", static_cast<int>(marker.clustering.kind)},
          {"cl", Clustering(layout, marker.clustering)},
          {"del", deletions}};
}

}  // namespace

Result<nlohmann::json> ExpectedJson(UnfilteredStream& stream, size_t partitions_max) {
  const Layout& layout = stream.layout();
  json partitions = json::array();
  while (partitions.size() < partitions_max) {
    ASSIGN_OR_RETURN(bool const has_partition, stream.NextPartition());
    if (!has_partition) {
      break;
    }
    const PartitionView& partition = stream.partition();
    json out = {
        {"key_hex", Hex(partition.key)},
        {"data_offset", partition.position_bytes},
        {"token", layout.partitioner == Partitioner::kMurmur3
                      ? json(TokenText(layout.partitioner, partition.key))
                      : json()},
        {"partition_deletion", partition.deletion.live() ? json() : Deletion(partition.deletion)},
        {"static", stream.static_row().empty_row() ? json() : Row(layout, stream.static_row())}};
    json unfiltereds = json::array();
    for (;;) {
      ASSIGN_OR_RETURN(bool const has_row, stream.Next());
      if (!has_row) {
        break;
      }
      const Unfiltered& current = stream.current();
      unfiltereds.push_back(current.is_row() ? Row(layout, current) : Marker(layout, current));
    }
    out["unfiltereds"] = std::move(unfiltereds);
    partitions.push_back(std::move(out));
  }
  return json{{"partitions", std::move(partitions)}};
}

}  // namespace orochi::sstable::testing
