#include "pg/move/index_copy.h"

#include "pg/injection.h"

extern "C" {
#include "access/attmap.h"
#include "access/genam.h"
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "parser/parse_utilcmd.h"
}

namespace orochi::pg {
namespace {

// The copies have the columns of the source under the same numbers.
AttrMap* SameColumns(Relation relation) {
  int const column_count = RelationGetDescr(relation)->natts;
  AttrMap* const map = make_attrmap(column_count);
  for (int index = 0; index < column_count; ++index) {
    map->attnums[index] = static_cast<AttrNumber>(index + 1);
  }
  return map;
}

Oid CopyIndex(Relation source, Oid index_oid, Oid copy) {
  Relation const index = index_open(index_oid, AccessShareLock);
  Oid constraint = InvalidOid;
  IndexStmt* const statement =
      generateClonedIndexStmt(nullptr, index, SameColumns(source), &constraint);
  statement->idxname = psprintf("orochi_move_%u", index_oid);
  statement->idxcomment = nullptr;
  if (statement->excludeOpNames == NIL) {
    // Only its pages are wanted, and those are the same without a constraint in the catalog.
    statement->primary = false;
    statement->isconstraint = false;
    statement->deferrable = false;
    statement->initdeferred = false;
  }
  ObjectAddress const address =
      DefineIndex(copy, statement, InvalidOid, InvalidOid, InvalidOid, /*is_alter_table=*/false,
                  /*check_rights=*/false, /*check_not_in_use=*/false, /*skip_build=*/false,
                  /*quiet=*/true);
  index_close(index, NoLock);
  CommandCounterIncrement();
  return address.objectId;
}

// The access method refuses BRIN as well, but under the name of the copy.
void CheckIndex(Relation relation, Relation index, bool to_columnar) {
  if (!index->rd_index->indisvalid) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("index \"%s\" of table \"%s\" is invalid",
                           RelationGetRelationName(index), RelationGetRelationName(relation)),
                    errhint("Rebuild it with REINDEX INDEX, or drop it.")));
  }
  if (to_columnar && index->rd_rel->relam == BRIN_AM_OID) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("table \"%s\" has BRIN index \"%s\", which columnar tables do not support",
                    RelationGetRelationName(relation), RelationGetRelationName(index)),
             errhint("Drop it first, or keep the table on heap.")));
  }
}

}  // namespace

List* CopyIndexes(Relation source, Oid copy) noexcept {
  List* pairs = NIL;
  ListCell* cell = nullptr;
  foreach (cell, RelationGetIndexList(source)) {
    auto* const pair = static_cast<IndexPair*>(palloc(sizeof(IndexPair)));
    pair->source = lfirst_oid(cell);
    pair->copy = CopyIndex(source, pair->source, copy);
    pairs = lappend(pairs, pair);
    INJECTION_POINT_PLAIN("move_index_built");
  }
  return pairs;
}

void CheckIndexesCanBeCopied(Relation relation, Oid access_method) noexcept {
  ListCell* cell = nullptr;
  foreach (cell, RelationGetIndexList(relation)) {
    Relation const index = index_open(lfirst_oid(cell), AccessShareLock);
    CheckIndex(relation, index, access_method != HEAP_TABLE_AM_OID);
    index_close(index, NoLock);
  }
}

}  // namespace orochi::pg
