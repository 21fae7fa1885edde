#pragma once

#include "pg/bridge.h"

extern "C" {
#include "executor/execdesc.h"
#include "nodes/plannodes.h"
}

/// What a statement that reads hypertables must see of chunks that appear meanwhile.
///
/// PostgreSQL plans before it takes the snapshot a statement runs with, and a cached plan may be
/// older still: a lock that the transaction holds already brings no news. A transaction that
/// commits in between may have attached a chunk and filled it: the snapshot sees its rows in old
/// chunks, the plan does not know the new one, and the reader would get half of the transaction. So
/// the partitions that a plan was made for are hashed into its marks, and a statement that starts
/// with other partitions is planned again.
namespace orochi::pg {

/// A partitioned table that a query reads, and its partitions when planning began.
struct ReadTable {
  Oid relid;
  uint32 partitions_hash;
};
struct ReadTables {
  int count;
  ReadTable* tables;  // palloced
};

/// The hypertables among `relids`.
Result<ReadTables> HashPartitions(const List* relids);

/// The combined hash for a finished plan, which may read fewer tables than the query, or more where
/// SQL functions were inlined.
Result<uint32> HashForPlan(const PlannedStmt* plan, const ReadTables& before);

/// Before standard_ExecutorStart of a plan marked `reads`: exchanges query->plannedstmt when chunks
/// came or went since it was made. kAborted when they do so again and again.
/// A SERIALIZABLE reader also meets the writers of chunks that it cannot see yet: it locks the
/// hypertables against later ones, and conflicts with those that are open.
Status MakePlanCurrent(QueryDesc* query, int eflags);

}  // namespace orochi::pg
