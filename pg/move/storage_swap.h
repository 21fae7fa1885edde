#pragma once

#include "pg/move/index_copy.h"

/// Exchanges the storage of a table and its copy, which keep their OIDs, names, privileges,
/// triggers and everything else that is not storage.
namespace orochi::pg {

/// Gives `relation` the files, access method, TOAST table and page statistics of `copy`, and
/// each index in `indexes` those of its copy; then drops `copy` with the old files, which are
/// removed when the transaction commits. Plain PostgreSQL code: may ereport.
/// REQUIRES: ACCESS EXCLUSIVE on `relation`; neither is open; `copy` was made by make_new_heap in
/// this transaction and holds `row_count` rows.
void SwapStorage(Oid relation, Oid copy, List* indexes, int64 row_count) noexcept;

}  // namespace orochi::pg
