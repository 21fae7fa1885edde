#include "pg/hooks/executor_hooks.h"

#include "pg/bridge.h"
#include "pg/hooks/active_statements.h"
#include "pg/hooks/own_session.h"
#include "pg/hooks/plan_mark.h"
#include "pg/hooks/read_snapshot.h"

extern "C" {
#include "executor/executor.h"
}

namespace orochi::pg {
namespace {

ExecutorStart_hook_type previous_start_hook = nullptr;
ExecutorEnd_hook_type previous_end_hook = nullptr;

void CallStart(QueryDesc* query, int eflags) {
  if (previous_start_hook != nullptr) {
    previous_start_hook(query, eflags);
  } else {
    standard_ExecutorStart(query, eflags);
  }
}

void StartStatement(QueryDesc* query, int eflags) {
  PlanMarks const marks = MarksOf(query->plannedstmt);
  bool const runs = (eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0;
  if (!runs || (!marks.writes && !marks.reads)) {
    CallStart(query, eflags);
    return;
  }
  if (marks.reads) {
    Boundary([&] { return MakePlanCurrent(query, eflags); });
  }
  if (marks.writes) {
    Boundary([&] { return ReadAheadIfNeeded(query, marks, eflags); });
  }
  uint64_t const generation_before = LastHypertableGeneration();
  CallStart(query, eflags);
  if (marks.writes) {
    Boundary([&] { return EnterStatement(query, generation_before); });
  }
}

void EndStatement(QueryDesc* query) {
  bool const writes = MarksOf(query->plannedstmt).writes;
  if (writes) {
    Boundary([&]() -> Status {
      LeaveStatement(query);
      return Status::Ok();
    });
  }
  if (previous_end_hook != nullptr) {
    previous_end_hook(query);
  } else {
    standard_ExecutorEnd(query);
  }
  if (writes) {
    Boundary([&]() -> Status {
      FreeRowsReadAhead(query);
      return Status::Ok();
    });
  }
}

}  // namespace

void RegisterExecutorHooks() {
  previous_start_hook = ExecutorStart_hook;
  ExecutorStart_hook = &StartStatement;
  previous_end_hook = ExecutorEnd_hook;
  ExecutorEnd_hook = &EndStatement;
}

}  // namespace orochi::pg
