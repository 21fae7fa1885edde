#pragma once

#include "pg/bridge.h"

namespace orochi::pg {

/// Why another session's transaction could not create chunks of the hypertable while this
/// transaction is open, as a text that continues "because ..."; nothing when it could:
///
/// - this transaction created the table, or changed its catalog row: nobody else sees that yet;
/// - it holds a lock stronger than ROW EXCLUSIVE on the table or on one it references by a foreign
///   key: the other session would wait for this one, or miss what was done under the lock.
///
/// ROW EXCLUSIVE and weaker locks (any SELECT, INSERT, UPDATE, DELETE) do not matter: the worker
/// that creates chunks is in this session's lock group.
/// REQUIRES: a lock on the hypertable.
std::optional<std::string> WhyNoWorker(Oid hypertable);

/// The same as a yes or no, cheap enough for every statement: it looks only when this transaction
/// has run a command, or changed a relation, that can have done any of it. A conflict that comes
/// about otherwise (a C function that only locks) is still found by WhyNoWorker when a chunk is
/// missing.
bool NeedsOwnSession(Oid hypertable);

/// Tells that this transaction takes a strong lock without a command, as functions do.
void NoteStrongLock();

/// Watches for such commands. Called once from _PG_init.
void RegisterLockConflict();

}  // namespace orochi::pg
