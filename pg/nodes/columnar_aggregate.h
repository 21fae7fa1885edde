#pragma once

#include "pg/compat.h"

extern "C" {
#include "nodes/extensible.h"
}

namespace orochi::pg {

/// Custom Scan (ColumnarAggregate): count, sum, avg, min and max, with or without GROUP BY, over
/// one columnar relation, or over an Append of which some are columnar. Columnar children hand over
/// column batches; any other child runs as PostgreSQL planned it and its rows are gathered into
/// batches. Children are read one after the other in Append's order, so float results have the bits
/// of PostgreSQL's own (plain or hashed) aggregate over the same plan. When the groups pass
/// work_mem * hash_mem_multiplier, the input is read again for a share of the keys at a time. Off
/// with orochi.enable_vectorized_execution.

/// Registers the node and its planner hook. Called once from _PG_init, after RegisterColumnarScan.
void RegisterColumnarAggregate();

inline constexpr char kColumnarAggregateName[] = "ColumnarAggregate";
extern const CustomScanMethods columnar_aggregate_methods;

// The plan node: custom_scan_tlist holds the group keys, then the aggregate calls. custom_private
// holds one list of integers: how many keys there are, then for each entry of custom_scan_tlist the
// position of its column in the child's target list, 0 for a count of rows.

}  // namespace orochi::pg
