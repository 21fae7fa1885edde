#pragma once

#include "pg/move/move_relation.h"

extern "C" {
#include "utils/rel.h"
}

/// What a move refuses, and how it says so. Plain PostgreSQL code: all of it may ereport.
namespace orochi::pg {

/// Before any lock and again behind it: the relation exists, the user owns it, and it is a table
/// that has storage and belongs to users. Also that this transaction's isolation level allows a
/// move. `known_name` is the name it had before the lock, null when there was no look yet.
void CheckMoveAllowed(const MoveRequest& request, const char* known_name) noexcept;

/// With the lock held: nothing in this session uses the table, and what this transaction may have
/// written to it can be moved. `wrote_before` says whether the transaction held a lock for writing
/// before.
void CheckMovable(Relation relation, const MoveRequest& request, bool wrote_before) noexcept;

}  // namespace orochi::pg
