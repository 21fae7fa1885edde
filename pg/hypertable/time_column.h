#pragma once

#include "pg/bridge.h"
#include "timeseries/chunk_range.h"

extern "C" {
#include "access/attnum.h"
}

namespace orochi::pg {

struct TimeColumn {
  AttrNumber attno;
  timeseries::TimeKind kind;
};

/// The column of this name, or with null the only one of type timestamptz, timestamp or date
/// (domains over them included; nothing tells that an integer is a time). Errors name the table
/// and the candidates. REQUIRES: a lock on the table.
Result<TimeColumn> FindTimeColumn(Oid relid, const char* name);

}  // namespace orochi::pg
