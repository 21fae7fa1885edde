#include "pg/move/move_relation.h"

#include "pg/injection.h"
#include "pg/move/bounded_wait.h"
#include "pg/move/move_check.h"
#include "pg/move/row_copy.h"
#include "pg/move/standby_conflict.h"
#include "pg/move/storage_swap.h"
#include "pg/settings.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/toasting.h"
#include "commands/cluster.h"
#include "commands/tablecmds.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace orochi::pg {
namespace {

// What the copying steps leave for the later ones.
struct Copy {
  Oid relation;
  List* indexes;  // of IndexPair
  RowCopyResult rows;
};

// Sort operators and index expressions are the owner's code: they run with the owner's rights.
class OwnerScope {
 public:
  explicit OwnerScope(Oid owner) {
    GetUserIdAndSecContext(&user_, &security_);
    SetUserIdAndSecContext(owner, security_ | SECURITY_RESTRICTED_OPERATION);
  }
  // On errors the (sub)transaction's abort restores the user too.
  ~OwnerScope() { SetUserIdAndSecContext(user_, security_); }
  OwnerScope(const OwnerScope&) = delete;
  OwnerScope& operator=(const OwnerScope&) = delete;

 private:
  Oid user_ = InvalidOid;
  int security_ = 0;
};

Oid MakeEmptyCopy(Relation source, Oid access_method) noexcept {
  Oid const copy_oid = make_new_heap(RelationGetRelid(source), source->rd_rel->reltablespace,
                                     access_method, source->rd_rel->relpersistence, NoLock);
  CommandCounterIncrement();
  if (!OidIsValid(source->rd_rel->reltoastrelid)) {
    // Only a table with TOAST table gave its copy one; the target may need it all the same. The
    // last argument marks it as part of a rewrite, which logical decoding skips.
    NewHeapCreateToastTable(copy_oid, 0, AccessExclusiveLock, RelationGetRelid(source));
    CommandCounterIncrement();
  }
  return copy_oid;
}

void CheckCount(Relation source, Relation copy, int64 expected) {
  CommandCounterIncrement();
  int64 const found = CountRows(copy);
  if (found != expected) {
    ereport(ERROR,
            (errcode(ERRCODE_INTERNAL_ERROR),
             errmsg("the copy of table \"%s\" has " INT64_FORMAT " rows, the table " INT64_FORMAT,
                    RelationGetRelationName(source), found, expected)));
  }
}

// Errors in the middle name the copy, which no user has ever seen.
void NameTheMove(void* source) {
  errcontext("while copying table \"%s\"", RelationGetRelationName(static_cast<Relation>(source)));
}

// Steps 2 and 3. Plain code.
void MakeCopy(Relation source, const MoveRequest& request, bool visible_to_all,
              Copy* out) noexcept {
  OrderKey order = {};
  if (request.order_by != nullptr) {
    ParseOrderKey(source, request.order_by, &order);
  } else if (request.access_method != HEAP_TABLE_AM_OID) {
    ChooseOrderKey(source, &order);
  }
  out->relation = MakeEmptyCopy(source, request.access_method);
  Relation const copy = table_open(out->relation, NoLock);
  INJECTION_POINT_PLAIN("move_copy_created");
  CopyRows(source, copy, {.order = &order, .visible_to_all = visible_to_all}, &out->rows);
  CheckCount(source, copy, out->rows.row_count);
  table_close(copy, NoLock);
  INJECTION_POINT_PLAIN("move_rows_copied");
  out->indexes = CopyIndexes(source, out->relation);
}

Copy MakeCopyAsOwner(Relation source, const MoveRequest& request, bool visible_to_all) {
  OwnerScope const owner(source->rd_rel->relowner);
  return TryPg([&]() noexcept {
    ErrorContextCallback callback = {error_context_stack, &NameTheMove, source};
    error_context_stack = &callback;
    int const nest_level = NewGUCNestLevel();
    // The copies of indexes go where the originals are, not where new ones would.
    set_config_option("default_tablespace", "", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
                      0, false);
    Copy copy = {};
    MakeCopy(source, request, visible_to_all, &copy);
    AtEOXact_GUC(false, nest_level);
    error_context_stack = callback.previous;
    return copy;
  });
}

// Steps 4 and 5.
Status ShowCopy(Oid relation, const char* name, const Copy& copy, bool visible_to_all) {
  Deadline const deadline(settings.move_timeout_ms);
  bool const may_differ = visible_to_all && TransactionIdIsValid(copy.rows.newest_change);
  if (may_differ) {
    RETURN_IF_ERROR(WaitForSnapshotsUpTo(copy.rows.newest_change, name, deadline));
  }
  INJECTION_POINT("move_before_lock");
  RETURN_IF_ERROR(LockTableExclusivelyInTurns(relation, deadline));
  TryPg([&]() noexcept {
    if (may_differ) {
      Relation const table = table_open(relation, NoLock);
      LogSnapshotConflict(table, copy.rows.newest_change);
      table_close(table, NoLock);
    }
    INJECTION_POINT_PLAIN("move_before_swap");
    SwapStorage(relation, copy.relation, copy.indexes, copy.rows.row_count);
  });
  return Status::Ok();
}

}  // namespace

Result<bool> MoveRelation(const MoveRequest& request) {
  const char* const known_name = TryPg([&]() noexcept {
    CheckMoveAllowed(request, nullptr);
    return get_rel_name(request.relation);
  });
  bool const wrote_before = TryPg([&]() noexcept {
    return CheckRelationOidLockedByMe(request.relation, RowExclusiveLock, /*orstronger=*/false);
  });
  RETURN_IF_ERROR(
      LockTableUntil(request.relation, ShareRowExclusiveLock, Deadline(settings.move_timeout_ms)));
  // While waiting, the table may have been dropped or changed hands; another move may have won.
  Relation const source = TryPg([&]() noexcept {
    CheckMoveAllowed(request, known_name);
    return table_open(request.relation, NoLock);
  });
  if (request.only_if_different && source->rd_rel->relam == request.access_method) {
    TryPg([&]() noexcept { table_close(source, NoLock); });
    return false;
  }
  TryPg([&]() noexcept { CheckMovable(source, request, wrote_before); });
  // The rows of a table made in this transaction are nobody else's yet: they go on belonging to
  // this transaction. All others were committed, and stay visible to old snapshots.
  bool const visible_to_all = source->rd_createSubid == InvalidSubTransactionId;
  std::string const name = RelationGetRelationName(source);
  Copy const copy = MakeCopyAsOwner(source, request, visible_to_all);
  TryPg([&]() noexcept { table_close(source, NoLock); });
  RETURN_IF_ERROR(ShowCopy(request.relation, name.c_str(), copy, visible_to_all));
  return true;
}

}  // namespace orochi::pg
