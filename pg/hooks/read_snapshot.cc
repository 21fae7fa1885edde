#include "pg/hooks/read_snapshot.h"

#include "base/str_cat.h"
#include "pg/hypertable/catalog.h"

extern "C" {
#include "access/table.h"
#include "catalog/pg_class_d.h"
#include "common/hashfn.h"
#include "partitioning/partdesc.h"
#include "storage/predicate.h"
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

void LockAgainstNewChunks(QueryDesc* query, Oid relid) {
  TryPg([&]() noexcept {
    Relation const relation = table_open(relid, NoLock);
    PredicateLockRelation(relation, query->snapshot);
    table_close(relation, NoLock);
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

Status CheckReadSnapshot(QueryDesc* query, uint32 planned_hash) {
  List* const relids = TryPg([&]() noexcept {
    // Whoever committed before the snapshot has sent its messages by now.
    AcceptInvalidationMessages();
    return TablesRead(query->plannedstmt);
  });
  uint32 combined = 0;
  Oid hypertable = InvalidOid;
  ListCell* cell = nullptr;
  foreach (cell, relids) {
    ASSIGN_OR_RETURN(std::optional<uint32> const hash, CurrentHash(lfirst_oid(cell)));
    if (hash.has_value()) {
      hypertable = lfirst_oid(cell);
      combined ^= *hash;
      if (IsolationIsSerializable()) {
        LockAgainstNewChunks(query, hypertable);
      }
    }
  }
  if (combined != planned_hash) {
    return Status::Aborted(StrCat("hypertable ", QualifiedName(hypertable),
                                  " got or lost a chunk while the statement was being planned"))
        .WithHint("Run the statement again.");
  }
  return Status::Ok();
}

}  // namespace orochi::pg
