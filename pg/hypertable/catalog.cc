#include "pg/hypertable/catalog.h"

#include <unordered_map>

#include "base/str_cat.h"
#include "timeseries/calendar.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_proc_d.h"
#include "catalog/pg_type_d.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "partitioning/partdefs.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(orochi_hypertable_changed);
}

namespace orochi::pg {
namespace {

using timeseries::ChunkInterval;
using timeseries::TimeKind;

constexpr AttrNumber kRelationColumn = 1;
constexpr AttrNumber kIntervalColumn = 2;
constexpr AttrNumber kIntegerColumn = 3;
constexpr int kColumnCount = 3;

// Lives as long as the session. Entries are never erased: pointers to them stay valid, and their
// number is bounded by the partitioned tables of the database.
std::unordered_map<Oid, HypertableEntry>& Entries() {
  static std::unordered_map<Oid, HypertableEntry> entries;
  return entries;
}

uint64_t last_generation = 0;

void Forget(HypertableEntry& entry) noexcept {
  entry.known = false;
  entry.routed = {.first = 1, .last = 0};
  entry.generation = ++last_generation;
}

// The catalog and the function as last looked up. Dropping the extension drops the catalog, which
// invalidates everything known of hypertables.
Oid catalog_relid = InvalidOid;
Oid ensure_chunk_function = InvalidOid;

void OnRelcacheInvalidation(Datum /*arg*/, Oid relid) noexcept {
  auto& entries = Entries();
  if (relid == InvalidOid || relid == catalog_relid) {
    catalog_relid = InvalidOid;
    ensure_chunk_function = InvalidOid;
    for (auto& [oid, entry] : entries) {
      Forget(entry);
    }
  } else if (auto const found = entries.find(relid); found != entries.end()) {
    Forget(found->second);
  }
}

struct CatalogRow {
  bool found;
  bool has_interval;
  Interval interval;
  int64_t integer;
};

// Plain PostgreSQL calls: runs inside TryPg.
HeapTuple FindRow(Relation catalog, Oid relid, SysScanDesc* scan) noexcept {
  ScanKeyData key;
  ScanKeyInit(&key, kRelationColumn, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
  Oid const index = RelationGetPrimaryKeyIndex(catalog);
  *scan = systable_beginscan(catalog, index, OidIsValid(index), nullptr, 1, &key);
  return systable_getnext(*scan);
}

CatalogRow ReadRow(Oid catalog_oid, Oid relid) {
  return TryPg([&]() noexcept {
    CatalogRow row = {};
    Relation const catalog = table_open(catalog_oid, AccessShareLock);
    SysScanDesc scan;
    HeapTuple const tuple = FindRow(catalog, relid, &scan);
    if (HeapTupleIsValid(tuple)) {
      row.found = true;
      bool isnull = true;
      Datum value = heap_getattr(tuple, kIntervalColumn, RelationGetDescr(catalog), &isnull);
      if (!isnull) {
        row.has_interval = true;
        row.interval = *DatumGetIntervalP(value);
      } else {
        value = heap_getattr(tuple, kIntegerColumn, RelationGetDescr(catalog), &isnull);
        row.integer = isnull ? 0 : DatumGetInt64(value);
      }
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return row;
  });
}

struct PartitionKeyShape {
  bool is_range;
  int column_count;
  AttrNumber attno;
  Oid type;
  bool has_usual_order;  // the type's own, not an operator class that sorts differently
};

PartitionKeyShape ReadPartitionKey(Oid relid) {
  return TryPg([&]() noexcept {
    PartitionKeyShape shape = {};
    Relation const relation = table_open(relid, NoLock);
    if (PartitionKey const key = RelationGetPartitionKey(relation); key != nullptr) {
      shape.is_range = key->strategy == PARTITION_STRATEGY_RANGE;
      shape.column_count = key->partnatts;
      shape.attno = key->partattrs[0];
      shape.type = getBaseType(key->parttypid[0]);
      Oid const usual = GetDefaultOpClass(shape.type, BTREE_AM_OID);
      shape.has_usual_order =
          OidIsValid(usual) && get_opclass_family(usual) == key->partopfamily[0];
    }
    table_close(relation, NoLock);
    return shape;
  });
}

// The interval as PostgreSQL's own type; days apart from time, so that '7 days' reads back as such.
Interval ToInterval(TimeKind kind, const ChunkInterval& interval) {
  Interval parts = {};
  parts.month = interval.months;
  if (kind == TimeKind::kDays) {
    parts.day = static_cast<int32>(interval.ticks);
  } else {
    int64_t const days = interval.ticks / timeseries::kMicrosPerDay;
    parts.day = static_cast<int32>(days);
    parts.time = interval.ticks - days * timeseries::kMicrosPerDay;
  }
  return parts;
}

Result<Oid> RequireCatalog() {
  Oid const catalog = HypertableCatalogOid();
  if (!OidIsValid(catalog)) {
    return Status::NotFound("extension \"orochi\" is not installed in this database")
        .WithHint("Run CREATE EXTENSION orochi.");
  }
  return catalog;
}

Result<ChunkInterval> IntervalOfRow(const Hypertable& hypertable, const CatalogRow& row) {
  return row.has_interval ? timeseries::IntervalFromParts(hypertable.kind, row.interval.month,
                                                          row.interval.day, row.interval.time)
                          : timeseries::IntervalFromInteger(hypertable.kind, row.integer);
}

Result<std::optional<Hypertable>> ReadHypertable(Oid relid) {
  std::optional<Hypertable> none;
  Oid const catalog = HypertableCatalogOid();
  if (!OidIsValid(catalog)) {
    return none;
  }
  CatalogRow const row = ReadRow(catalog, relid);
  if (!row.found) {
    return none;
  }
  ASSIGN_OR_RETURN(Hypertable hypertable, DescribePartitionKey(relid));
  Result<ChunkInterval> interval = IntervalOfRow(hypertable, row);
  if (!interval.ok()) {
    return std::move(interval).status().WithContext(
        StrCat("orochi.hypertable's row of ", QualifiedName(relid)));
  }
  hypertable.interval = *interval;
  return std::optional<Hypertable>(hypertable);
}

}  // namespace

uint64_t LastHypertableGeneration() noexcept {
  return last_generation;
}

void RegisterHypertableCatalog() {
  CacheRegisterRelcacheCallback(&OnRelcacheInvalidation, Datum{0});
}

Oid HypertableCatalogOid() {
  if (!OidIsValid(catalog_relid)) {
    catalog_relid = TryPg([]() noexcept {
      if (!OidIsValid(get_extension_oid("orochi", true))) {
        return InvalidOid;
      }
      Oid const schema = get_namespace_oid("orochi", true);
      return OidIsValid(schema) ? get_relname_relid("hypertable", schema) : InvalidOid;
    });
  }
  return catalog_relid;
}

Oid EnsureChunkFunctionOid() {
  if (!OidIsValid(ensure_chunk_function)) {
    ensure_chunk_function = TryPg([]() noexcept {
      Oid types[2] = {ANYELEMENTOID, REGCLASSOID};
      return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("ensure_chunk"),
                             PointerGetDatum(buildoidvector(types, 2)),
                             ObjectIdGetDatum(get_namespace_oid("orochi", false)));
    });
  }
  return ensure_chunk_function;
}

Result<HypertableEntry*> HypertableEntryOf(Oid relid) {
  auto const [found, is_new] = Entries().try_emplace(relid);
  HypertableEntry& entry = found->second;
  if (is_new) {
    entry.generation = ++last_generation;
  }
  // Reading the catalog accepts invalidations, which may be of this very relation.
  while (!entry.known) {
    uint64_t const generation = entry.generation;
    ASSIGN_OR_RETURN(entry.hypertable, ReadHypertable(relid));
    entry.known = entry.generation == generation;
  }
  return &entry;
}

Result<std::optional<Hypertable>> LookupHypertable(Oid relid) {
  ASSIGN_OR_RETURN(HypertableEntry * entry, HypertableEntryOf(relid));
  return entry->hypertable;
}

std::optional<TimeKind> TimeKindOfType(Oid type) {
  Oid const base = TryPg([&]() noexcept { return getBaseType(type); });
  switch (base) {
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      return TimeKind::kMicros;
    case DATEOID:
      return TimeKind::kDays;
    case INT2OID:
      return TimeKind::kInt16;
    case INT4OID:
      return TimeKind::kInt32;
    case INT8OID:
      return TimeKind::kInt64;
    default:
      return std::nullopt;
  }
}

Result<Hypertable> DescribePartitionKey(Oid relid) {
  PartitionKeyShape const shape = ReadPartitionKey(relid);
  auto const refuse = [&](std::string_view why) {
    return Status::InvalidArgument(
               StrCat("table ", QualifiedName(relid), " cannot be a hypertable: ", why))
        .WithHint("A hypertable is partitioned by RANGE on one time or integer column.");
  };
  if (!shape.is_range) {
    return refuse("it is not partitioned by RANGE");
  }
  if (shape.column_count != 1) {
    return refuse(StrCat("its partition key has ", shape.column_count, " columns"));
  }
  if (shape.attno == InvalidAttrNumber) {
    return refuse("its partition key is an expression");
  }
  std::optional<TimeKind> const kind = TimeKindOfType(shape.type);
  if (!kind.has_value()) {
    return refuse(StrCat("column \"", ColumnName(relid, shape.attno), "\" has type ",
                         TryPg([&]() noexcept { return format_type_be(shape.type); })));
  }
  if (!shape.has_usual_order) {
    return refuse("its partition key has an operator class of its own");
  }
  return Hypertable{.relid = relid,
                    .time_attno = shape.attno,
                    .time_type = shape.type,
                    .kind = *kind,
                    .interval = {}};
}

Status InsertHypertable(Oid relid, TimeKind kind, const ChunkInterval& interval) {
  ASSIGN_OR_RETURN(Oid const catalog_oid, RequireCatalog());
  bool const is_time = kind == TimeKind::kMicros || kind == TimeKind::kDays;
  Interval parts = ToInterval(kind, interval);
  TryPg([&]() noexcept {
    Relation const catalog = table_open(catalog_oid, RowExclusiveLock);
    Datum values[kColumnCount] = {ObjectIdGetDatum(relid), IntervalPGetDatum(&parts),
                                  Int64GetDatum(interval.ticks)};
    bool nulls[kColumnCount] = {false, !is_time, is_time};
    HeapTuple const tuple = heap_form_tuple(RelationGetDescr(catalog), values, nulls);
    CatalogTupleInsert(catalog, tuple);
    table_close(catalog, RowExclusiveLock);
    CacheInvalidateRelcacheByRelid(relid);
    CommandCounterIncrement();
  });
  return Status::Ok();
}

Status UpdateHypertableInterval(Oid relid, TimeKind kind, const ChunkInterval& interval) {
  ASSIGN_OR_RETURN(Oid const catalog_oid, RequireCatalog());
  bool const is_time = kind == TimeKind::kMicros || kind == TimeKind::kDays;
  Interval parts = ToInterval(kind, interval);
  bool const found = TryPg([&]() noexcept {
    Relation const catalog = table_open(catalog_oid, RowExclusiveLock);
    SysScanDesc scan;
    HeapTuple const old_tuple = FindRow(catalog, relid, &scan);
    bool const has_row = HeapTupleIsValid(old_tuple);
    if (has_row) {
      Datum values[kColumnCount] = {ObjectIdGetDatum(relid), IntervalPGetDatum(&parts),
                                    Int64GetDatum(interval.ticks)};
      bool nulls[kColumnCount] = {false, !is_time, is_time};
      bool replaces[kColumnCount] = {false, true, true};
      HeapTuple const tuple =
          heap_modify_tuple(old_tuple, RelationGetDescr(catalog), values, nulls, replaces);
      CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
      CacheInvalidateRelcacheByRelid(relid);
    }
    systable_endscan(scan);
    table_close(catalog, RowExclusiveLock);
    CommandCounterIncrement();
    return has_row;
  });
  if (!found) {
    return Status::NotFound(StrCat("table ", QualifiedName(relid), " is not a hypertable"))
        .WithHint("Make it one with create_hypertable.");
  }
  return Status::Ok();
}

bool DeleteHypertable(Oid relid) {
  Oid const catalog_oid = HypertableCatalogOid();
  if (!OidIsValid(catalog_oid)) {
    return false;
  }
  return TryPg([&]() noexcept {
    Relation const catalog = table_open(catalog_oid, RowExclusiveLock);
    SysScanDesc scan;
    HeapTuple const tuple = FindRow(catalog, relid, &scan);
    bool const found = HeapTupleIsValid(tuple);
    if (found) {
      CatalogTupleDelete(catalog, &tuple->t_self);
      CacheInvalidateRelcacheByRelid(relid);
    }
    systable_endscan(scan);
    table_close(catalog, RowExclusiveLock);
    return found;
  });
}

std::optional<int64_t> TicksFromDatum(TimeKind kind, Datum value) {
  switch (kind) {
    case TimeKind::kMicros: {
      Timestamp const timestamp = DatumGetTimestamp(value);
      return TIMESTAMP_NOT_FINITE(timestamp) ? std::nullopt : std::optional<int64_t>(timestamp);
    }
    case TimeKind::kDays: {
      DateADT const date = DatumGetDateADT(value);
      return DATE_NOT_FINITE(date) ? std::nullopt : std::optional<int64_t>(date);
    }
    case TimeKind::kInt16:
      return DatumGetInt16(value);
    case TimeKind::kInt32:
      return DatumGetInt32(value);
    case TimeKind::kInt64:
      break;
  }
  return DatumGetInt64(value);
}

Datum DatumFromTicks(TimeKind kind, int64_t ticks) {
  switch (kind) {
    case TimeKind::kMicros:
      return TimestampGetDatum(ticks);
    case TimeKind::kDays:
      return DateADTGetDatum(static_cast<DateADT>(ticks));
    case TimeKind::kInt16:
      return Int16GetDatum(static_cast<int16>(ticks));
    case TimeKind::kInt32:
      return Int32GetDatum(static_cast<int32>(ticks));
    case TimeKind::kInt64:
      break;
  }
  return Int64GetDatum(ticks);
}

std::string QualifiedName(Oid relid) {
  const char* const name = TryPg([&]() noexcept -> const char* {
    const char* const relation = get_rel_name(relid);
    const char* const schema = get_namespace_name(get_rel_namespace(relid));
    return relation == nullptr || schema == nullptr ? nullptr
                                                    : quote_qualified_identifier(schema, relation);
  });
  return name == nullptr ? "?" : name;
}

std::string ColumnName(Oid relid, AttrNumber attno) {
  const char* const name = TryPg([&]() noexcept { return get_attname(relid, attno, true); });
  return name == nullptr ? "?" : name;
}

std::string TimeText(Oid time_type, Datum value) {
  return TryPg([&]() noexcept {
    Oid output = InvalidOid;
    bool is_varlena = false;
    getTypeOutputInfo(time_type, &output, &is_varlena);
    return OidOutputFunctionCall(output, value);
  });
}

}  // namespace orochi::pg

Datum orochi_hypertable_changed(PG_FUNCTION_ARGS) {
  return orochi::pg::Boundary([&]() -> orochi::Result<Datum> {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
      return orochi::Status::InvalidArgument("hypertable_changed is a trigger function");
    }
    auto* const trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
    orochi::pg::TryPg([&]() noexcept {
      TupleDesc const shape = RelationGetDescr(trigger->tg_relation);
      for (HeapTuple const tuple : {trigger->tg_trigtuple, trigger->tg_newtuple}) {
        if (tuple == nullptr) {
          continue;
        }
        bool isnull = true;
        Datum const relid = heap_getattr(tuple, 1, shape, &isnull);
        if (!isnull && SearchSysCacheExists1(RELOID, relid)) {
          CacheInvalidateRelcacheByRelid(DatumGetObjectId(relid));
        }
      }
    });
    return PointerGetDatum(nullptr);
  });
}
