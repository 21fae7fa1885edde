// set_chunk_time_interval, show_chunks and drop_chunks.

#include "base/str_cat.h"
#include "pg/hypertable/chunk_list.h"
#include "pg/hypertable/interval_argument.h"
#include "pg/hypertable/lock_conflict.h"
#include "pg/move/bounded_wait.h"
#include "pg/settings.h"
#include "pg/spi/sql.h"

extern "C" {
#include "access/table.h"
#include "commands/tablecmds.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(set_chunk_time_interval_interval);
PG_FUNCTION_INFO_V1(set_chunk_time_interval_integer);
PG_FUNCTION_INFO_V1(set_chunk_time_interval_text);
PG_FUNCTION_INFO_V1(show_chunks);
PG_FUNCTION_INFO_V1(drop_chunks);
}

namespace orochi::pg {
namespace {

// Looks the hypertable up under a lock; for changes the caller must own it.
Result<Hypertable> LockHypertable(FunctionCallInfo fcinfo, LOCKMODE mode) {
  if (PG_ARGISNULL(0)) {
    return Status::InvalidArgument("the hypertable must not be null");
  }
  Oid const relid = PG_GETARG_OID(0);
  bool const is_change = mode != AccessShareLock;
  if (is_change) {
    NoteStrongLock();
  }
  bool const exists = TryPg([&]() noexcept {
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid))) {
      return false;
    }
    if (is_change && !pg_class_ownercheck(relid, GetUserId())) {
      aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
    }
    LockRelationOid(relid, mode);
    return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid));
  });
  if (!exists) {
    return Status::NotFound(StrCat("relation with OID ", relid, " does not exist"));
  }
  ASSIGN_OR_RETURN(std::optional<Hypertable> const hypertable, LookupHypertable(relid));
  if (!hypertable.has_value()) {
    return Status::FailedPrecondition(
               StrCat("table ", QualifiedName(relid), " is not a hypertable"))
        .WithHint("Make it one with create_hypertable.");
  }
  return *hypertable;
}

TimeArgument ArgumentAt(FunctionCallInfo fcinfo, int index) {
  if (PG_ARGISNULL(index)) {
    return {};
  }
  return {.is_null = false,
          .type = get_fn_expr_argtype(fcinfo->flinfo, index),
          .value = PG_GETARG_DATUM(index)};
}

Result<std::vector<Chunk>> MatchingChunks(FunctionCallInfo fcinfo, const Hypertable& hypertable) {
  TimeArgument const older_than = ArgumentAt(fcinfo, 1);
  TimeArgument const newer_than = ArgumentAt(fcinfo, 2);
  ASSIGN_OR_RETURN(ChunkFilter const filter, ResolveFilter(hypertable, older_than, newer_than));
  std::vector<Chunk> chunks = ListChunks(hypertable);
  std::erase_if(chunks, [&](const Chunk& chunk) { return !filter.Accepts(chunk.range); });
  return chunks;
}

Datum EnterSetInterval(FunctionCallInfo fcinfo, IntervalArgument argument) {
  return Boundary([&]() -> Result<Datum> {
    if (PG_ARGISNULL(1)) {
      return Status::InvalidArgument("chunk_time_interval must not be null");
    }
    ASSIGN_OR_RETURN(Hypertable const hypertable, LockHypertable(fcinfo, ShareUpdateExclusiveLock));
    ASSIGN_OR_RETURN(timeseries::ChunkInterval const interval,
                     ResolveInterval(argument, hypertable.kind,
                                     ColumnName(hypertable.relid, hypertable.time_attno)));
    RETURN_IF_ERROR(UpdateHypertableInterval(hypertable.relid, hypertable.kind, interval));
    return Datum{0};
  });
}

Status EmitChunks(FunctionCallInfo fcinfo) {
  // Kept until the end: a chunk dropped in between would come out as a bare number.
  ASSIGN_OR_RETURN(Hypertable const hypertable, LockHypertable(fcinfo, AccessShareLock));
  ASSIGN_OR_RETURN(std::vector<Chunk> const chunks, MatchingChunks(fcinfo, hypertable));
  const Chunk* const first = chunks.data();
  size_t const count = chunks.size();
  TryPg([&]() noexcept {
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    for (const Chunk* chunk = first; chunk != first + count; ++chunk) {
      Datum value = ObjectIdGetDatum(chunk->relid);
      bool is_null = false;
      tuplestore_putvalues(result->setResult, result->setDesc, &value, &is_null);
    }
  });
  return Status::Ok();
}

// Foreign keys that refer to the hypertable must look for rows they still need, which DETACH does
// and DROP does not. Detaching reads the bounds of all chunks each time: only then is it worth it.
bool IsReferenced(Oid relid) {
  return !QuerySql(
              "SELECT FROM pg_catalog.pg_constraint WHERE contype = 'f' AND confrelid = $1 LIMIT 1",
              relid)
              .empty();
}

Status DropOne(const Hypertable& hypertable, const Chunk& chunk, bool detach_first,
               const Deadline& deadline) {
  RETURN_IF_ERROR(LockTableUntil(chunk.relid, AccessExclusiveLock, deadline));
  std::string const name = QualifiedName(chunk.relid);
  if (detach_first) {
    RunSql(StrCat("ALTER TABLE ", QualifiedName(hypertable.relid), " DETACH PARTITION ", name));
  }
  bool const is_foreign =
      TryPg([&]() noexcept { return get_rel_relkind(chunk.relid) == RELKIND_FOREIGN_TABLE; });
  RunSql(StrCat(is_foreign ? "DROP FOREIGN TABLE " : "DROP TABLE ", name));
  return Status::Ok();
}

Result<int64_t> DropChunks(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(1) && PG_ARGISNULL(2)) {
    return Status::InvalidArgument("drop_chunks needs older_than or newer_than")
        .WithHint("TRUNCATE removes all rows of a hypertable.");
  }
  // Two drops and the making of chunks wait for each other here; rows come and go meanwhile. Only
  // when there is something to drop must everyone else stop.
  ASSIGN_OR_RETURN(Hypertable const hypertable, LockHypertable(fcinfo, ShareUpdateExclusiveLock));
  ASSIGN_OR_RETURN(std::vector<Chunk> const chunks, MatchingChunks(fcinfo, hypertable));
  if (chunks.empty()) {
    return 0;
  }
  Deadline const deadline(settings.move_timeout_ms);
  RETURN_IF_ERROR(LockTableExclusivelyInTurns(hypertable.relid, deadline));
  TryPg([&]() noexcept {
    Relation const relation = table_open(hypertable.relid, NoLock);
    CheckTableNotInUse(relation, "drop chunks of");
    table_close(relation, NoLock);
  });
  bool const is_referenced = IsReferenced(hypertable.relid);
  for (const Chunk& chunk : chunks) {
    CheckInterrupts();
    RETURN_IF_ERROR(DropOne(hypertable, chunk, is_referenced, deadline));
  }
  return static_cast<int64_t>(chunks.size());
}

}  // namespace
}  // namespace orochi::pg

Datum set_chunk_time_interval_interval(PG_FUNCTION_ARGS) {
  return orochi::pg::EnterSetInterval(
      fcinfo, {.span = PG_ARGISNULL(1) ? nullptr : PG_GETARG_INTERVAL_P(1)});
}

Datum set_chunk_time_interval_integer(PG_FUNCTION_ARGS) {
  return orochi::pg::EnterSetInterval(
      fcinfo,
      {.has_integer = !PG_ARGISNULL(1), .integer = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1)});
}

Datum set_chunk_time_interval_text(PG_FUNCTION_ARGS) {
  return orochi::pg::EnterSetInterval(
      fcinfo, {.text_form = PG_ARGISNULL(1) ? nullptr : PG_GETARG_TEXT_PP(1)});
}

// (hypertable, older_than, newer_than)
Datum show_chunks(PG_FUNCTION_ARGS) {
  orochi::pg::Boundary([&] { return orochi::pg::EmitChunks(fcinfo); });
  return Datum{0};
}

// (hypertable, older_than, newer_than)
Datum drop_chunks(PG_FUNCTION_ARGS) {
  return orochi::pg::Boundary([&]() -> orochi::Result<Datum> {
    ASSIGN_OR_RETURN(int64_t const count, orochi::pg::DropChunks(fcinfo));
    return Int64GetDatum(count);
  });
}
