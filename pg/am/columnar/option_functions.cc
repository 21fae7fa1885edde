// SQL: orochi.set_columnar_options, orochi.reset_columnar_options, orochi.columnar_options.

#include "pg/am/columnar/option_catalog.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/bridge.h"
#include "pg/hypertable/lock_conflict.h"
#include "pg/move/order_key.h"

extern "C" {
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(orochi_set_columnar_options);
PG_FUNCTION_INFO_V1(orochi_reset_columnar_options);
PG_FUNCTION_INFO_V1(orochi_columnar_options);
}

namespace orochi::pg {
namespace {

using option_catalog::Row;

// The bounds of the settings of the same names, and of the checks on orochi.columnar_option.
struct Bounds {
  ColumnarOption option;
  int min;
  int max;
};
constexpr Bounds kBounds[] = {{ColumnarOption::kLevel, 1, 19},
                              {ColumnarOption::kRowGroupRows, 64, 1 << 16},
                              {ColumnarOption::kStripeRows, 1000, 1 << 20}};

constexpr auto IndexOf(ColumnarOption option) {
  return static_cast<int>(option);
}

void CheckOwner(Oid relation_id) {
  HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation_id));
  if (!HeapTupleIsValid(tuple)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                    errmsg("relation with OID %u does not exist", relation_id)));
  }
  auto* const form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  if (!pg_class_ownercheck(relation_id, GetUserId())) {
    aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(form->relkind), NameStr(form->relname));
  }
  ReleaseSysCache(tuple);
}

// Readers and writers of the table go on, and a statement that is writing takes the options for its
// next stripe. Whoever moves, vacuums or alters the table is waited for.
Relation OpenToChange(FunctionCallInfo fcinfo, const char* command) {
  PreventCommandIfReadOnly(command);
  PreventCommandIfParallelMode(command);
  PreventCommandDuringRecovery(command);
  if (PG_ARGISNULL(0)) {
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the relation must not be null")));
  }
  Oid const relation_id = PG_GETARG_OID(0);
  CheckOwner(relation_id);
  LockRelationOid(relation_id, ShareUpdateExclusiveLock);
  CheckOwner(relation_id);
  return relation_open(relation_id, NoLock);
}

// A partition may become columnar any time, and finds its options then.
void CheckMayHaveOptions(Relation relation) {
  char const kind = relation->rd_rel->relkind;
  const char* const name = RelationGetRelationName(relation);
  if (kind == RELKIND_PARTITIONED_TABLE || IsColumnar(relation) ||
      (kind == RELKIND_RELATION && relation->rd_rel->relispartition)) {
    return;
  }
  bool const may_become = kind == RELKIND_RELATION || kind == RELKIND_MATVIEW;
  ereport(ERROR,
          (errcode(ERRCODE_WRONG_OBJECT_TYPE),
           errmsg("\"%s\" is neither columnar nor a hypertable", name),
           kind == RELKIND_RELATION
               ? errhint("Make it columnar first, with orochi.compress_chunk, or a "
                         "hypertable, with orochi.create_hypertable.")
           : may_become ? errhint("Make it columnar first: ALTER MATERIALIZED VIEW ... SET ACCESS "
                                  "METHOD columnar.")
                        : errhint("Give a columnar table, a hypertable or one of its chunks.")));
}

// Checks the elements one by one and writes them as the catalog keeps them.
Datum CheckedOrder(Relation relation, Datum order_by) {
  int count = 0;
  char** const elements = option_catalog::OrderElements(order_by, &count);
  if (count > INDEX_MAX_KEYS) {
    ereport(ERROR,
            (errcode(ERRCODE_TOO_MANY_COLUMNS),
             errmsg("order_by has %d columns, at most %d are possible", count, INDEX_MAX_KEYS)));
  }
  auto* const texts = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<Size>(count + 1)));
  auto* const columns =
      static_cast<AttrNumber*>(palloc(sizeof(AttrNumber) * static_cast<Size>(count + 1)));
  for (int index = 0; index < count; ++index) {
    OrderKey key;
    ParseOrderKey(relation, elements[index], &key);
    bool plain = false;
    const char* const text =
        key.column_count == 1 ? OrderColumnText(relation, key, 0, &plain) : nullptr;
    if (!plain) {
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("element %d of order_by, \"%s\", is not one column", index + 1,
                             elements[index]),
                      errhint("Give a column an element, with ASC or DESC, NULLS FIRST or LAST and "
                              "COLLATE as wanted, for example ARRAY['host', 'time DESC'].")));
    }
    columns[index] = key.columns[0];
    for (int before = 0; before < index; ++before) {
      if (columns[before] == columns[index]) {
        ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
                        errmsg("order_by names column \"%s\" twice",
                               get_attname(RelationGetRelid(relation), columns[index], false))));
      }
    }
    texts[index] = CStringGetTextDatum(text);
  }
  return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum CheckedCompression(Datum value) {
  const char* const name = TextDatumGetCString(value);
  for (int number = 0; number <= static_cast<int>(codec::Compression::kZstd); ++number) {
    if (codec::CompressionName(static_cast<codec::Compression>(number)) == name) {
      return value;
    }
  }
  ereport(ERROR,
          (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown compression \"%s\"", name),
           errhint("There are none, lz4 and zstd.")));
  return value;
}

void CheckBounds(const Row& row) {
  for (const Bounds& bounds : kBounds) {
    int const value = DatumGetInt32(row.value(bounds.option));
    if (!row.is_null(bounds.option) && (value < bounds.min || value > bounds.max)) {
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("%s is %d", option_catalog::NameOf(bounds.option), value),
                      errhint("It must be from %d to %d.", bounds.min, bounds.max)));
    }
  }
  int const group_rows = DatumGetInt32(row.value(ColumnarOption::kRowGroupRows));
  int const stripe_rows = DatumGetInt32(row.value(ColumnarOption::kStripeRows));
  if (!row.is_null(ColumnarOption::kRowGroupRows) && !row.is_null(ColumnarOption::kStripeRows) &&
      group_rows > stripe_rows) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("row_group_rows is %d, stripe_rows only %d", group_rows, stripe_rows),
                    errhint("A stripe is made of row groups: give it at least as many rows.")));
  }
}

void SetOptions(FunctionCallInfo fcinfo) noexcept {
  Relation const relation = OpenToChange(fcinfo, "set_columnar_options");
  CheckMayHaveOptions(relation);
  Row row = option_catalog::Read(RelationGetRelid(relation));
  for (int index = 0; index < kColumnarOptionCount; ++index) {
    int const argument = index + 1;
    if (PG_ARGISNULL(argument)) {
      continue;
    }
    Datum value = PG_GETARG_DATUM(argument);
    if (index == IndexOf(ColumnarOption::kOrderBy)) {
      value = CheckedOrder(relation, value);
    } else if (index == IndexOf(ColumnarOption::kCompression)) {
      value = CheckedCompression(value);
    }
    row.values[index] = value;
    row.nulls[index] = false;
  }
  CheckBounds(row);
  option_catalog::Write(RelationGetRelid(relation), row);
  relation_close(relation, NoLock);
  CommandCounterIncrement();
}

int OptionNamed(const char* name) {
  for (int index = 0; index < kColumnarOptionCount; ++index) {
    if (std::strcmp(name, option_catalog::NameOf(static_cast<ColumnarOption>(index))) == 0) {
      return index;
    }
  }
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("there is no columnar option \"%s\"", name),
                  errhint("The options are order_by, compression, level, row_group_rows and "
                          "stripe_rows.")));
  return -1;
}

// Works on any table, also one that could not have options any more.
void ResetOptions(FunctionCallInfo fcinfo) noexcept {
  Relation const relation = OpenToChange(fcinfo, "reset_columnar_options");
  Row row = option_catalog::Read(RelationGetRelid(relation));
  int count = 0;
  Datum* names = nullptr;
  bool* nulls = nullptr;
  if (!PG_ARGISNULL(1)) {
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
                      &count);
  }
  for (int index = 0; index < count; ++index) {
    row.nulls[OptionNamed(nulls[index] ? "NULL" : TextDatumGetCString(names[index]))] = true;
  }
  if (count == 0) {
    std::fill_n(row.nulls, kColumnarOptionCount, true);
  }
  option_catalog::Write(RelationGetRelid(relation), row);
  relation_close(relation, NoLock);
  CommandCounterIncrement();
}

const char* OrderText(Relation relation, const OrderKey& key) {
  StringInfoData text;
  initStringInfo(&text);
  for (int index = 0; index < key.column_count; ++index) {
    bool plain = false;
    appendStringInfo(&text, "%s%s", index == 0 ? "" : ", ",
                     OrderColumnText(relation, key, index, &plain));
  }
  return text.data;
}

// The value that is in force, as text; null when rows keep their order.
const char* ValueText(Relation relation, ColumnarOption option, const TableOptions& chosen,
                      const columnar::StripeOptions& stripe) {
  switch (option) {
    case ColumnarOption::kOrderBy: {
      if (OidIsValid(chosen.chosen(option))) {
        return chosen.order_by;
      }
      OrderKey key;
      DeriveOrderKey(relation, &key);
      return key.column_count == 0 ? nullptr : OrderText(relation, key);
    }
    case ColumnarOption::kCompression: {
      std::string_view const name = codec::CompressionName(stripe.compression);
      return pnstrdup(name.data(), name.size());
    }
    case ColumnarOption::kLevel:
      return psprintf("%d", stripe.compression_level);
    case ColumnarOption::kRowGroupRows:
      return psprintf("%u", stripe.row_group_rows);
    case ColumnarOption::kStripeRows:
      return psprintf("%u", stripe.stripe_rows);
  }
  return nullptr;
}

const char* SourceOf(Relation relation, ColumnarOption option, Oid chosen_for, bool has_value) {
  if (chosen_for == RelationGetRelid(relation)) {
    return "chosen";
  }
  if (OidIsValid(chosen_for)) {
    return "inherited";
  }
  return option != ColumnarOption::kOrderBy ? "setting" : has_value ? "derived" : "none";
}

void ListOptions(FunctionCallInfo fcinfo) noexcept {
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Oid const relation_id = PG_GETARG_OID(0);
  Relation const relation = relation_open(relation_id, AccessShareLock);
  AclResult const acl = pg_class_aclcheck(relation_id, GetUserId(), ACL_SELECT);
  if (acl != ACLCHECK_OK) {
    aclcheck_error(acl, get_relkind_objtype(relation->rd_rel->relkind),
                   RelationGetRelationName(relation));
  }
  char const kind = relation->rd_rel->relkind;
  if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && kind != RELKIND_PARTITIONED_TABLE) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a table", RelationGetRelationName(relation)),
                    errhint("Give a columnar table, a hypertable or one of its chunks.")));
  }
  TableOptions const chosen = OptionsOf(relation);
  columnar::StripeOptions const stripe = StripeOptionsOf(relation);
  for (int index = 0; index < kColumnarOptionCount; ++index) {
    auto const option = static_cast<ColumnarOption>(index);
    const char* const value = ValueText(relation, option, chosen, stripe);
    Oid const chosen_for = chosen.chosen(option);
    Datum values[4] = {
        CStringGetTextDatum(option_catalog::NameOf(option)),
        value == nullptr ? Datum{0} : CStringGetTextDatum(value),
        CStringGetTextDatum(SourceOf(relation, option, chosen_for, value != nullptr)),
        ObjectIdGetDatum(chosen_for)};
    bool nulls[4] = {false, value == nullptr, false, !OidIsValid(chosen_for)};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  relation_close(relation, AccessShareLock);
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_set_columnar_options(PG_FUNCTION_ARGS) {
  return orochi::pg::Boundary([&]() -> orochi::Result<Datum> {
    orochi::pg::NoteStrongLock();
    orochi::pg::TryPg([&]() noexcept { orochi::pg::SetOptions(fcinfo); });
    return Datum{0};
  });
}

Datum orochi_reset_columnar_options(PG_FUNCTION_ARGS) {
  return orochi::pg::Boundary([&]() -> orochi::Result<Datum> {
    orochi::pg::NoteStrongLock();
    orochi::pg::TryPg([&]() noexcept { orochi::pg::ResetOptions(fcinfo); });
    return Datum{0};
  });
}

Datum orochi_columnar_options(PG_FUNCTION_ARGS) {
  return orochi::pg::Boundary([&]() -> orochi::Result<Datum> {
    orochi::pg::TryPg([&]() noexcept { orochi::pg::ListOptions(fcinfo); });
    return Datum{0};
  });
}
