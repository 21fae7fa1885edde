#pragma once

#include "pg/bridge.h"

extern "C" {
#include "executor/execdesc.h"
#include "nodes/plannodes.h"
}

/// What a statement that reads hypertables must see of chunks that appear meanwhile.
///
/// PostgreSQL plans before it takes the snapshot a statement runs with. A transaction that commits
/// in between may have attached a chunk and filled it: the snapshot sees its rows in old chunks,
/// the plan does not know the new one, and the reader would get half of the transaction. So the
/// partitions that a plan was made for are hashed into its marks, and compared when it starts.
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

/// Raises 40001 when a chunk came or went between planning and the statement's snapshot.
/// A SERIALIZABLE reader also locks the hypertables against chunks it cannot see yet.
Status CheckReadSnapshot(QueryDesc* query, uint32 planned_hash);

}  // namespace orochi::pg
