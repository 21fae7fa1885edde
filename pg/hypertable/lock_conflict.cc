#include "pg/hypertable/lock_conflict.h"

#include "base/str_cat.h"
#include "pg/hypertable/catalog.h"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class_d.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/utility.h"
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

ProcessUtility_hook_type previous_utility_hook = nullptr;
object_access_hook_type previous_access_hook = nullptr;
bool command_seen = false;  // in this transaction

// Commands that neither lock a table strongly nor change a definition by themselves. EXECUTE and
// EXPLAIN come back here for what they run, when that is a command.
bool IsHarmless(const Node* statement) noexcept {
  switch (nodeTag(statement)) {
    case T_TransactionStmt:
    case T_PrepareStmt:
    case T_ExecuteStmt:
    case T_DeallocateStmt:
    case T_ExplainStmt:
    case T_VariableSetStmt:
    case T_VariableShowStmt:
    case T_DeclareCursorStmt:
    case T_FetchStmt:
    case T_ClosePortalStmt:
    case T_DoStmt:
    case T_CallStmt:
      return true;
    default:
      return false;
  }
}

void RunUtility(PlannedStmt* statement, const char* text, bool is_read_only,
                ProcessUtilityContext context, ParamListInfo parameters,
                QueryEnvironment* environment, DestReceiver* receiver,
                QueryCompletion* completion) {
  if (!IsHarmless(statement->utilityStmt)) {
    command_seen = true;
  }
  if (previous_utility_hook != nullptr) {
    previous_utility_hook(statement, text, is_read_only, context, parameters, environment, receiver,
                          completion);
  } else {
    standard_ProcessUtility(statement, text, is_read_only, context, parameters, environment,
                            receiver, completion);
  }
}

// Functions, ours among them, create, change and drop relations without a command.
void OnObjectAccess(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id,
                    void* argument) {
  if (class_id == RelationRelationId && access != OAT_NAMESPACE_SEARCH &&
      access != OAT_FUNCTION_EXECUTE) {
    command_seen = true;
  }
  if (previous_access_hook != nullptr) {
    previous_access_hook(access, class_id, object_id, sub_id, argument);
  }
}

void OnTransactionEnd(XactEvent event, void* /*arg*/) noexcept {
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
    command_seen = false;
  }
}

}  // namespace

void RegisterLockConflict() {
  previous_utility_hook = ProcessUtility_hook;
  ProcessUtility_hook = &RunUtility;
  previous_access_hook = object_access_hook;
  object_access_hook = &OnObjectAccess;
  RegisterXactCallback(&OnTransactionEnd, nullptr);
}

void NoteStrongLock() {
  command_seen = true;
}

bool NeedsOwnSession(Oid hypertable) {
  return command_seen &&
         TryPg([&]() noexcept { return FindConflict(hypertable).reason != Reason::kNone; });
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
