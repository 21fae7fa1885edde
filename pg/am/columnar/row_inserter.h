#pragma once

#include "pg/compat.h"

extern "C" {
#include "storage/itemptr.h"
}

namespace orochi::pg::columnar_am {

/// The transaction that inserted the row version at `tid` of a relation that the caller has locked:
/// what its system column xmin shows. That of a row in a stripe is the stripe's writer. Plain; may
/// ereport.
TransactionId InserterOf(Oid relation_id, ItemPointer tid);

}  // namespace orochi::pg::columnar_am
