#pragma once

#include "pg/bridge.h"

#include "timeseries/chunk_range.h"

extern "C" {
#include "access/attnum.h"
}

/// orochi.hypertable, and what a session remembers of it.
///
/// A hypertable is a table partitioned by RANGE on one column of a time or integer type that has a
/// row in orochi.hypertable. The column comes from the partition key, the interval from the row.
/// Lookups are cached per session; the cache follows relation invalidations.
namespace orochi::pg {

struct Hypertable {
  Oid relid = InvalidOid;
  AttrNumber time_attno = InvalidAttrNumber;
  Oid time_type = InvalidOid;  // the base type where the column has a domain
  timeseries::TimeKind kind = timeseries::TimeKind::kInt64;
  timeseries::ChunkInterval interval;
};

/// Called once from _PG_init.
void RegisterHypertableCatalog();

/// The hypertable with this OID, nothing when the relation is anything else. Cheap when cached.
/// REQUIRES: a transaction, and a lock on the relation if it is to stay what it is.
Result<std::optional<Hypertable>> LookupHypertable(Oid relid);

/// Reads the partition key: fills all but `interval`. An error names why the table cannot be a
/// hypertable (not partitioned by RANGE, several columns, an expression, a type without time).
/// REQUIRES: a lock on the relation.
Result<Hypertable> DescribePartitionKey(Oid relid);

/// The kind of time a column type holds; nothing when it holds none. Looks through domains.
std::optional<timeseries::TimeKind> TimeKindOfType(Oid type);

/// Write one row of orochi.hypertable, whatever the user's rights on it, and make every session
/// look again. The caller has checked ownership and holds SHARE UPDATE EXCLUSIVE or more.
Status InsertHypertable(Oid relid, timeseries::TimeKind kind,
                        const timeseries::ChunkInterval& interval);
Status UpdateHypertableInterval(Oid relid, timeseries::TimeKind kind,
                                const timeseries::ChunkInterval& interval);
/// Answers whether there was a row.
bool DeleteHypertable(Oid relid);

/// A value of the time column as ticks; nothing for -infinity and infinity.
std::optional<int64_t> TicksFromDatum(timeseries::TimeKind kind, Datum value);
/// REQUIRES: `ticks` within LimitsOf(kind).
Datum DatumFromTicks(timeseries::TimeKind kind, int64_t ticks);

/// "schema.table" quoted as needed, and a column's name: for messages. "?" for what is gone.
std::string QualifiedName(Oid relid);
std::string ColumnName(Oid relid, AttrNumber attno);
/// A value of the time column as the session would print it.
std::string TimeText(Oid time_type, Datum value);

/// orochi.hypertable; InvalidOid while the extension is not installed.
Oid HypertableCatalogOid();
/// orochi.ensure_chunk. REQUIRES: the extension is installed.
Oid EnsureChunkFunctionOid();

/// What the session knows of one partitioned table. The address stays valid for the session.
/// Every invalidation of the table gives it a new generation, larger than all before it, and makes
/// the session look again.
struct HypertableEntry {
  bool known = false;  // false: look again
  std::optional<Hypertable> hypertable;
  uint64_t generation = 0;
  // A chunk that exists in this generation; empty when none has been looked up (hooks/routing.h).
  timeseries::ChunkRange routed = {.first = 1, .last = 0};
  // A hash of the partitions, and the generation it belongs to (hooks/read_snapshot.h).
  uint32 partitions_hash = 0;
  uint64_t hashed_generation = 0;
};
/// The newest generation of any entry.
uint64_t LastHypertableGeneration() noexcept;
/// Looks up as LookupHypertable and answers the entry, whose `hypertable` may be empty.
Result<HypertableEntry*> HypertableEntryOf(Oid relid);

}  // namespace orochi::pg
