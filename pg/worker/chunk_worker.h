#pragma once

#include "pg/bridge.h"

/// A background worker that creates one chunk in a transaction of its own, for a statement that has
/// the hypertable open and therefore cannot.
///
/// The worker joins the lock group of the session that asked. So it does not wait for that
/// session's own locks, and PostgreSQL's deadlock detector takes both for one process: a cycle
/// through the worker is found and reported like any other.
namespace orochi::pg {

/// Makes the committed chunk of `hypertable` that holds `ticks`, unless it exists by then. Returns
/// when the worker's transaction has ended.
///
/// Bounds: waits at most orochi.chunk_create_timeout for a free worker and as long again for locks;
/// then kTimeout, or kResourceExhausted when no worker slot was free. An error of the worker comes
/// back with its SQLSTATE, DETAIL and HINT.
/// REQUIRES: the hypertable is committed, and this transaction holds no lock on it or on the tables
/// it references that is stronger than ROW EXCLUSIVE (hypertable/lock_conflict.h).
Status CreateChunkInWorker(Oid hypertable, int64_t ticks);

}  // namespace orochi::pg
