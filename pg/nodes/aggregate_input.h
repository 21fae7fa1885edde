#pragma once

#include "pg/compat.h"

#include "base/result.h"
#include "columnar/stripe_reader.h"
#include "vexec/selection.h"

extern "C" {
#include "nodes/execnodes.h"
}

namespace orochi::pg {

/// A column that an aggregation takes from the nodes below it.
struct InputColumn {
  AttrNumber position;  // in their target lists, from 1
  columnar::PhysicalType physical;
  bool only_nulls;  // values do not matter, only which are NULL
};

/// Rows on their way into an aggregation, whatever node they come from.
class InputBatch {
 public:
  virtual ~InputBatch() = default;
  virtual const vexec::Selection& selection() const = 0;
  /// The input column with this index, decoded when first asked for.
  virtual Result<const columnar::ColumnVector*> Column(size_t input) = 0;
  /// Statistics that describe exactly the selected rows, or null.
  virtual const columnar::ChunkInfo* Chunk(size_t input) const = 0;
};

class BatchSink {
 public:
  virtual ~BatchSink() = default;
  virtual Status Take(InputBatch& batch) = 0;
  /// Rows without any column: only when there are no input columns.
  virtual Status TakeRows(uint64_t row_count) = 0;
};

/// Reads `child` to its end and hands its rows to `sink`. A ColumnarScan whose conditions all
/// filter batches and whose wanted columns are plain hands over its batches, the children of an
/// Append are read one by one in its order, and rows of any other node are gathered into batches.
/// EXPLAIN ANALYZE counts rows as if they had passed through the nodes. Answers the number of rows.
///
/// `scratch` is reset again and again. Errors of the sink end the reading and are passed on; the
/// nodes are then fit for a rescan.
Result<uint64_t> FeedFrom(PlanState* child, const std::vector<InputColumn>& columns,
                          MemoryContext scratch, BatchSink& sink);

}  // namespace orochi::pg
