#include "pg/hypertable/chunk_routing.h"

#include "base/str_cat.h"
#include "pg/hypertable/lock_conflict.h"
#include "pg/lock_timeout_scope.h"
#include "pg/settings.h"
#include "pg/worker/chunk_worker.h"

extern "C" {
#include "access/table.h"
#include "catalog/pg_class_d.h"
#include "storage/lock.h"
#include "storage/predicate.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

[[noreturn]] void RaiseNullTime(const Hypertable& hypertable) {
  std::string const column = ColumnName(hypertable.relid, hypertable.time_attno);
  std::string const table = QualifiedName(hypertable.relid);
  const char* const c_column = column.c_str();
  const char* const c_table = table.c_str();
  TryPg([&]() noexcept {
    ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
                    errmsg("null value in time column \"%s\" of hypertable %s", c_column, c_table),
                    errhint("Every row of a hypertable needs a time: it decides on the chunk.")));
  });
  pg_unreachable();
}

[[noreturn]] void RaiseInfiniteTime(const Hypertable& hypertable, Datum time) {
  std::string const column = ColumnName(hypertable.relid, hypertable.time_attno);
  std::string const table = QualifiedName(hypertable.relid);
  std::string const value = TimeText(hypertable.time_type, time);
  const char* const c_column = column.c_str();
  const char* const c_table = table.c_str();
  const char* const c_value = value.c_str();
  TryPg([&]() noexcept {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("value %s in time column \"%s\" of hypertable %s belongs to no chunk",
                           c_value, c_column, c_table),
                    errhint("Only finite times can be stored in a hypertable.")));
  });
  pg_unreachable();
}

// One session at a time asks for chunks of a hypertable; the others wait here for it, instead of
// each starting a worker. A heavyweight lock, so that the deadlock detector sees who waits.
class CreationTurn {
 public:
  explicit CreationTurn(Oid hypertable) {
    // No one else uses object locks on pg_class with a sub-object: relations have their own kind.
    SET_LOCKTAG_OBJECT(tag_, MyDatabaseId, RelationRelationId, hypertable, 1);
    LockTimeoutScope const bounded(settings.chunk_create_timeout_ms);
    TryPg([&]() noexcept { LockAcquire(&tag_, ExclusiveLock, false, false); });
  }
  CreationTurn(const CreationTurn&) = delete;
  CreationTurn& operator=(const CreationTurn&) = delete;

  /// After an error the abort of the (sub)transaction does this.
  void End() {
    TryPg([&]() noexcept { LockRelease(&tag_, ExclusiveLock, false); });
  }

 private:
  LOCKTAG tag_;
};

Result<Chunk> FindWithNews(const Hypertable& hypertable, int64_t ticks) {
  TryPg([]() noexcept { AcceptInvalidationMessages(); });
  return FindChunk(hypertable, ticks);
}

Result<Chunk> CreateHere(const Hypertable& hypertable, int64_t ticks, const std::string& why) {
  if (IsInUseHere(hypertable.relid, 0)) {
    Datum const time = DatumFromTicks(hypertable.kind, ticks);
    return Status::FailedPrecondition(
               StrCat("hypertable ", QualifiedName(hypertable.relid), " has no chunk for ",
                      TimeText(hypertable.time_type, time), ", and none can be created now"))
        .WithDetail(StrCat("Another session cannot create it because ", why,
                           "; this one cannot because a statement or cursor has the table open."))
        .WithHint(
            "Commit before rows need a new chunk, or first insert a row of that time with a "
            "plain INSERT while nothing else has the table open.");
  }
  return CreateChunk(hypertable, ticks);
}

Result<Chunk> ObtainChunk(const Hypertable& hypertable, int64_t ticks) {
  ASSIGN_OR_RETURN(Chunk chunk, FindChunk(hypertable, ticks));
  if (!OidIsValid(chunk.relid)) {
    ASSIGN_OR_RETURN(chunk, FindWithNews(hypertable, ticks));
  }
  if (OidIsValid(chunk.relid)) {
    return chunk;
  }
  if (std::optional<std::string> const why = WhyNoWorker(hypertable.relid); why.has_value()) {
    return CreateHere(hypertable, ticks, *why);
  }
  CreationTurn turn(hypertable.relid);
  ASSIGN_OR_RETURN(chunk, FindWithNews(hypertable, ticks));
  if (!OidIsValid(chunk.relid)) {
    RETURN_IF_ERROR(CreateChunkInWorker(hypertable.relid, ticks));
    ASSIGN_OR_RETURN(chunk, FindWithNews(hypertable, ticks));
  }
  turn.End();
  if (!OidIsValid(chunk.relid)) {
    return Status::Aborted(StrCat("a new chunk of hypertable ", QualifiedName(hypertable.relid),
                                  " was dropped before rows reached it"))
        .WithHint("Run the transaction again.");
  }
  return chunk;
}

}  // namespace

int64_t RequireTicks(const Hypertable& hypertable, Datum time, bool isnull) {
  if (isnull) {
    RaiseNullTime(hypertable);
  }
  std::optional<int64_t> const ticks = TicksFromDatum(hypertable.kind, time);
  if (!ticks.has_value()) {
    RaiseInfiniteTime(hypertable, time);
  }
  return *ticks;
}

Result<Chunk> EnsureChunkFor(Oid relid, Datum time, bool isnull) {
  ASSIGN_OR_RETURN(std::optional<Hypertable> const hypertable, LookupHypertable(relid));
  if (!hypertable.has_value()) {
    return Status::FailedPrecondition(
        StrCat("table ", QualifiedName(relid), " is not a hypertable"));
  }
  return ObtainChunk(*hypertable, RequireTicks(*hypertable, time, isnull));
}

void CheckSerializableConflict(Oid hypertable) {
  if (IsolationIsSerializable()) {
    TryPg([&]() noexcept {
      Relation const relation = table_open(hypertable, NoLock);
      CheckForSerializableConflictIn(relation, nullptr, InvalidBlockNumber);
      table_close(relation, NoLock);
    });
  }
}

}  // namespace orochi::pg
