#pragma once

#include "pg/compat.h"

extern "C" {
#include "storage/block.h"
#include "utils/relcache.h"
}

namespace orochi::pg {

/// What the planner is told of a columnar relation.
struct SizeEstimate {
  BlockNumber blocks = 0;      // of the file
  BlockNumber row_blocks = 0;  // of those, pages that cost what a heap page does
  double rows = 0;
  double rows_on_pages = 0;  // of those, rows on row pages
};

/// Stripes are counted exactly while they are few, hidden rows are not subtracted; rows on pages
/// are guessed from the width of a row, as for a heap. After ANALYZE what it found is believed
/// while the file does not grow. Errors fly as CaughtError.
SizeEstimate EstimateSizeOf(Relation relation);

}  // namespace orochi::pg
