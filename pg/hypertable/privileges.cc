#include "pg/hypertable/privileges.h"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace orochi::pg {
namespace {

// All functions here are plain PostgreSQL code, called in one TryPg.

struct AclValue {
  bool is_null;
  Datum datum;
};

AclValue ReadAcl(int cache, HeapTuple tuple, AttrNumber column) {
  AclValue acl = {};
  Datum const datum = SysCacheGetAttr(cache, tuple, column, &acl.is_null);
  if (!acl.is_null) {
    acl.datum = PointerGetDatum(DatumGetAclPCopy(datum));
  }
  return acl;
}

int Members(const AclValue& acl, Oid** members) {
  *members = nullptr;
  return acl.is_null ? 0 : aclmembers(DatumGetAclP(acl.datum), members);
}

// Puts `acl` into a catalog row and records which roles it names.
void WriteAcl(Oid catalog_oid, int cache, HeapTuple tuple, AttrNumber column, const AclValue& acl,
              Oid relid, int attnum, Oid owner) {
  Relation const catalog = table_open(catalog_oid, RowExclusiveLock);
  AclValue const old_acl = ReadAcl(cache, tuple, column);
  int const width = RelationGetDescr(catalog)->natts;
  auto* const values = static_cast<Datum*>(palloc0(sizeof(Datum) * static_cast<size_t>(width)));
  auto* const nulls = static_cast<bool*>(palloc0(sizeof(bool) * static_cast<size_t>(width)));
  auto* const replaces = static_cast<bool*>(palloc0(sizeof(bool) * static_cast<size_t>(width)));
  values[column - 1] = acl.datum;
  nulls[column - 1] = acl.is_null;
  replaces[column - 1] = true;
  HeapTuple const changed =
      heap_modify_tuple(tuple, RelationGetDescr(catalog), values, nulls, replaces);
  CatalogTupleUpdate(catalog, &changed->t_self, changed);
  Oid* old_members = nullptr;
  Oid* new_members = nullptr;
  int const old_count = Members(old_acl, &old_members);
  int const new_count = Members(acl, &new_members);
  updateAclDependencies(RelationRelationId, relid, attnum, owner, old_count, old_members, new_count,
                        new_members);
  table_close(catalog, RowExclusiveLock);
}

void ClearRelationAcl(Oid relid) {
  HeapTuple const row = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
  if (!HeapTupleIsValid(row)) {
    elog(ERROR, "cache lookup failed for relation %u", relid);
  }
  if (!ReadAcl(RELOID, row, Anum_pg_class_relacl).is_null) {
    Oid const owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relowner;
    WriteAcl(RelationRelationId, RELOID, row, Anum_pg_class_relacl, {.is_null = true, .datum = 0},
             relid, 0, owner);
    CommandCounterIncrement();
  }
  ReleaseSysCache(row);
}

void CopyRelationAcl(Oid from, Oid to, Oid owner) {
  HeapTuple const source = SearchSysCache1(RELOID, ObjectIdGetDatum(from));
  HeapTuple const target = SearchSysCache1(RELOID, ObjectIdGetDatum(to));
  if (!HeapTupleIsValid(source) || !HeapTupleIsValid(target)) {
    elog(ERROR, "cache lookup failed for relation %u or %u", from, to);
  }
  AclValue const acl = ReadAcl(RELOID, source, Anum_pg_class_relacl);
  WriteAcl(RelationRelationId, RELOID, target, Anum_pg_class_relacl, acl, to, 0, owner);
  ReleaseSysCache(source);
  ReleaseSysCache(target);
}

void CopyColumnAcls(Oid from, Oid to, Oid owner) {
  Relation const relation = table_open(from, NoLock);
  TupleDesc const columns = RelationGetDescr(relation);
  for (int index = 0; index < columns->natts; ++index) {
    Form_pg_attribute const column = TupleDescAttr(columns, index);
    if (column->attisdropped) {
      continue;
    }
    HeapTuple const source =
        SearchSysCache2(ATTNUM, ObjectIdGetDatum(from), Int16GetDatum(column->attnum));
    HeapTuple const target = SearchSysCacheAttName(to, NameStr(column->attname));
    if (!HeapTupleIsValid(source) || !HeapTupleIsValid(target)) {
      elog(ERROR, "cache lookup failed for column \"%s\" of relation %u or %u",
           NameStr(column->attname), from, to);
    }
    AclValue const acl = ReadAcl(ATTNUM, source, Anum_pg_attribute_attacl);
    if (!acl.is_null) {
      int const attnum = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(target))->attnum;
      WriteAcl(AttributeRelationId, ATTNUM, target, Anum_pg_attribute_attacl, acl, to, attnum,
               owner);
    }
    ReleaseSysCache(source);
    ReleaseSysCache(target);
  }
  table_close(relation, NoLock);
}

}  // namespace

void ClearPrivileges(Oid relid) {
  TryPg([&]() noexcept { ClearRelationAcl(relid); });
}

void CopyPrivileges(Oid from, Oid to) {
  TryPg([&]() noexcept {
    HeapTuple const row = SearchSysCache1(RELOID, ObjectIdGetDatum(from));
    if (!HeapTupleIsValid(row)) {
      elog(ERROR, "cache lookup failed for relation %u", from);
    }
    Oid const owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relowner;
    char const kind = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relkind;
    ReleaseSysCache(row);
    CopyRelationAcl(from, to, owner);
    if (kind == RELKIND_RELATION) {
      CopyColumnAcls(from, to, owner);
    }
    CommandCounterIncrement();
  });
}

}  // namespace orochi::pg
