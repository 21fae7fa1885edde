#include "pg/move/storage_swap.h"

#include "pg/injection.h"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/visibilitymap.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "commands/tablecmds.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace orochi::pg {
namespace {

// The row of pg_class, for reading and for CatalogTupleUpdate.
struct ClassRow {
  HeapTuple tuple;
  Form_pg_class form;
};

ClassRow FetchClassRow(Oid relation) {
  HeapTuple const tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                    errmsg("relation with OID %u does not exist", relation)));
  }
  return {tuple, reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))};
}

// Writes both rows. The files of `first` are new in this transaction: with wal_level = minimal
// they were not logged and must be synced at commit, which the relation cache has to know.
void StoreExchanged(Oid first, const ClassRow& first_row, Oid second, const ClassRow& second_row) {
  Relation const pg_class = table_open(RelationRelationId, RowExclusiveLock);
  CatalogIndexState const indexes = CatalogOpenIndexes(pg_class);
  CatalogTupleUpdateWithInfo(pg_class, &first_row.tuple->t_self, first_row.tuple, indexes);
  CatalogTupleUpdateWithInfo(pg_class, &second_row.tuple->t_self, second_row.tuple, indexes);
  CatalogCloseIndexes(indexes);
  table_close(pg_class, RowExclusiveLock);

  Relation const first_relation = relation_open(first, NoLock);
  Relation const second_relation = relation_open(second, NoLock);
  second_relation->rd_createSubid = first_relation->rd_createSubid;
  second_relation->rd_newRelfilenodeSubid = first_relation->rd_newRelfilenodeSubid;
  second_relation->rd_firstRelfilenodeSubid = first_relation->rd_firstRelfilenodeSubid;
  RelationAssumeNewRelfilenode(first_relation);
  relation_close(first_relation, NoLock);
  relation_close(second_relation, NoLock);
  CommandCounterIncrement();
  RelationCloseSmgrByOid(first);
  RelationCloseSmgrByOid(second);
}

void SwapFiles(Form_pg_class first, Form_pg_class second) {
  std::swap(first->relfilenode, second->relfilenode);
  std::swap(first->reltablespace, second->reltablespace);
  std::swap(first->relpages, second->relpages);
  std::swap(first->reltuples, second->reltuples);
  std::swap(first->relallvisible, second->relallvisible);
}

void SwapIndexStorage(Oid index, Oid copy) {
  LockRelationOid(index, AccessExclusiveLock);
  LockRelationOid(copy, AccessExclusiveLock);
  ClassRow const index_row = FetchClassRow(index);
  ClassRow const copy_row = FetchClassRow(copy);
  SwapFiles(index_row.form, copy_row.form);
  StoreExchanged(index, index_row, copy, copy_row);
}

// Moves the dependency on an access method along. Built-in ones are not recorded, which
// changeDependencyFor knows.
void ChangeAccessMethod(Oid relation, Oid from, Oid to) {
  if (changeDependencyFor(RelationRelationId, relation, AccessMethodRelationId, from, to) != 1) {
    ereport(ERROR,
            (errcode(ERRCODE_INTERNAL_ERROR),
             errmsg("relation with OID %u has no dependency on access method %u", relation, from)));
  }
}

void OwnToastTable(Oid toast, Oid owner) {
  if (!OidIsValid(toast)) {
    return;
  }
  ObjectAddress const toast_address = {RelationRelationId, toast, 0};
  ObjectAddress const owner_address = {RelationRelationId, owner, 0};
  recordDependencyOn(&toast_address, &owner_address, DEPENDENCY_INTERNAL);
}

void SwapToastOwners(Oid relation, Oid relation_toast, Oid copy, Oid copy_toast) {
  for (Oid const toast : {relation_toast, copy_toast}) {
    if (OidIsValid(toast)) {
      deleteDependencyRecordsFor(RelationRelationId, toast, false);
    }
  }
  OwnToastTable(relation_toast, relation);
  OwnToastTable(copy_toast, copy);
}

void CountPages(Oid copy, int64 row_count, Form_pg_class form) {
  Relation const relation = table_open(copy, NoLock);
  BlockNumber all_visible = 0;
  if (relation->rd_rel->relam == HEAP_TABLE_AM_OID) {
    visibilitymap_count(relation, &all_visible, nullptr);
  }
  form->relpages = static_cast<int32>(RelationGetNumberOfBlocks(relation));
  form->reltuples = static_cast<float4>(row_count);
  form->relallvisible = static_cast<int32>(all_visible);
  table_close(relation, NoLock);
}

void SwapTableStorage(Oid relation, Oid copy, int64 row_count) {
  ClassRow const relation_row = FetchClassRow(relation);
  ClassRow const copy_row = FetchClassRow(copy);
  Form_pg_class const mine = relation_row.form;
  Form_pg_class const theirs = copy_row.form;
  CountPages(copy, row_count, theirs);
  SwapFiles(mine, theirs);
  std::swap(mine->relam, theirs->relam);
  std::swap(mine->reltoastrelid, theirs->reltoastrelid);
  std::swap(mine->relfrozenxid, theirs->relfrozenxid);
  std::swap(mine->relminmxid, theirs->relminmxid);
  if (mine->relam != theirs->relam) {
    ChangeAccessMethod(relation, theirs->relam, mine->relam);
    ChangeAccessMethod(copy, mine->relam, theirs->relam);
  }
  SwapToastOwners(relation, mine->reltoastrelid, copy, theirs->reltoastrelid);
  StoreExchanged(relation, relation_row, copy, copy_row);
}

void DropCopy(Oid copy) {
  ObjectAddress const address = {RelationRelationId, copy, 0};
  performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
  CommandCounterIncrement();
}

// The TOAST table was named after the copy.
void RenameToastTable(Oid relation) {
  Relation const table = table_open(relation, NoLock);
  Oid const toast = table->rd_rel->reltoastrelid;
  table_close(table, NoLock);
  if (!OidIsValid(toast)) {
    return;
  }
  Relation const toast_table = table_open(toast, AccessExclusiveLock);
  Oid const toast_index = linitial_oid(RelationGetIndexList(toast_table));
  table_close(toast_table, NoLock);
  RenameRelationInternal(toast, psprintf("pg_toast_%u", relation), true, false);
  RenameRelationInternal(toast_index, psprintf("pg_toast_%u_index", relation), true, true);
  CommandCounterIncrement();
  ResetRelRewrite(toast);
  CommandCounterIncrement();
}

}  // namespace

void SwapStorage(Oid relation, Oid copy, List* indexes, int64 row_count) noexcept {
  Relation const table = table_open(relation, NoLock);
  // Serializable readers hold locks on pages and rows that are about to go.
  TransferPredicateLocksToHeapRelation(table);
  table_close(table, NoLock);

  SwapTableStorage(relation, copy, row_count);
  INJECTION_POINT_PLAIN("move_table_swapped");
  ListCell* cell = nullptr;
  foreach (cell, indexes) {
    const auto* const pair = static_cast<const IndexPair*>(lfirst(cell));
    SwapIndexStorage(pair->source, pair->copy);
  }
  DropCopy(copy);
  RenameToastTable(relation);
  INJECTION_POINT_PLAIN("move_swapped");
}

}  // namespace orochi::pg
