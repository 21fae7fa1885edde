#pragma once

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::vacuum {

/// Copies stripes from the file's end to free pages before it, while others read and write: same
/// rows, same row numbers, so indexes and stubs stay. Who learnt before where a stripe was goes on
/// reading there; those pages are free when all such snapshots are over, or when for a moment
/// nobody has the relation open. Returns the block at which the file may end, InvalidBlockNumber
/// when it may be as long as it is.
///
///   1. Pages of stubs, each to the first free page: scattered they narrow the gaps.
///   2. Stripes, from the last on, to the first gap that is wide enough.
///   3. Stripes are contiguous. When those that are left fit no gap, but gaps together are worth
///      it, they slide to the front; one that is in its own way goes to the file's end first. After
///      each copy AccessExclusiveLock is asked for, without waiting, and given back at once: nobody
///      remembers the place it left, which is free for the next one. Without the lock what is left
///      is left to the next VACUUM.
///
/// `moved_rows`: this VACUUM leaves more free pages to the next one; then nothing happens unless
/// half of the file is free already, and step 3 never.
BlockNumber RelocateStripes(Run* run, bool moved_rows) noexcept;

/// How many rows are in stripes whose previous place cannot be used yet, if the file is longer than
/// `target`: a reason for VACUUM to come again.
double RowsOnTheirWay(const Run& run, BlockNumber target) noexcept;

}  // namespace orochi::pg::vacuum
