#pragma once

#include "pg/bridge.h"

extern "C" {
#include "nodes/pg_list.h"
#include "utils/rel.h"
}

/// Gives the copy of a table its own copies of the table's indexes.
namespace orochi::pg {

/// An index of the source, and the index of the same shape on the copy.
struct IndexPair {
  Oid source;
  Oid copy;
};

/// Builds on `copy` an index for each index of `source`: same columns, expressions, predicate,
/// operator classes, options and tablespace, unique where the source is. Returns a List of
/// palloc'ed IndexPair. Plain PostgreSQL code: may ereport.
/// REQUIRES: both have the same columns; every index of the source is valid.
List* CopyIndexes(Relation source, Oid copy) noexcept;

/// Refuses a table one of whose indexes is invalid, since its copy might not be buildable, or is of
/// a kind that the target does not have.
void CheckIndexesCanBeCopied(Relation relation, Oid access_method) noexcept;

}  // namespace orochi::pg
