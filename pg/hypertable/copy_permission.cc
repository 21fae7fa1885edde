#include "pg/hypertable/copy_permission.h"

extern "C" {
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "commands/copy.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/rls.h"
}

namespace orochi::pg {

namespace {

List* TransformWhere(ParseState* parse_state, const CopyStmt* statement,
                     ParseNamespaceItem* item) noexcept {
  if (statement->whereClause == nullptr) {
    return NIL;
  }
  addNSItemToQuery(parse_state, item, false, true, true);
  Node* where = transformExpr(parse_state, statement->whereClause, EXPR_KIND_COPY_WHERE);
  where = coerce_to_boolean(parse_state, where, "WHERE");
  assign_expr_collations(parse_state, where);
  where = eval_const_expressions(nullptr, where);
  where = reinterpret_cast<Node*>(canonicalize_qual(reinterpret_cast<Expr*>(where), false));
  return make_ands_implicit(reinterpret_cast<Expr*>(where));
}

}  // namespace

void CheckCopySource(const CopyStmt* statement) noexcept {
  if (statement->filename == nullptr) {
    return;
  }
  const char* const hint =
      "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.";
  if (statement->is_program) {
    if (!has_privs_of_role(GetUserId(), ROLE_PG_EXECUTE_SERVER_PROGRAM)) {
      ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                      errmsg("must be superuser or have privileges of the "
                             "pg_execute_server_program role to COPY to or from an external "
                             "program"),
                      errhint("%s", hint)));
    }
  } else if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES)) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("must be superuser or have privileges of the pg_read_server_files "
                           "role to COPY from a file"),
                    errhint("%s", hint)));
  }
}

List* CheckCopyTarget(ParseState* parse_state, const CopyStmt* statement,
                      Relation relation) noexcept {
  ParseNamespaceItem* const item =
      addRangeTableEntryForRelation(parse_state, relation, RowExclusiveLock, nullptr, false, false);
  RangeTblEntry* const entry = item->p_rte;
  entry->requiredPerms = ACL_INSERT;
  List* const where = TransformWhere(parse_state, statement, item);

  List* const attributes = CopyGetAttnums(RelationGetDescr(relation), relation, statement->attlist);
  ListCell* cell = nullptr;
  foreach (cell, attributes) {
    entry->insertedCols =
        bms_add_member(entry->insertedCols, lfirst_int(cell) - FirstLowInvalidHeapAttributeNumber);
  }
  ExecCheckRTPerms(parse_state->p_rtable, true);
  if (check_enable_rls(RelationGetRelid(relation), InvalidOid, false) == RLS_ENABLED) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("COPY FROM not supported with row-level security"),
                    errhint("Use INSERT statements instead.")));
  }
  if (XactReadOnly && !relation->rd_islocaltemp) {
    PreventCommandIfReadOnly("COPY FROM");
  }
  PreventCommandIfParallelMode("COPY FROM");
  return where;
}

}  // namespace orochi::pg
