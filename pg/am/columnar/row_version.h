#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/row_stub.h"

extern "C" {
#include "access/htup.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace orochi::pg::columnar_am {

/// Rows by tuple id, one at a time, without a scan: AFTER triggers, foreign keys, TID scans, row
/// locks, the old version of a row that is updated. All are plain and may ereport. `slot` stays
/// valid by itself; of a row in a stripe it reads what it is asked for.

/// Fetches the row that the snapshot sees at `tid`, of either kind.
bool FetchVersion(Relation relation, ItemPointer tid, Snapshot snapshot, TupleTableSlot* slot);

/// Fetches a row of a stripe whatever its stub says, if the snapshot sees the stripe.
bool FetchStripeRow(Relation relation, uint64_t row_number, Snapshot snapshot,
                    TupleTableSlot* slot);

/// Fetches a row of a stripe for a check that has no scan of its own: of uniqueness.
bool FetchForCheck(Relation relation, uint64_t row_number, Snapshot snapshot, TupleTableSlot* slot);

/// Whether the snapshot sees the stripe that the row is in.
bool SeesStripeOf(Relation relation, uint64_t row_number, Snapshot snapshot);

/// Whether `snapshot`, which is in use, has the row's insertion behind it: it sees the stripe, or
/// saw the row where VACUUM moved it from since.
bool IsInsertedFor(Relation relation, uint64_t row_number, Snapshot snapshot);

/// Whether `snapshot`, which is in use, sees the row elsewhere: VACUUM moved it here since.
bool IsMovedSince(Relation relation, uint64_t row_number, Snapshot snapshot);

/// Puts a copy of a tuple of a row page into `slot`, of any kind.
void StoreCopy(Relation relation, HeapTuple tuple, TupleTableSlot* slot);

/// The heap tuple that heap's functions may lock, update or delete for `tid`: itself for one on a
/// row page, the stub for a row of a stripe, made if missing. Pinned, the caller releases the pin.
/// False, without a pin, when there is no such row.
bool HeapTargetOf(Relation relation, ItemPointer tid, row_stub::Target* target);

/// Which stripes were seen belongs to one transaction. After an error, or when a storage changed
/// (`all`), what was read of stripes is forgotten, too.
void ForgetFetchedRows(bool all);

}  // namespace orochi::pg::columnar_am
