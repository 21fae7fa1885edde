#pragma once

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::vacuum {

/// Which rows MoveRows moves.
struct MoveRequest {
  bool row_pages;                   // rows of Run::movable_blocks
  PlainArray<StripeEntry> stripes;  // and all rows of these that are still seen
};

/// Moves rows into new stripes, in the table's order, with new tuple ids and index entries. For
/// everybody else it is an update by this transaction: old snapshots see the row where it was, new
/// ones where it is, and who waits for the row follows it. A row that somebody changed meanwhile
/// stays. A stripe all of whose rows moved is dropped. Returns how many rows moved.
/// REQUIRES: BecomeOrdinaryTransaction, an active snapshot.
double MoveRows(Run* run, const MoveRequest& request) noexcept;

}  // namespace orochi::pg::vacuum
