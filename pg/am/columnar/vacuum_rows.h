#pragma once

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::vacuum {

/// Looks at every page that is in no stripe: prunes and freezes row pages, notes what is dead, what
/// may move and which pages are empty. Pages of stripes that nobody sees become empty row pages.
void VisitRowPages(Run* run) noexcept;

/// Makes pages of stripes that nobody reads any more empty row pages. The free space map learns
/// nothing of it.
void EmptyStripePages(Run* run, const BlockRun& pages) noexcept;

/// Makes the line pointers of dead rows, which no index names any more, free.
void FreeDeadPlaces(Run* run) noexcept;

}  // namespace orochi::pg::vacuum
