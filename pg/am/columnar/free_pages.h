#pragma once

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::vacuum {

/// Lets stripes of this transaction go where the file has enough empty row pages in a row.
void OfferFreePages(Run* run) noexcept;

/// Gives the file's empty end back to the file system, if AccessExclusiveLock can be had at once;
/// it stays until the end of the transaction. Pages of stubs at the end go to free ones before it,
/// and places that stripes were copied from are cut, since nobody else has the relation open. Also
/// deletes catalog rows of stripes that were never finished.
void TruncateTail(Run* run) noexcept;

}  // namespace orochi::pg::vacuum
