#pragma once

#include "pg/bridge.h"

extern "C" {
#include "commands/explain.h"
#include "nodes/execnodes.h"
}

/// Execution of scans of foreign tables.
namespace orochi::pg {

void BeginScan(ForeignScanState* state, int flags);
TupleTableSlot* NextRow(ForeignScanState* state);
void RestartScan(ForeignScanState* state);
void EndScan(ForeignScanState* state);
void ExplainScan(ForeignScanState* state, ExplainState* explain);

}  // namespace orochi::pg
