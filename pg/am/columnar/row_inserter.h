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

/// What the row version's system columns xmax, cmin and cmax show, as in heap: the last transaction
/// that locked or ended it, and a command. Of a row in a stripe nobody did so: zeros.
struct LastChange {
  TransactionId xmax;
  CommandId command_id;
};
LastChange LastChangeOf(Oid relation_id, ItemPointer tid);

}  // namespace orochi::pg::columnar_am
