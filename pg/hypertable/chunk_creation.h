#pragma once

#include "pg/bridge.h"

#include "pg/hypertable/catalog.h"

/// Finds and makes chunks: existence is decided by bounds, never by name.
namespace orochi::pg {

struct Chunk {
  Oid relid = InvalidOid;
  timeseries::ChunkRange range = {.first = 1, .last = 0};  // what its bounds cover, inclusive
};

/// The partition of `hypertable` whose bounds hold `ticks`, as this session's relation cache knows
/// it; otherwise relid is InvalidOid and `range` is the free room around `ticks`.
/// kUnsupported for a DEFAULT partition. REQUIRES: a lock on the hypertable.
Result<Chunk> FindChunk(const Hypertable& hypertable, int64_t ticks);

/// Makes the chunk for `ticks` in this transaction and attaches it, or answers the one that exists.
/// The chunk's range is the interval's, clipped to its neighbours. Takes SHARE UPDATE EXCLUSIVE on
/// the hypertable and SHARE ROW EXCLUSIVE on the tables it references, both until commit; waits for
/// each at most orochi.chunk_create_timeout. The chunk is made as and belongs to the hypertable's
/// owner, whoever calls, and nobody else has rights on it.
///
/// kFailedPrecondition when the hypertable is in use by an active statement of this session:
/// PostgreSQL cannot attach to it then (IsInUseHere asks first).
Result<Chunk> CreateChunk(const Hypertable& hypertable, int64_t ticks);

/// Whether this session's executor or a cursor has the relation open beyond the caller's own use
/// of `own_references`.
bool IsInUseHere(Oid relid, int own_references);

}  // namespace orochi::pg
