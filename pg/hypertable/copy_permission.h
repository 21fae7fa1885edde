#pragma once

#include "pg/compat.h"

extern "C" {
#include "nodes/parsenodes.h"
#include "parser/parse_node.h"
#include "utils/rel.h"
}

namespace orochi::pg {

/// What PostgreSQL asks before COPY FROM reads anything. All of it raises PostgreSQL's errors: run
/// inside TryPg.

/// The right to read a file of the server or to run a program there, when the statement does.
void CheckCopySource(const CopyStmt* statement) noexcept;

/// Adds the relation to the parse state with the columns the statement writes, checks INSERT
/// permission on them, row security and read-only transactions, and returns the transformed WHERE
/// clause in implicit-AND form, or NIL.
List* CheckCopyTarget(ParseState* parse_state, const CopyStmt* statement,
                      Relation relation) noexcept;

}  // namespace orochi::pg
