#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/htup_details.h"
#include "utils/relcache.h"
}

namespace orochi::pg {

/// Which transactions changed the rows of a columnar table, for those who write all rows anew: a
/// snapshot older than such a change sees other rows than one taken now.
///
/// Aborted transactions may count; changes that every snapshot sees may be left out. Plain: may
/// ereport. REQUIRES: no other transaction writes to the table.

/// The newest transaction but our own; invalid when every snapshot sees the same rows.
TransactionId NewestChange(Relation relation) noexcept;

/// Whether all were committed before any snapshot in use, and none is our own.
bool AllChangesOlderThan(Relation relation, TransactionId oldest_xmin) noexcept;

/// Calls visit(xid, state) for the transactions that wrote or ended this version of a row.
void VisitChangesOf(HeapTupleHeader tuple, void (*visit)(TransactionId xid, void* state),
                    void* state) noexcept;

/// A `visit` that keeps the newest but our own: `state` is a TransactionId, invalid at first.
void KeepNewest(TransactionId xid, void* state) noexcept;

}  // namespace orochi::pg
