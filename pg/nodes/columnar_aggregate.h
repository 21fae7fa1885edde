#pragma once

#include "pg/compat.h"

#include "pg/nodes/aggregate_function.h"

extern "C" {
#include "nodes/extensible.h"
}

namespace orochi::pg {

/// Custom Scan (ColumnarAggregate): aggregates without GROUP BY over one columnar relation, or over
/// an Append of which some are columnar. Columnar children hand over column batches; any other
/// child runs as PostgreSQL planned it and its rows are gathered into batches. Children are read
/// one after the other in Append's order, so float results have the bits of PostgreSQL's own
/// aggregate over the same plan. Off with orochi.enable_vectorized_execution.

/// Registers the node and its planner hook. Called once from _PG_init, after RegisterColumnarScan.
void RegisterColumnarAggregate();

inline constexpr char kColumnarAggregateName[] = "ColumnarAggregate";
extern const CustomScanMethods columnar_aggregate_methods;

/// The plan node carries its aggregate calls as custom_scan_tlist, and in custom_private one
/// integer for each: the position of its column in the child's target list, 0 when it counts rows.

}  // namespace orochi::pg
