#pragma once

#include "pg/compat.h"

#include "pg/nodes/batch_reader.h"
#include "pg/nodes/filter_clause.h"

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/extensible.h"
#include "nodes/pathnodes.h"
#include "port/atomics.h"
}

namespace orochi::pg {

/// Custom Scan (ColumnarScan): reads one columnar relation with projection, skipping of row groups
/// and filters on column batches; what those cannot express PostgreSQL evaluates row by row. Chosen
/// by cost among PostgreSQL's own paths, off with orochi.enable_columnar_scan.

/// Registers the node and its planner hook. Called once from _PG_init.
void RegisterColumnarScan();

/// Whether `path` is a ColumnarScan (not parallel-aware).
bool IsColumnarScanPath(const Path* path) noexcept;

/// What reading a relation costs up to the batches: no rows are formed.
/// REQUIRES: IsColumnarScanPath(path).
Cost ColumnarBatchCost(const Path* path) noexcept;
/// Whether filters on batches cover every condition of the scan. Plain code that may raise errors:
/// call inside TryPg. REQUIRES: as above.
bool IsFullyFilteredByBatches(const Path* path) noexcept;

/// The processes of a parallel scan meet here, in dynamic shared memory.
struct SharedColumnarScan {
  pg_atomic_uint64 next_unit;
  pg_atomic_uint64 row_groups_total;
  pg_atomic_uint64 row_groups_read;
  pg_atomic_uint64 row_groups_skipped;
  pg_atomic_uint64 row_pages_read;
  pg_atomic_uint64 rows_removed;
};

/// The C++ side of a running scan.
struct ColumnarScanObjects {
  std::unique_ptr<BatchReader> reader;  // null before the first row is asked for
  std::vector<DatumColumn> columns;     // by position among the emitted columns
  std::vector<uint32_t> rows;           // selected rows of the batch
};

/// A running ColumnarScan. Plain: PostgreSQL allocates and frees it.
struct ColumnarScanState {
  struct Emitted {
    AttrNumber attribute;
    const Datum* values;  // by row of the batch
    const uint8_t* nulls;
  };

  CustomScanState css;  // first: PostgreSQL sees this
  ColumnarScanObjects* objects;
  RuntimeFilter* filters;
  int filter_count;
  ExprState* recheck;  // the filters as PostgreSQL evaluates them, for EvalPlanQual

  Emitted* emitted;
  int emitted_count;

  const uint32_t* rows;  // selected rows of the batch; the next one to emit is rows[position]
  uint32_t row_count;
  uint32_t position;

  bool filters_are_bound;
  bool feeds_changes;  // of an UPDATE or DELETE: its rows are announced
  // The plan has conditions of row security or of a security barrier view. How many rows passed
  // the user's own filters is then nobody's business: all removed rows are counted as one number,
  // as PostgreSQL counts them, and row groups are not shown.
  bool conceals_counters;
  SharedColumnarScan* shared;        // null unless parallel
  BatchReader::Counters published;   // what `shared` has of this process's counters
  BatchReader::Counters of_workers;  // copied from `shared` before it goes away
};

/// The state behind a plan node, or null when it is another kind of node.
ColumnarScanState* AsColumnarScan(PlanState* node) noexcept;

/// Whether batches of this scan are all there is to it: no condition is left for rows.
bool FiltersByBatchesOnly(const ColumnarScanState& scan) noexcept;

/// The open reader of a scan, at its beginning or where the last Next left it, filters bound. Used
/// instead of ExecProcNode, never beside it.
Result<BatchReader*> BatchesOf(ColumnarScanState& scan);

}  // namespace orochi::pg
