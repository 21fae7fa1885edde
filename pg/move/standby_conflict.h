#pragma once

#include "pg/bridge.h"

extern "C" {
#include "utils/rel.h"
}

/// What a primary cannot wait for: queries of a standby that feeds nothing back.
namespace orochi::pg {

/// Tells standbys, in the WAL before what follows, that queries whose snapshot may be as old as
/// `newest_change` must end: recovery there waits for them as long as max_standby_*_delay says and
/// then cancels them with its usual conflict error. Does nothing where no standby can query.
/// Plain PostgreSQL code: may ereport.
void LogSnapshotConflict(Relation relation, TransactionId newest_change) noexcept;

}  // namespace orochi::pg
