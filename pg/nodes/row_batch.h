#pragma once

#include "pg/compat.h"

#include "base/result.h"
#include "columnar/column.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace orochi::pg {

/// Gathers the rows that any plan node answers into column batches, so that heap partitions feed
/// the same vectorised code as columnar ones.
///
/// Life:    one node's rows: Fill until it answers 0.    Threads: none.
class RowBatch {
 public:
  static constexpr uint32_t kRowsMax = 1024;
  static constexpr size_t kBytesMax = 16 << 20;

  struct Column {
    AttrNumber position;  // in the node's target list, from 1
    columnar::PhysicalType physical;
    bool only_nulls;  // values do not matter, only which are NULL
  };

  explicit RowBatch(std::vector<Column> columns);

  /// Takes further rows from `node`, at most kRowsMax and about kBytesMax; answers how many, 0 only
  /// at the end. Varlena values are detoasted in `scratch`, which is reset.
  Result<uint32_t> Fill(PlanState* node, MemoryContext scratch);

  /// By position in the list given to the constructor; valid until the next Fill.
  const columnar::ColumnVector& vector(size_t column) const { return vectors_[column]; }

 private:
  /// What plain code writes while errors may jump.
  struct Raw {
    AttrNumber position;
    bool is_bytes;
    bool wants_values;
    Datum values[kRowsMax];  // payloads of bytes are copied to `scratch`
    bool nulls[kRowsMax];
  };

  Status Convert(const Raw& raw, uint32_t row_count, columnar::ColumnVector& out) const;

  std::vector<std::unique_ptr<Raw>> raws_;
  std::vector<Raw*> raw_pointers_;
  std::vector<columnar::ColumnVector> vectors_;
  bool ended_ = false;
};

}  // namespace orochi::pg
