#pragma once

#include "pg/compat.h"

extern "C" {
#include "storage/itemptr.h"
#include "utils/relcache.h"
}

/// Whether indexes of a columnar table and its rows agree.
namespace orochi::pg::columnar_am {

/// What does not fit: the tuple id that an entry or a row has, and why, in words.
struct IndexProblems {
  void* state;
  void (*report)(void* state, const ItemPointerData& tid, const char* problem) noexcept;
};

/// Looks at every valid btree index, also partial ones and those of expressions:
///
/// - An entry leads to a line pointer in use of a row page that is not in the middle of a chain, or
///   to a row number that was given out.
/// - A row that a snapshot of now sees, and that the index's predicate takes, has one entry, with
///   the row's values.
/// - Of the rows that a snapshot of now sees no two have the same key of a unique index, as far as it
///   is checked at once or nothing is still to be checked: the transaction's own changes.
///
/// Reads an index once, a unique one twice, and the table once per index; when entries do not fit maintenance_work_mem
/// at 16 bytes each, several times. Plain PostgreSQL code that may ereport.
/// REQUIRES: ShareUpdateExclusiveLock on the relation. Others may write.
void CheckIndexes(Relation relation, const IndexProblems& problems) noexcept;

}  // namespace orochi::pg::columnar_am
