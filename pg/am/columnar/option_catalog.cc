#include "pg/am/columnar/option_catalog.h"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::option_catalog {
namespace {

constexpr AttrNumber kRelationColumn = 1;
constexpr int kCatalogColumnCount = 1 + kColumnarOptionCount;
constexpr auto kOrderBy = static_cast<int>(ColumnarOption::kOrderBy);

constexpr Row kEmptyRow = {.values = {}, .nulls = {true, true, true, true, true}};

// InvalidOid while the extension is being dropped, or is a version that had no options.
Oid CatalogOid() {
  Oid const schema = get_namespace_oid("orochi", true);
  return OidIsValid(schema) ? get_relname_relid("columnar_option", schema) : InvalidOid;
}

struct OpenRow {
  Relation catalog;
  SysScanDesc scan;
  HeapTuple tuple;  // null without a row
};

OpenRow Open(Oid catalog_oid, Oid relation_id, LOCKMODE lock) {
  OpenRow row;
  row.catalog = table_open(catalog_oid, lock);
  ScanKeyData key;
  ScanKeyInit(&key, kRelationColumn, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation_id));
  Oid const index = RelationGetPrimaryKeyIndex(row.catalog);
  row.scan = systable_beginscan(row.catalog, index, OidIsValid(index), nullptr, 1, &key);
  row.tuple = systable_getnext(row.scan);
  return row;
}

// Locks of writers stay until the end of the transaction, as for any table.
void Close(const OpenRow& row, LOCKMODE lock) {
  systable_endscan(row.scan);
  table_close(row.catalog, lock == AccessShareLock ? lock : NoLock);
}

// A subscriber has options of its own, and perhaps no table of that name: rows are not decoded
// logically, and for want of a replica identity nor are their ends. That is also why a change is a
// deletion and an insertion.
void Insert(Relation catalog, HeapTuple tuple, Datum* values) {
  bool key_null = false;
  heap_insert(catalog, tuple, GetCurrentCommandId(true), HEAP_INSERT_NO_LOGICAL, nullptr);
  Relation const index = index_open(RelationGetPrimaryKeyIndex(catalog), RowExclusiveLock);
  index_insert(index, values, &key_null, &tuple->t_self, catalog, UNIQUE_CHECK_YES, false,
               BuildIndexInfo(index));
  index_close(index, NoLock);
}

bool IsAllNull(const Row& row) {
  for (bool const is_null : row.nulls) {
    if (!is_null) {
      return false;
    }
  }
  return true;
}

// What follows the column's name in an element of order_by, if it is about the column; else null.
// Which names are quoted differs between versions of PostgreSQL.
const char* BehindName(const char* element, const char* name) {
  bool const quoted = *element == '"';
  const char* next = element + (quoted ? 1 : 0);
  while (*next != '\0') {
    bool const is_quote = quoted && *next == '"';
    if ((is_quote && next[1] != '"') || (!quoted && *next == ' ')) {
      break;
    }
    if (*next != *name) {
      return nullptr;
    }
    next += is_quote ? 2 : 1;
    ++name;
  }
  return *name == '\0' ? next + (quoted ? 1 : 0) : nullptr;
}

// The column's name as the running command left it.
const char* NewestName(Oid relation_id, AttrNumber column) {
  Relation const attributes = table_open(AttributeRelationId, AccessShareLock);
  ScanKeyData keys[2];
  ScanKeyInit(&keys[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(relation_id));
  ScanKeyInit(&keys[1], Anum_pg_attribute_attnum, BTEqualStrategyNumber, F_INT2EQ,
              Int16GetDatum(column));
  SysScanDesc const scan =
      systable_beginscan(attributes, AttributeRelidNumIndexId, true, SnapshotSelf, 2, keys);
  HeapTuple const tuple = systable_getnext(scan);
  const char* const name =
      HeapTupleIsValid(tuple)
          ? pstrdup(NameStr(reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->attname))
          : nullptr;
  systable_endscan(scan);
  table_close(attributes, AccessShareLock);
  return name;
}

// Gives the column another name in order_by, or with null takes it out. An order of which nothing
// is left was not chosen.
void ReplaceColumn(Oid relation_id, const char* old_name, const char* new_name) {
  Row row = Read(relation_id);
  if (row.is_null(ColumnarOption::kOrderBy)) {
    return;
  }
  int count = 0;
  char** const elements = OrderElements(row.value(ColumnarOption::kOrderBy), &count);
  auto* const kept = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<Size>(count + 1)));
  int kept_count = 0;
  bool changed = false;
  for (int index = 0; index < count; ++index) {
    const char* element = elements[index];
    const char* const behind = BehindName(element, old_name);
    if (behind != nullptr) {
      changed = true;
      if (new_name == nullptr) {
        continue;
      }
      element = psprintf("%s%s", quote_identifier(new_name), behind);
    }
    kept[kept_count++] = CStringGetTextDatum(element);
  }
  if (!changed) {
    return;
  }
  row.nulls[kOrderBy] = kept_count == 0;
  row.values[kOrderBy] =
      PointerGetDatum(construct_array(kept, kept_count, TEXTOID, -1, false, TYPALIGN_INT));
  Write(relation_id, row);
}

}  // namespace

const char* NameOf(ColumnarOption option) noexcept {
  switch (option) {
    case ColumnarOption::kOrderBy:
      return "order_by";
    case ColumnarOption::kCompression:
      return "compression";
    case ColumnarOption::kLevel:
      return "level";
    case ColumnarOption::kRowGroupRows:
      return "row_group_rows";
    case ColumnarOption::kStripeRows:
      return "stripe_rows";
  }
  return "?";
}

Row Read(Oid relation_id) noexcept {
  Row row = kEmptyRow;
  Oid const catalog_oid = CatalogOid();
  if (!OidIsValid(catalog_oid)) {
    return row;
  }
  OpenRow const open = Open(catalog_oid, relation_id, AccessShareLock);
  if (HeapTupleIsValid(open.tuple)) {
    TupleDesc const descriptor = RelationGetDescr(open.catalog);
    for (int option = 0; option < kColumnarOptionCount; ++option) {
      Datum const value =
          heap_getattr(open.tuple, kRelationColumn + 1 + option, descriptor, &row.nulls[option]);
      if (row.nulls[option]) {
        continue;
      }
      Form_pg_attribute const attribute = TupleDescAttr(descriptor, kRelationColumn + option);
      row.values[option] = datumCopy(value, attribute->attbyval, attribute->attlen);
    }
  }
  Close(open, AccessShareLock);
  return row;
}

void Write(Oid relation_id, const Row& row) noexcept {
  Oid const catalog_oid = CatalogOid();
  if (!OidIsValid(catalog_oid)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                    errmsg("relation orochi.columnar_option does not exist"),
                    errhint("Run CREATE EXTENSION orochi, or ALTER EXTENSION orochi UPDATE.")));
  }
  Datum values[kCatalogColumnCount] = {ObjectIdGetDatum(relation_id)};
  bool nulls[kCatalogColumnCount] = {false};
  std::memcpy(values + kRelationColumn, row.values, sizeof(row.values));
  std::memcpy(nulls + kRelationColumn, row.nulls, sizeof(row.nulls));
  OpenRow const open = Open(catalog_oid, relation_id, RowExclusiveLock);
  if (HeapTupleIsValid(open.tuple)) {
    CatalogTupleDelete(open.catalog, &open.tuple->t_self);
  }
  if (!IsAllNull(row)) {
    Insert(open.catalog, heap_form_tuple(RelationGetDescr(open.catalog), values, nulls), values);
  }
  Close(open, RowExclusiveLock);
}

char** OrderElements(Datum order_by, int* count) noexcept {
  Datum* datums = nullptr;
  bool* nulls = nullptr;
  deconstruct_array(DatumGetArrayTypeP(order_by), TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls,
                    count);
  auto** const elements =
      static_cast<char**>(palloc(sizeof(char*) * static_cast<Size>(*count + 1)));
  for (int index = 0; index < *count; ++index) {
    if (nulls[index]) {
      ereport(ERROR,
              (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
               errmsg("element %d of order_by is null", index + 1),
               errhint("Give a column an element, for example ARRAY['host', 'time DESC'].")));
    }
    elements[index] = TextDatumGetCString(datums[index]);
  }
  return elements;
}

void OnDropRelation(Oid relation_id) noexcept {
  Oid const catalog_oid = CatalogOid();
  if (!OidIsValid(catalog_oid)) {
    return;
  }
  OpenRow const open = Open(catalog_oid, relation_id, RowExclusiveLock);
  if (HeapTupleIsValid(open.tuple)) {
    CatalogTupleDelete(open.catalog, &open.tuple->t_self);
  }
  Close(open, RowExclusiveLock);
}

void OnDropColumn(Oid relation_id, AttrNumber column) noexcept {
  const char* const name = get_attname(relation_id, column, true);
  if (name != nullptr) {
    ReplaceColumn(relation_id, name, nullptr);
  }
}

void OnAlterColumn(Oid relation_id, AttrNumber column) noexcept {
  const char* const old_name = get_attname(relation_id, column, true);
  const char* const new_name = NewestName(relation_id, column);
  if (old_name != nullptr && new_name != nullptr && std::strcmp(old_name, new_name) != 0) {
    ReplaceColumn(relation_id, old_name, new_name);
  }
}

}  // namespace orochi::pg::option_catalog
