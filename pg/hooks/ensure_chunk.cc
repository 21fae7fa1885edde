// orochi.ensure_chunk(value, hypertable): evaluated once per row before PostgreSQL routes it.
//
// Fast: the value lies in the session's last chunk of the hypertable, and nothing about the table
// changed since this call site last looked. One compare of integers.
// Slow: find or create the chunk, then give every active statement on the table fresh routing.

#include "pg/bridge.h"

#include "base/str_cat.h"
#include "pg/hooks/active_statements.h"
#include "pg/hypertable/chunk_routing.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(orochi_ensure_chunk);
}

namespace orochi::pg {
namespace {

// One call site in one execution of a statement.
struct CallSite {
  HypertableEntry* entry;
  uint64_t generation;  // of `entry` when every active statement's routing agreed with it; 0: never
  Oid relid;
  timeseries::TimeKind kind;
  bool is_hypertable;
};

// Plain and cheap: runs for every row. Infinite times are in no range.
int64_t RawTicks(timeseries::TimeKind kind, Datum value) noexcept {
  switch (kind) {
    case timeseries::TimeKind::kDays:
    case timeseries::TimeKind::kInt32:
      return DatumGetInt32(value);
    case timeseries::TimeKind::kInt16:
      return DatumGetInt16(value);
    case timeseries::TimeKind::kMicros:
    case timeseries::TimeKind::kInt64:
      break;
  }
  return DatumGetInt64(value);
}

/// Calls made by the planner have the column's type; one made by hand might not, and its value
/// would be read as another.
Status CheckValueType(Oid given, const Hypertable& hypertable) {
  if (given == hypertable.time_type ||
      TryPg([&]() noexcept { return getBaseType(given); }) == hypertable.time_type) {
    return Status::Ok();
  }
  const char* const given_name = TryPg([&]() noexcept { return format_type_be(given); });
  const char* const needed_name =
      TryPg([&]() noexcept { return format_type_be(hypertable.time_type); });
  return Status::InvalidArgument(StrCat("ensure_chunk for hypertable ",
                                        QualifiedName(hypertable.relid), " needs ", needed_name,
                                        ", not ", given_name))
      .WithHint("The planner adds the call to statements; do not call it yourself.");
}

Result<CallSite*> NewCallSite(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(1)) {
    return Status::InvalidArgument("ensure_chunk needs a hypertable");
  }
  Oid const relid = PG_GETARG_OID(1);
  ASSIGN_OR_RETURN(HypertableEntry* const entry, HypertableEntryOf(relid));
  if (entry->hypertable.has_value()) {
    RETURN_IF_ERROR(CheckValueType(get_fn_expr_argtype(fcinfo->flinfo, 0), *entry->hypertable));
  }
  auto* const site = TryPg([&]() noexcept {
    return static_cast<CallSite*>(
        MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite)));
  });
  site->entry = entry;
  site->relid = relid;
  site->is_hypertable = entry->hypertable.has_value();
  if (site->is_hypertable) {
    site->kind = entry->hypertable->kind;
  }
  fcinfo->flinfo->fn_extra = site;
  return site;
}

Status EnsureRouted(CallSite* site, Datum value, bool isnull) {
  if (!site->is_hypertable) {
    return Status::Ok();  // no hypertable any more: rows are routed as in any partitioned table
  }
  Evaluator const evaluator = EvaluatorOf(site->relid);
  if (evaluator.collector != nullptr) {
    return evaluator.collector->Add(value, isnull);
  }
  if (evaluator.statement == nullptr) {
    return Status::FailedPrecondition(StrCat("ensure_chunk was called for ",
                                             QualifiedName(site->relid),
                                             " outside a statement that writes to it"))
        .WithHint("The planner adds the call to such statements; do not call it yourself.");
  }
  // Creating a chunk and refreshing accept invalidations, which may ask for another round.
  constexpr int kRoundsMax = 1000;
  for (int round = 0; round < kRoundsMax; ++round) {
    ASSIGN_OR_RETURN(HypertableEntry* const entry, HypertableEntryOf(site->relid));
    uint64_t const generation = entry->generation;
    timeseries::ChunkRange range = entry->routed;
    if (isnull || !range.Contains(RawTicks(site->kind, value))) {
      ASSIGN_OR_RETURN(Chunk const chunk, EnsureChunkFor(site->relid, value, isnull));
      range = chunk.range;
    }
    if (entry->generation != generation) {
      continue;
    }
    RefreshStatements(site->relid, generation);
    if (entry->generation == generation) {
      entry->routed = range;
      site->generation = generation;
      // Once the chunk is there: readers that come later plan with it and lock it.
      CheckSerializableConflict(site->relid);
      return Status::Ok();
    }
  }
  return Status::Unavailable(StrCat("hypertable ", QualifiedName(site->relid), " changed ",
                                    kRoundsMax, " times while a row was looking for its chunk"));
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_ensure_chunk(PG_FUNCTION_ARGS) {
  namespace pg = orochi::pg;
  auto* site = static_cast<pg::CallSite*>(fcinfo->flinfo->fn_extra);
  Datum const value = PG_GETARG_DATUM(0);
  bool const isnull = PG_ARGISNULL(0);
  if (site != nullptr && !isnull && site->generation == site->entry->generation &&
      site->entry->routed.Contains(pg::RawTicks(site->kind, value))) [[likely]] {
    return value;
  }
  fcinfo->isnull = isnull;
  return pg::Boundary([&]() -> orochi::Result<Datum> {
    if (site == nullptr) {
      ASSIGN_OR_RETURN(site, pg::NewCallSite(fcinfo));
    }
    RETURN_IF_ERROR(pg::EnsureRouted(site, value, isnull));
    return value;
  });
}
