#include "pg/hooks/read_snapshot.h"

#include "base/str_cat.h"
#include "pg/hooks/plan_mark.h"
#include "pg/hypertable/catalog.h"

extern "C" {
#include "access/table.h"
#include "catalog/pg_class_d.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "partitioning/partdesc.h"
#include "storage/lock.h"
#include "storage/predicate.h"
#include "storage/proc.h"
#include "storage/sinvaladt.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

uint32 PartitionsHash(Oid relid) {
  return TryPg([&]() noexcept {
    Relation const relation = table_open(relid, NoLock);
    PartitionDesc const partitions = RelationGetPartitionDesc(relation, false);
    uint32 const hash =
        hash_combine(hash_bytes_uint32(relid),
                     hash_bytes(reinterpret_cast<const unsigned char*>(partitions->oids),
                                partitions->nparts * static_cast<int>(sizeof(Oid))));
    table_close(relation, NoLock);
    return hash;
  });
}

// The hash of a hypertable's partitions as the session knows them now; nothing for other tables.
Result<std::optional<uint32>> CurrentHash(Oid relid) {
  ASSIGN_OR_RETURN(HypertableEntry* const entry, HypertableEntryOf(relid));
  if (!entry->hypertable.has_value()) {
    return std::optional<uint32>();
  }
  while (entry->hashed_generation != entry->generation) {
    uint64_t const generation = entry->generation;
    entry->partitions_hash = PartitionsHash(relid);
    entry->hashed_generation = generation;
  }
  return std::optional<uint32>(entry->partitions_hash);
}

// Partitioned tables that the plan scans, each once. Runs inside TryPg.
List* TablesRead(const PlannedStmt* plan) noexcept {
  List* relids = NIL;
  ListCell* cell = nullptr;
  foreach (cell, plan->rtable) {
    auto const* const entry = static_cast<const RangeTblEntry*>(lfirst(cell));
    if (entry->rtekind == RTE_RELATION && entry->relkind == RELKIND_PARTITIONED_TABLE &&
        entry->inh) {
      relids = list_append_unique_oid(relids, entry->relid);
    }
  }
  return relids;
}

// What a SERIALIZABLE reader does not find in the chunks it can see:
// - Rows of chunks yet to come. Their writer looks for this lock (ensure_chunk.cc).
// - Rows of a chunk that an open transaction made for itself. It holds a lock on the hypertable
// that
//   few others take, until after its commit has become visible.
void MeetWritersOfNewChunks(QueryDesc* query, Oid relid) {
  TryPg([&]() noexcept {
    Relation const relation = table_open(relid, NoLock);
    PredicateLockRelation(relation, query->snapshot);
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
    int count = 0;
    VirtualTransactionId* const holders = GetLockConflicts(&tag, ShareUpdateExclusiveLock, &count);
    for (int index = 0; index < count; ++index) {
      PGPROC* const process = BackendIdGetProc(holders[index].backendId);
      TransactionId const writer = process == nullptr ? InvalidTransactionId : process->xid;
      if (TransactionIdIsNormal(writer)) {
        CheckForSerializableConflictOut(relation, writer, query->snapshot);
      }
    }
    pfree(holders);
    table_close(relation, NoLock);
  });
}

struct Comparison {
  bool is_current;
  Oid hypertable;  // one that the plan reads
};

Result<Comparison> ComparePartitions(const PlannedStmt* plan, uint32 planned_hash) {
  List* const relids = TryPg([&]() noexcept {
    // Whoever committed before the snapshot has sent its messages by now.
    AcceptInvalidationMessages();
    return TablesRead(plan);
  });
  uint32 combined = 0;
  Comparison result = {};
  ListCell* cell = nullptr;
  foreach (cell, relids) {
    ASSIGN_OR_RETURN(std::optional<uint32> const hash, CurrentHash(lfirst_oid(cell)));
    if (hash.has_value()) {
      result.hypertable = lfirst_oid(cell);
      combined ^= *hash;
    }
  }
  result.is_current = combined == planned_hash;
  return result;
}

// Plans again what `query` is about to run, in the current memory context as the old plan's user.
PlannedStmt* PlanAgain(const QueryDesc* query, const PlanMarks& marks, int eflags) {
  return TryPg([&]() noexcept {
    int options = 0;
    if ((eflags & EXEC_FLAG_BACKWARD) != 0) {
      options |= CURSOR_OPT_SCROLL;
    }
    if (query->plannedstmt->parallelModeNeeded) {
      options |= CURSOR_OPT_PARALLEL_OK;
    }
    return planner(static_cast<Query*>(copyObjectImpl(marks.query)), query->sourceText, options,
                   query->params);
  });
}

}  // namespace

Result<ReadTables> HashPartitions(const List* relids) {
  ReadTables found = {};
  if (relids == NIL) {
    return found;
  }
  found.tables = TryPg([&]() noexcept {
    return static_cast<ReadTable*>(
        palloc(sizeof(ReadTable) * static_cast<size_t>(list_length(relids))));
  });
  ListCell* cell = nullptr;
  foreach (cell, relids) {
    ASSIGN_OR_RETURN(std::optional<uint32> const hash, CurrentHash(lfirst_oid(cell)));
    if (hash.has_value()) {
      found.tables[found.count++] = {.relid = lfirst_oid(cell), .partitions_hash = *hash};
    }
  }
  return found;
}

Result<uint32> HashForPlan(const PlannedStmt* plan, const ReadTables& before) {
  List* const relids = TryPg([&]() noexcept { return TablesRead(plan); });
  uint32 combined = 0;
  ListCell* cell = nullptr;
  foreach (cell, relids) {
    Oid const relid = lfirst_oid(cell);
    ReadTable* const end = before.tables + before.count;
    ReadTable* const known = std::find_if(
        before.tables, end, [&](const ReadTable& each) { return each.relid == relid; });
    if (known != end) {
      combined ^= known->partitions_hash;
    } else {
      ASSIGN_OR_RETURN(std::optional<uint32> const hash, CurrentHash(relid));
      combined ^= hash.value_or(0);
    }
  }
  return combined;
}

Status MakePlanCurrent(QueryDesc* query, int eflags) {
  constexpr int kAttemptsMax = 10;
  for (int attempt = 0;; ++attempt) {
    PlanMarks const marks = MarksOf(query->plannedstmt);
    ASSIGN_OR_RETURN(Comparison const compared,
                     ComparePartitions(query->plannedstmt, marks.partitions_hash));
    if (compared.is_current) {
      break;
    }
    if (attempt == kAttemptsMax) {
      return Status::Aborted(StrCat("hypertable ", QualifiedName(compared.hypertable),
                                    " got or lost a chunk each of ", kAttemptsMax,
                                    " times that the statement was planned"))
          .WithHint("Run the statement again.");
    }
    query->plannedstmt = PlanAgain(query, marks, eflags);
  }
  if (IsolationIsSerializable()) {
    List* const relids = TryPg([&]() noexcept { return TablesRead(query->plannedstmt); });
    ListCell* cell = nullptr;
    foreach (cell, relids) {
      ASSIGN_OR_RETURN(std::optional<Hypertable> const hypertable,
                       LookupHypertable(lfirst_oid(cell)));
      if (hypertable.has_value()) {
        MeetWritersOfNewChunks(query, hypertable->relid);
      }
    }
  }
  return Status::Ok();
}

}  // namespace orochi::pg
