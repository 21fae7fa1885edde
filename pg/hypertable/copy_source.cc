#include "pg/hypertable/copy_source.h"

extern "C" {
#include "commands/progress.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "utils/backend_progress.h"
}

namespace orochi::pg {

namespace {

// Rows wait in buffers until one of these is reached. Measured: fewer rows make more WAL records
// and lock rounds per row, many more fall out of the processor's cache before they are written.
constexpr int kHeldRowsMax = 1000;
constexpr Size kHeldBytesMax = 1 << 20;

}  // namespace

CopySource* OpenCopySource(ParseState* parse_state, Relation relation, List* where,
                           const CopyStmt* statement) noexcept {
  auto* source = static_cast<CopySource*>(palloc0(sizeof(CopySource)));
  source->state =
      BeginCopyFrom(parse_state, relation, reinterpret_cast<Node*>(where), statement->filename,
                    statement->is_program, nullptr, statement->attlist, statement->options);
  CopyFromState const state = source->state;
  if (state->opts.freeze) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot perform COPY FREEZE on a partitioned table")));
  }
  // Both would otherwise point into the relation, which may be closed in between.
  MemoryContext const caller = MemoryContextSwitchTo(state->copycontext);
  state->cur_relname = pstrdup(RelationGetRelationName(relation));
  source->row = MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(relation)),
                                         &TTSOpsVirtual);
  source->row->tts_tableOid = RelationGetRelid(relation);
  source->expressions = CreateStandaloneExprContext();
  source->filter = ExecInitQual(where, nullptr);
  MemoryContextSwitchTo(caller);
  source->must_not_read_ahead =
      state->volatile_defexprs || contain_volatile_functions(reinterpret_cast<Node*>(where));
  return source;
}

bool ReadRow(CopySource* source) noexcept {
  ExprContext* const expressions = source->expressions;
  TupleTableSlot* const row = source->row;
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    ExecClearTuple(row);
    // The reader wants the per-tuple context to be current.
    MemoryContext const caller = MemoryContextSwitchTo(expressions->ecxt_per_tuple_memory);
    bool const found = NextCopyFrom(source->state, expressions, row->tts_values, row->tts_isnull);
    MemoryContextSwitchTo(caller);
    if (!found) {
      return false;
    }
    ExecStoreVirtualTuple(row);
    if (source->filter == nullptr) {
      break;
    }
    expressions->ecxt_scantuple = row;
    if (ExecQual(source->filter, expressions)) {
      break;
    }
    pgstat_progress_update_param(PROGRESS_COPY_TUPLES_EXCLUDED,
                                 static_cast<int64>(++source->excluded_count));
    if (source->held_row_count == 0) {
      ResetExprContext(expressions);
    }
  }
  ++source->held_row_count;
  return true;
}

void ReleaseRows(CopySource* source) noexcept {
  ExecClearTuple(source->row);
  ResetExprContext(source->expressions);
  source->held_row_count = 0;
}

bool CopySourceIsFull(const CopySource* source) noexcept {
  return source->held_row_count >= kHeldRowsMax ||
         MemoryContextMemAllocated(source->expressions->ecxt_per_tuple_memory, false) >=
             kHeldBytesMax;
}

void AttachRelation(CopySource* source, Relation relation) noexcept {
  // A trigger or an event trigger may do anything while the relation is closed.
  if (!equalTupleDescs(source->row->tts_tupleDescriptor, RelationGetDescr(relation))) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                    errmsg("columns of table \"%s\" were changed while COPY was reading rows "
                           "for it",
                           RelationGetRelationName(relation)),
                    errhint("Change the table in a statement of its own.")));
  }
  source->state->rel = relation;
}

void CloseCopySource(CopySource* source) noexcept {
  ExecDropSingleTupleTableSlot(source->row);
  FreeExprContext(source->expressions, true);
  EndCopyFrom(source->state);
  pfree(source);
}

}  // namespace orochi::pg
