#pragma once

#include "pg/bridge.h"
#include "pg/hypertable/chunk_creation.h"

/// Which chunks a hypertable has, and which of them lie before or after a time.
namespace orochi::pg {

/// All chunks, by time. REQUIRES: a lock on the hypertable.
std::vector<Chunk> ListChunks(const Hypertable& hypertable);

/// An older_than or newer_than as SQL gave it: an argument of type "any".
struct TimeArgument {
  bool is_null = true;
  Oid type = InvalidOid;
  Datum value = 0;
};

/// Chunks that end at or before `older_than` and begin at or after `newer_than`, as far as given.
/// Ticks; the ends of int64 stand for infinity.
struct ChunkFilter {
  std::optional<int64_t> older_than;
  std::optional<int64_t> newer_than;

  bool Accepts(const timeseries::ChunkRange& range) const {
    return (!older_than.has_value() || range.last < *older_than) &&
           (!newer_than.has_value() || range.first >= *newer_than);
  }
};

/// Reads the arguments as the time column needs them: a time of any type, an interval back from
/// now(), or an integer. An untyped literal is a time if it reads as one, otherwise an interval.
/// kInvalidArgument names the argument that has another type.
Result<ChunkFilter> ResolveFilter(const Hypertable& hypertable, const TimeArgument& older_than,
                                  const TimeArgument& newer_than);

}  // namespace orochi::pg
