#pragma once

#include "pg/compat.h"

extern "C" {
#include "utils/relcache.h"
}

namespace orochi::pg::columnar_am {

/// Whether `row_count` rows that a command is about to insert go to row pages; else to a stripe.
///
/// A stripe pays from some hundred rows on, and nobody says beforehand how many a command will
/// insert: its first orochi.columnar_row_page_rows rows go to row pages, what follows to stripes.
/// Rows of a bulk command (`bulk`: CREATE TABLE AS, REFRESH) or more at once than that go to
/// stripes straight away. Always to row pages go rows of a published table, since logical decoding
/// knows heap's records only, and of a table with an exclusion constraint, since other sessions
/// compare with rows whose writer is not done, which of a stripe only the writer has. Rows with a
/// large value are not asked about: they always do. Plain, may ereport.
bool GoToRowPages(Relation relation, int row_count, CommandId command_id, int options, bool bulk);

}  // namespace orochi::pg::columnar_am
