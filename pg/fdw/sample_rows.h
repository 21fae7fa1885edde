#pragma once

#include "pg/bridge.h"

extern "C" {
#include "foreign/fdwapi.h"
}

namespace orochi::pg {

/// ANALYZE of a foreign table: which function samples, and how many pages the table has.
bool AnalyzeTable(Relation relation, AcquireSampleRowsFunc* function, BlockNumber* total_pages);

}  // namespace orochi::pg
