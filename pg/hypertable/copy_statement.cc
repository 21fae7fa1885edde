#include "pg/hypertable/copy_statement.h"

#include "base/str_cat.h"

#include "pg/bridge.h"
#include "pg/hypertable/catalog.h"
#include "pg/hypertable/chunk_routing.h"
#include "pg/hypertable/copy_permission.h"
#include "pg/hypertable/copy_source.h"
#include "pg/hypertable/copy_target.h"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/copy.h"
#include "commands/trigger.h"
#include "parser/parse_node.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
}

// How a COPY into a hypertable runs:
// 1. the checks PostgreSQL makes, the input opened, BEFORE STATEMENT triggers;
// 2. rows go from the source into the target, buffered by chunk;
// 3. at a row without a chunk: what waits is inserted, the target and the relation are closed, the
//    chunk is made (by a worker or here), both are opened again, and the same row goes on;
// 4. AFTER STATEMENT triggers, the queued AFTER triggers, everything closed.

namespace orochi::pg {

namespace {

ProcessUtility_hook_type next_utility_hook = nullptr;

// One COPY while it runs. Plain data: it is used on both sides of TryPg.
struct CopyRun {
  const CopyStmt* statement;
  ParseState* parse_state;
  Hypertable hypertable;
  CommandId command_id;
  Relation relation;  // null while a chunk is being made
  CopySource* source;
  CopyTarget* target;     // null while a chunk is being made
  uint64 inserted_count;  // by targets that are closed
  int stored_since_flush;
  bool row_is_pending;  // source->row was read and is not in the target yet
};

enum class PumpResult { kEndOfInput, kChunkMissing };

// Rows inserted one at a time are in the table already; flushing now and then still gives back the
// buffers of chunks that are behind.
constexpr int kStoredRowsMax = 1000;

// Adds "COPY t, line n" to every error while it exists.
class CopyErrorScope {
 public:
  explicit CopyErrorScope(CopyFromState state) noexcept {
    callback_.callback = CopyFromErrorCallback;
    callback_.arg = state;
    callback_.previous = error_context_stack;
    error_context_stack = &callback_;
  }
  ~CopyErrorScope() { error_context_stack = callback_.previous; }
  CopyErrorScope(const CopyErrorScope&) = delete;
  CopyErrorScope& operator=(const CopyErrorScope&) = delete;

 private:
  ErrorContextCallback callback_;
};

void OpenTarget(CopyRun* run) noexcept {
  run->target = OpenCopyTarget(run->relation, run->parse_state->p_rtable, run->hypertable,
                               run->source, run->command_id);
}

void Begin(CopyRun* run) noexcept {
  CheckCopySource(run->statement);
  run->relation = table_open(run->hypertable.relid, RowExclusiveLock);
  List* const where = CheckCopyTarget(run->parse_state, run->statement, run->relation);
  run->source = OpenCopySource(run->parse_state, run->relation, where, run->statement);
  run->command_id = GetCurrentCommandId(true);
  AfterTriggerBeginQuery();
  OpenTarget(run);
  ExecBSInsertTriggers(run->target->estate, run->target->root);
}

void Flush(CopyRun* run) noexcept {
  FlushCopyTarget(run->target);
  run->stored_since_flush = 0;
  if (!run->row_is_pending) {
    ReleaseRows(run->source);
  }
}

PumpResult PumpRows(CopyRun* run) noexcept {
  for (;;) {
    if (!run->row_is_pending) {
      if (!ReadRow(run->source)) {
        Flush(run);
        return PumpResult::kEndOfInput;
      }
      run->row_is_pending = true;
    }
    if (!StoreRow(run->target, run->source->row)) {
      Flush(run);
      return PumpResult::kChunkMissing;
    }
    run->row_is_pending = false;
    ++run->stored_since_flush;
    if (run->stored_since_flush >= kStoredRowsMax || CopySourceIsFull(run->source)) {
      Flush(run);
    } else if (run->target->one_by_one) {
      ReleaseRows(run->source);
    }
  }
}

void CloseTarget(CopyRun* run) noexcept {
  run->inserted_count += run->target->inserted_count;
  CloseCopyTarget(run->target);
  run->target = nullptr;
  table_close(run->relation, NoLock);
  run->relation = nullptr;
  run->source->state->rel = nullptr;
}

void ReopenTarget(CopyRun* run) noexcept {
  run->relation = table_open(run->hypertable.relid, NoLock);
  AttachRelation(run->source, run->relation);
  OpenTarget(run);
  run->target->inserted_count = std::exchange(run->inserted_count, 0);
}

void End(CopyRun* run) noexcept {
  CopyTarget* const target = run->target;
  ExecASInsertTriggers(target->estate, target->root, target->modify->mt_transition_capture);
  AfterTriggerEndQuery(target->estate);
  CloseTarget(run);
  CloseCopySource(run->source);
  run->source = nullptr;
}

// Makes the chunk of the pending row. An error carries the row's line like any other.
void MakeMissingChunk(CopyRun* run) {
  TupleTableSlot* const row = run->source->row;
  int const time_index = run->hypertable.time_attno - 1;
  TryPg([=]() noexcept { CloseTarget(run); });
  Status const status = EnsureChunkFor(run->hypertable.relid, row->tts_values[time_index],
                                       row->tts_isnull[time_index])
                            .status();
  if (!status.ok()) {
    Report report;
    report.Set(status);
    TryPg([&]() noexcept { report.Raise(); });
  }
  TryPg([=]() noexcept { ReopenTarget(run); });
}

Result<uint64> RunCopy(CopyRun* run) {
  TryPg([=]() noexcept { Begin(run); });
  {
    CopyErrorScope const scope(run->source->state);
    uint64 missing_line = 0;
    while (TryPg([=]() noexcept { return PumpRows(run); }) == PumpResult::kChunkMissing) {
      uint64 const line = run->source->state->cur_lineno;
      if (line == missing_line) {
        return Status::Internal(StrCat("the chunk for line ", line, " was made and is not there"));
      }
      missing_line = line;
      MakeMissingChunk(run);
    }
  }
  TryPg([=]() noexcept { End(run); });
  return run->inserted_count;
}

// The hypertable a COPY FROM writes to, locked as PostgreSQL would lock it, or InvalidOid.
Oid LockCopyTarget(const CopyStmt* statement) noexcept {
  Oid const relation = RangeVarGetRelid(statement->relation, RowExclusiveLock, true);
  bool const may_be_hypertable =
      OidIsValid(relation) && get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE;
  return may_be_hypertable ? relation : InvalidOid;
}

// True when the statement was a COPY into a hypertable, and is done.
Result<bool> CopyIfHypertable(const CopyStmt* statement, const char* source_text,
                              QueryEnvironment* environment, QueryCompletion* completion) {
  Oid const relation = TryPg([=]() noexcept { return LockCopyTarget(statement); });
  if (!OidIsValid(relation)) {
    return false;
  }
  ASSIGN_OR_RETURN(std::optional<Hypertable> const hypertable, LookupHypertable(relation));
  if (!hypertable.has_value()) {
    return false;
  }
  CopyRun run{};
  run.hypertable = *hypertable;
  TryPg([&]() noexcept {
    // Transforming WHERE scribbles on the tree, which a cached plan may use again.
    run.statement = static_cast<const CopyStmt*>(copyObject(statement));
    run.parse_state = make_parsestate(nullptr);
    run.parse_state->p_sourcetext = source_text;
    run.parse_state->p_queryEnv = environment;
  });
  ASSIGN_OR_RETURN(uint64 const inserted, RunCopy(&run));
  TryPg([&]() noexcept {
    free_parsestate(run.parse_state);
    if (completion != nullptr) {
      SetQueryCompletion(completion, CMDTAG_COPY, inserted);
    }
    CommandCounterIncrement();
  });
  return true;
}

void UtilityHook(PlannedStmt* plan, const char* source_text, bool read_only_tree,
                 ProcessUtilityContext context, ParamListInfo parameters,
                 QueryEnvironment* environment, DestReceiver* receiver,
                 QueryCompletion* completion) {
  if (IsA(plan->utilityStmt, CopyStmt)) {
    auto* const statement = reinterpret_cast<CopyStmt*>(plan->utilityStmt);
    if (statement->is_from && statement->relation != nullptr && Boundary([&] {
          return CopyIfHypertable(statement, source_text, environment, completion);
        })) {
      return;
    }
  }
  auto* const next = next_utility_hook != nullptr ? next_utility_hook : standard_ProcessUtility;
  next(plan, source_text, read_only_tree, context, parameters, environment, receiver, completion);
}

}  // namespace

void RegisterHypertableCopy() {
  next_utility_hook = ProcessUtility_hook;
  ProcessUtility_hook = UtilityHook;
}

}  // namespace orochi::pg
