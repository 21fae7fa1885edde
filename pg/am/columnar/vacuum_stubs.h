#pragma once

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::vacuum {

/// Notes rows of stripes whose stubs are dead to everybody.
void VisitStubs(Run* run) noexcept;

/// Makes those stubs, which no index names any more, rows that are gone; freezes the others; takes
/// away stubs whose lockers are done; packs what is left. Fills Run::stub_segments.
void FoldStubs(Run* run) noexcept;

/// How many rows of the stripe are gone. After FoldStubs.
uint64_t GoneRowsOf(const Run& run, const StripeEntry& stripe) noexcept;

}  // namespace orochi::pg::vacuum
