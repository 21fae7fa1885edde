#pragma once

#include "pg/am/columnar/row_move.h"
#include "pg/am/columnar/vacuum_run.h"

/// Which rows VACUUM moves into new stripes, and which stripes it drops: enough that the table
/// takes little more than its rows freshly compressed, and no more.
namespace orochi::pg::vacuum {

struct Plan {
  MoveRequest move;
  PlainArray<StripeEntry> empty;  // stripes nobody sees a row of
  double gone_row_count;          // in stripes, seen by nobody
};

/// After FoldStubs.
///
/// 1. A stripe without rows is dropped.
/// 2. What rows that are gone take, and stubs, is waste of their stripes. While there is more than
///    a sixteenth of what all stripes take, the stripe with the largest share is written anew.
/// 3. Rows on row pages move when there are orochi.columnar_row_page_rows, when their pages are
/// more
///    than a fortieth of the table, or when they lie between pages that the file could do without.
/// 4. Small stripes are merged, together with those rows: every stripe left has more rows than all
///    smaller ones together. So there are few, and a row is rewritten seldom.
Plan MakePlan(const Run& run) noexcept;

}  // namespace orochi::pg::vacuum
