#include "pg/hypertable/lock_conflict.h"

#include "base/str_cat.h"
#include "pg/hypertable/catalog.h"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"
}

namespace orochi::pg {
namespace {

enum class Reason { kNone, kCreatedHere, kChangedHere, kLockedHere };

struct Conflict {
  Reason reason;
  Oid relation;
  LOCKMODE mode;
};

// Everything below is plain PostgreSQL code: runs inside TryPg.

LOCKMODE StrongLockHeld(Oid relid) noexcept {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
  for (LOCKMODE mode = ShareUpdateExclusiveLock; mode <= AccessExclusiveLock; ++mode) {
    if (LockHeldByMe(&tag, mode)) {
      return mode;
    }
  }
  return NoLock;
}

bool RowChangedHere(Oid relid) noexcept {
  HeapTuple const row = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
  if (!HeapTupleIsValid(row)) {
    return false;
  }
  bool const changed = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
  ReleaseSysCache(row);
  return changed;
}

Conflict ConflictOf(Oid relid) noexcept {
  if (LOCKMODE const mode = StrongLockHeld(relid); mode != NoLock) {
    return {.reason = Reason::kLockedHere, .relation = relid, .mode = mode};
  }
  if (RowChangedHere(relid)) {
    return {.reason = Reason::kChangedHere, .relation = relid, .mode = NoLock};
  }
  return {.reason = Reason::kNone, .relation = relid, .mode = NoLock};
}

Conflict FindConflict(Oid hypertable) noexcept {
  Relation const relation = table_open(hypertable, NoLock);
  Conflict conflict = {.reason = Reason::kNone, .relation = hypertable, .mode = NoLock};
  if (relation->rd_createSubid != InvalidSubTransactionId) {
    conflict.reason = Reason::kCreatedHere;
  } else {
    conflict = ConflictOf(hypertable);
  }
  // Creating the first partition marks the indexes as having children. Copied first: looking at
  // one relation may rebuild the cached lists of another.
  List* related = list_copy(RelationGetIndexList(relation));
  ListCell* cell = nullptr;
  foreach (cell, RelationGetFKeyList(relation)) {
    related = lappend_oid(related, static_cast<ForeignKeyCacheInfo*>(lfirst(cell))->confrelid);
  }
  foreach (cell, related) {
    if (conflict.reason == Reason::kNone && lfirst_oid(cell) != hypertable) {
      conflict = ConflictOf(lfirst_oid(cell));
    }
  }
  table_close(relation, NoLock);
  return conflict;
}

}  // namespace

bool NeedsOwnSession(Oid hypertable) {
  return TryPg([&]() noexcept { return FindConflict(hypertable).reason != Reason::kNone; });
}

std::optional<std::string> WhyNoWorker(Oid hypertable) {
  Conflict const conflict = TryPg([&]() noexcept { return FindConflict(hypertable); });
  std::string const name = QualifiedName(conflict.relation);
  switch (conflict.reason) {
    case Reason::kNone:
      return std::nullopt;
    case Reason::kCreatedHere:
      return StrCat("this transaction created ", name);
    case Reason::kChangedHere:
      return StrCat("this transaction changed the definition of ", name);
    case Reason::kLockedHere:
      return StrCat("this transaction holds ", TryPg([&]() noexcept {
                      return GetLockmodeName(DEFAULT_LOCKMETHOD, conflict.mode);
                    }),
                    " on ", name);
  }
  return std::nullopt;
}

}  // namespace orochi::pg
