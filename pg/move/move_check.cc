#include "pg/move/move_check.h"

#include "pg/move/index_copy.h"
#include "pg/move/order_key.h"

extern "C" {
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "commands/tablecmds.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace orochi::pg {
namespace {

void RefuseKind(const MoveRequest& request, const char* name, const char* schema, char kind) {
  if (kind == RELKIND_PARTITIONED_TABLE) {
    const char* const table = quote_literal_cstr(quote_qualified_identifier(schema, name));
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("table \"%s\" is partitioned and has no rows of its own", name),
                    request.for_chunks != nullptr
                        ? errhint("Use CALL orochi.%s(%s).", request.for_chunks, table)
                        : errhint("Call it for the chunks, for example: SELECT orochi.%s(c) FROM "
                                  "orochi.show_chunks(%s) c.",
                                  request.command, table)));
  }
  ereport(ERROR,
          (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", name),
           errdetail("orochi.%s works on ordinary tables and partitions.", request.command)));
}

void CheckKind(const MoveRequest& request, Form_pg_class form) {
  const char* const name = NameStr(form->relname);
  const char* const schema = get_namespace_name(form->relnamespace);
  if (form->relkind != RELKIND_RELATION) {
    RefuseKind(request, name, schema, form->relkind);
  }
  if (IsSystemClass(form->oid, form) || IsCatalogNamespace(form->relnamespace) ||
      strcmp(schema, "orochi") == 0) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("table \"%s\" is a catalog of the system", name),
                    errdetail("Only tables of users can be moved.")));
  }
  if (form->relpersistence == RELPERSISTENCE_TEMP &&
      !isTempOrTempToastNamespace(form->relnamespace)) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot move temporary tables of other sessions")));
  }
}

// A copy must be visible to snapshots older than itself, and it must be known who wrote the rows of
// the source: both take the help of the access method.
void CheckPlace(Oid access_method) {
  const char* const name = get_am_name(access_method);
  if (access_method != HEAP_TABLE_AM_OID && strcmp(name, "columnar") != 0) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot move tables from or to access method \"%s\"", name),
                    errhint("The places to move between are heap and columnar.")));
  }
}

void CheckSortable(Relation relation, const MoveRequest& request) {
  const char* const name = RelationGetRelationName(relation);
  if (relation->rd_rel->relam != request.access_method) {
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("table \"%s\" is not columnar", name),
             errhint("Make it columnar with orochi.compress_chunk, which sorts it too.")));
  }
  OrderKey order;
  ChooseOrderKey(relation, &order);
  if (order.column_count == 0) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("there is no order to write the rows of table \"%s\" in", name),
                    errhint("Choose one with orochi.set_columnar_options(..., order_by => "
                            "ARRAY['column', ...]).")));
  }
}

}  // namespace

void CheckMoveAllowed(const MoveRequest& request, const char* known_name) noexcept {
  PreventCommandIfReadOnly(request.command);
  PreventCommandIfParallelMode(request.command);
  PreventCommandDuringRecovery(request.command);
  CheckPlace(request.access_method);
  HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(request.relation));
  if (!HeapTupleIsValid(tuple) && known_name != nullptr) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                    errmsg("table \"%s\" was dropped while orochi.%s waited for its lock",
                           known_name, request.command)));
  }
  if (!HeapTupleIsValid(tuple)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                    errmsg("relation with OID %u does not exist", request.relation)));
  }
  auto* const form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  if (!pg_class_ownercheck(request.relation, GetUserId())) {
    aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(form->relkind), NameStr(form->relname));
  }
  CheckKind(request, form);
  if (IsolationUsesXactSnapshot()) {
    // This transaction would go on reading with a snapshot that the move cannot wait for.
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("orochi.%s cannot run in a transaction of isolation level %s", request.command,
                    XactIsoLevel == XACT_SERIALIZABLE ? "SERIALIZABLE" : "REPEATABLE READ"),
             errhint("Use BEGIN ISOLATION LEVEL READ COMMITTED, or set "
                     "default_transaction_isolation.")));
  }
  ReleaseSysCache(tuple);
}

void CheckMovable(Relation relation, const MoveRequest& request, bool wrote_before) noexcept {
  CheckPlace(relation->rd_rel->relam);
  if (request.only_sorts) {
    CheckSortable(relation, request);
  }
  CheckTableNotInUse(relation, "move");
  if (wrote_before && relation->rd_createSubid == InvalidSubTransactionId) {
    // Others must not see these rows before this transaction commits, nor miss the older ones.
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" was written to earlier in this transaction",
                           RelationGetRelationName(relation)),
                    errhint("Commit first, then call orochi.%s.", request.command)));
  }
  CheckIndexesCanBeCopied(relation, request.access_method);
}

}  // namespace orochi::pg
