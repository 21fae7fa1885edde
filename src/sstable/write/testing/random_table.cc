#include "sstable/write/testing/random_table.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/str_cat.h"
#include "sstable/types/decorated_key.h"

namespace orochi::sstable::testing {

namespace {

std::string Int(int32_t value) {
  std::string bytes;
  AppendBigEndian(bytes, value);
  return bytes;
}

std::string RandomText(Random& random, uint64_t size_max) {
  std::string text;
  for (uint64_t left = random.Below(size_max + 1); left > 0; --left) {
    text.push_back(static_cast<char>('a' + random.Below(4)));
  }
  return text;
}

DeletionTime RandomDeletion(Random& random) {
  return {.marked_for_delete_at = static_cast<int64_t>(random.Below(1'000'000)),
          .local_deletion_time = static_cast<uint32_t>(1'700'000'000 + random.Below(100'000))};
}

Bytes Keep(OwnedUnfiltered& row, std::string bytes) {
  row.bytes->push_back(std::move(bytes));
  return AsBytes(row.bytes->back());
}

// A value, a tombstone, or a value with a TTL.
CellView RandomCell(Random& random, OwnedUnfiltered& row, uint32_t column_index,
                    const Column& column) {
  CellView cell;
  cell.column_index = column_index;
  cell.timestamp = static_cast<int64_t>(random.Below(1'000'000));
  if (random.OneIn(3) && !row.view.liveness.empty()) {
    cell.timestamp = row.view.liveness.timestamp;
  }
  if (random.OneIn(6)) {
    cell.local_deletion_time = static_cast<uint32_t>(1'700'000'000 + random.Below(100'000));
    return cell;
  }
  if (random.OneIn(6)) {
    cell.ttl = static_cast<int32_t>(1 + random.Below(1'000'000));
    cell.local_deletion_time = static_cast<uint32_t>(1'800'000'000 + random.Below(100'000));
  } else if (row.view.liveness.expiring() && random.OneIn(2)) {
    cell.ttl = row.view.liveness.ttl;
    cell.local_deletion_time = row.view.liveness.local_expiration_time;
  }
  bool const is_int = column.fixed_size_bytes == 4;
  if (!random.OneIn(10)) {
    cell.value = Keep(row, is_int ? Int(static_cast<int32_t>(random.Next()))
                                  : RandomText(random, random.OneIn(100) ? 3000 : 20));
  }
  return cell;
}

void FillCells(Random& random, OwnedUnfiltered& row, const std::vector<Column>& columns) {
  for (uint32_t index = 0; index < columns.size(); ++index) {
    if (random.OneIn(3)) {
      continue;
    }
    if (!columns[index].is_complex) {
      row.cells.push_back(RandomCell(random, row, index, columns[index]));
      continue;
    }
    ComplexColumnView complex;
    complex.column_index = index;
    complex.cell_begin = static_cast<uint32_t>(row.cells.size());
    if (random.OneIn(3)) {
      complex.deletion = RandomDeletion(random);
    }
    std::set<std::string> paths;
    for (uint64_t left = random.Below(5); left > 0; --left) {
      paths.insert(RandomText(random, 6));
    }
    for (const std::string& path : paths) {
      CellView cell = RandomCell(random, row, index, columns[index]);
      cell.path = Keep(row, path);
      row.cells.push_back(cell);
    }
    complex.cell_end = static_cast<uint32_t>(row.cells.size());
    row.complex_columns.push_back(complex);
  }
}

OwnedUnfiltered RandomRow(Random& random, const std::vector<Column>& columns) {
  OwnedUnfiltered row;
  if (!random.OneIn(4)) {
    row.view.liveness.timestamp = static_cast<int64_t>(random.Below(1'000'000));
    if (random.OneIn(5)) {
      row.view.liveness.ttl = static_cast<int32_t>(1 + random.Below(1'000'000));
      row.view.liveness.local_expiration_time =
          static_cast<uint32_t>(1'800'000'000 + random.Below(100'000));
    }
  }
  if (random.OneIn(8)) {
    row.view.deletion = RandomDeletion(random);
  }
  FillCells(random, row, columns);
  return row;
}

OwnedUnfiltered Bound(const std::vector<std::string>& values, ClusteringKind kind) {
  OwnedUnfiltered marker;
  marker.view.kind = Unfiltered::Kind::kMarker;
  marker.view.clustering.kind = kind;
  marker.clustering_bytes = values;
  return marker;
}

// Rows at every other of the sorted places; ranges that start and end between them.
std::vector<OwnedUnfiltered> RandomRows(Random& random, const Layout& layout,
                                        const RandomTableOptions& options) {
  std::map<std::pair<int32_t, std::string>, bool> places;  // ordered as the layout orders them
  for (uint64_t left = random.Below(options.row_count_max + 1); left > 0; --left) {
    places[{-static_cast<int32_t>(random.Below(20)), RandomText(random, 5)}] = true;
  }
  std::vector<OwnedUnfiltered> rows;
  DeletionTime open;
  for (auto const& [place, ignored] : places) {
    std::vector<std::string> const values = {Int(-place.first), place.second};
    if (options.with_markers && random.OneIn(4)) {
      bool const closes = !open.live();
      bool const opens = !closes || random.OneIn(3);
      OwnedUnfiltered marker =
          Bound(values, closes && opens ? ClusteringKind::kExclEndInclStartBoundary
                        : opens         ? ClusteringKind::kInclStartBound
                                        : ClusteringKind::kExclEndBound);
      marker.view.close = open;
      open = opens ? RandomDeletion(random) : DeletionTime{};
      marker.view.open = open;
      rows.push_back(std::move(marker));
    }
    if (!random.OneIn(10)) {
      OwnedUnfiltered row = RandomRow(random, layout.regulars);
      row.clustering_bytes = values;
      rows.push_back(std::move(row));
    }
  }
  if (!open.live()) {
    OwnedUnfiltered marker = Bound({}, ClusteringKind::kInclEndBound);
    marker.view.close = open;
    rows.push_back(std::move(marker));
  }
  return rows;
}

std::string Text(const DeletionTime& deletion) {
  return deletion.live() ? std::string("-")
                         : StrCat(deletion.marked_for_delete_at, "@", deletion.local_deletion_time);
}

std::string Text(const Unfiltered& unfiltered) {
  std::string text = StrCat(unfiltered.is_row() ? "row " : "marker ",
                            static_cast<int>(unfiltered.clustering.kind));
  for (const ClusteringValue& value : unfiltered.clustering.values) {
    text += StrCat(" [", value.is_null ? "null" : AsText(value.bytes), "]");
  }
  if (!unfiltered.is_row()) {
    return StrCat(text, " close ", Text(unfiltered.close), " open ", Text(unfiltered.open), "\n");
  }
  text += StrCat(" live ", unfiltered.liveness.timestamp, " ", unfiltered.liveness.ttl, " ",
                 unfiltered.liveness.local_expiration_time, " deleted ", Text(unfiltered.deletion),
                 "\n");
  for (const CellView& cell : unfiltered.cells) {
    text +=
        StrCat("  cell ", cell.column_index, " ", cell.timestamp, " ", cell.ttl, " ",
               cell.local_deletion_time, " [", AsText(cell.path), "] = ", AsText(cell.value), "\n");
  }
  for (const ComplexColumnView& complex : unfiltered.complex_columns) {
    text += StrCat("  complex ", complex.column_index, " ", complex.cell_begin, "-",
                   complex.cell_end, " deleted ", Text(complex.deletion), "\n");
  }
  return text;
}

std::string Text(Bytes key, const DeletionTime& deletion) {
  return StrCat("partition [", AsText(key), "] deleted ", Text(deletion), "\n");
}

}  // namespace

const Unfiltered& OwnedUnfiltered::Get() {
  clustering.clear();
  for (const std::string& value : clustering_bytes) {
    clustering.push_back({.bytes = AsBytes(value), .is_null = false});
  }
  view.clustering.values = clustering;
  view.cells = cells;
  view.complex_columns = complex_columns;
  return view;
}

Layout RandomTableLayout(const RandomTableOptions& options) {
  Layout layout;
  layout.key_type = SimpleType(TypeKind::kText);
  layout.clustering =
      ClusteringFormat({Reversed(SimpleType(TypeKind::kInt)), SimpleType(TypeKind::kText)});
  auto const text = SimpleType(TypeKind::kText);
  layout.regulars = {Column::Of("a", SimpleType(TypeKind::kInt)), Column::Of("b", text),
                     Column::Of("c", text), Column::Of("m", MapOf(text, text)),
                     Column::Of("s", SetOf(text))};
  if (options.with_statics) {
    layout.statics = {Column::Of("sa", text), Column::Of("sm", MapOf(text, text))};
  }
  return layout;
}

std::vector<OwnedPartition> RandomPartitions(Random& random, const Layout& layout,
                                             const RandomTableOptions& options) {
  std::vector<std::string> keys;
  for (uint32_t index = 0; index < options.partition_count; ++index) {
    keys.push_back(StrCat("key ", index));
  }
  std::sort(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
    return layout.CompareKeys(AsBytes(a), AsBytes(b)) < 0;
  });
  std::vector<OwnedPartition> partitions;
  for (std::string& key : keys) {
    OwnedPartition partition;
    partition.key = std::move(key);
    if (random.OneIn(4)) {
      partition.deletion = RandomDeletion(random);
    }
    if (options.with_statics && random.OneIn(2)) {
      FillCells(random, partition.static_row, layout.statics);
    }
    partition.static_row.view.clustering.kind = ClusteringKind::kStatic;
    partition.rows = RandomRows(random, layout, options);
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Result<std::string> Transcript(UnfilteredStream& stream) {
  std::string text;
  while (true) {
    ASSIGN_OR_RETURN(bool const has_partition, stream.NextPartition());
    if (!has_partition) {
      return text;
    }
    text += Text(stream.partition().key, stream.partition().deletion);
    text += Text(stream.static_row());
    while (true) {
      ASSIGN_OR_RETURN(bool const has_row, stream.Next());
      if (!has_row) {
        break;
      }
      text += Text(stream.current());
    }
  }
}

std::string Transcript(std::vector<OwnedPartition>& partitions) {
  std::string text;
  for (OwnedPartition& partition : partitions) {
    text += Text(AsBytes(partition.key), partition.deletion);
    text += Text(partition.static_row.Get());
    for (OwnedUnfiltered& row : partition.rows) {
      text += Text(row.Get());
    }
  }
  return text;
}

std::string FirstDifference(const std::string& found, const std::string& expected) {
  constexpr size_t kShownBytes = 200;
  auto const [at, other] =
      std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  if (at == found.end() && other == expected.end()) {
    return "";
  }
  auto const offset = static_cast<size_t>(at - found.begin());
  size_t const line = found.rfind('\n', offset == 0 ? 0 : offset - 1);
  size_t const start = line == std::string::npos ? 0 : line + 1;
  return StrCat("at ", offset, ": found ", found.substr(start, kShownBytes), " expected ",
                expected.substr(start, kShownBytes));
}

}  // namespace orochi::sstable::testing
