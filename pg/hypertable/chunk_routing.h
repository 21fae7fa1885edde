#pragma once

#include "pg/bridge.h"

#include "pg/hypertable/chunk_creation.h"

namespace orochi::pg {

/// The value as ticks. Raises 23502 for NULL and 22008 for infinity, naming column and value.
int64_t RequireTicks(const Hypertable& hypertable, Datum time, bool isnull);

/// The chunk for a value of the time column, created when it does not exist: by a worker in a
/// transaction of its own, or in this transaction when no other session could (lock_conflict.h) and
/// no statement of this session has the hypertable open.
///
/// Afterwards this session's relation cache knows the chunk; PartitionDescs that were taken before
/// do not (compare HypertableEntry::generation).
///
/// Errors: those of RequireTicks; kFailedPrecondition with
/// the reason when the chunk can be created by nobody; what creating it raised. Never waits without
/// a bound. REQUIRES: ROW EXCLUSIVE or a stronger lock on the hypertable.
Result<Chunk> EnsureChunkFor(Oid hypertable, Datum time, bool isnull);

/// In a SERIALIZABLE transaction, conflicts with those that have read the hypertable: a reader that
/// ran before a chunk existed cannot have locked it, and has locked the hypertable instead
/// (hooks/read_snapshot.h). Call it when the chunk exists, before rows go there.
void CheckSerializableConflict(Oid hypertable);

}  // namespace orochi::pg
