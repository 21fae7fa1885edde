#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/tuple_id.h"

extern "C" {
#include "access/htup_details.h"
#include "access/tableam.h"
#include "storage/predicate.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace orochi::pg {

/// To be called for a tuple of a row page, or a stub, that a reader found by its tuple id and sees,
/// while it holds the page's pin. When VACUUM moved the row after the reader's snapshot, whoever
/// changes it looks for the reader's predicate lock at the new place: the lock goes on the table.
/// VACUUM itself does so for readers that came before it, and one that comes by an index mostly
/// meets the entry of the new place, too, but not when it read the index before. Plain, may
/// ereport.
inline void LockTableIfMoved(Relation relation, HeapTupleHeader tuple, Snapshot snapshot) noexcept {
  // Of all t_ctid only that of a row that moved names a row of a stripe.
  if (RowOfTid(tuple->t_ctid).has_value()) {
    PredicateLockRelation(relation, snapshot);
  }
}

/// Whether `result` of heap's functions says no more than that VACUUM moved the row to
/// failure.ctid: whoever wanted to lock or change it may do so there.
inline bool IsMove(TM_Result result, const TM_FailureData& failure) {
  return result == TM_Updated && RowOfTid(failure.ctid).has_value();
}

}  // namespace orochi::pg
