#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "sstable/format/clustering.h"
#include "sstable/format/deletion_time.h"
#include "sstable/format/unfiltered.h"

namespace orochi::sstable {

// What one statement, or one line of a file, does to one place of a table. All of them own their
// bytes.

struct DeletePartition {
  DeletionTime deletion;
};

/// Everything between two bounds, which are no boundaries.
struct DeleteRange {
  ClusteringPrefix start;
  ClusteringPrefix end;
  DeletionTime deletion;
};

/// Cells of one row, or of the static row.
struct ChangeRow {
  struct Cell {
    CellView view;  // without path and value
    std::string path;
    std::string value;
  };
  /// A column that is not frozen.
  struct ComplexColumn {
    uint32_t column_index = 0;
    DeletionTime deletion;
    std::vector<Cell> cells;
  };
  bool is_static = false;
  ClusteringPrefix clustering;
  LivenessInfo liveness;
  DeletionTime deletion;
  std::vector<Cell> simple_cells;
  std::vector<ComplexColumn> complex_columns;
};

struct RowChange {
  std::string key;
  std::variant<DeletePartition, DeleteRange, ChangeRow> what;
};

}  // namespace orochi::sstable
