#pragma once

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::vacuum {

/// Copies stripes from the file's end to free pages before it, while others read and write: same
/// rows, same row numbers, so indexes and stubs stay. Who learnt before where a stripe was goes on
/// reading there; those pages are free when all such snapshots are over, or cut by TruncateTail,
/// which lets nobody in.
///
/// Pages of stubs go first, each to the first free page: scattered they narrow the gaps.
/// Stripes are contiguous. Where no gap is wide enough but all together are, the stripes behind the
/// first gap are copied to the file's end, and the next VACUUM finds one wide gap.
///
/// `moved_rows`: this VACUUM leaves more free pages to the next one; then nothing happens unless
/// half of the file is free already.
void RelocateStripes(Run* run, bool moved_rows) noexcept;

}  // namespace orochi::pg::vacuum
