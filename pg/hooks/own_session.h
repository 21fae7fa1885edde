#pragma once

#include "pg/bridge.h"

#include "pg/hooks/plan_mark.h"

extern "C" {
#include "executor/execdesc.h"
}

/// Statements whose missing chunks only this transaction can create (hypertable/lock_conflict.h).
///
/// PostgreSQL cannot attach a partition to a table that a statement has open. So before such a
/// statement starts, its rows are read ahead, the chunks they need are created, and then it runs:
///   INSERT  on the rows that were kept, so that nothing in its source is evaluated twice;
///   UPDATE  from the beginning, where evaluating it twice is the same as once.
/// Anything else (MERGE, data-modifying WITH, UPDATE with volatile functions) starts as it is, and
/// fails with a hint when it turns out to need a chunk.
namespace orochi::pg {

/// Before standard_ExecutorStart of a plan marked `writes`. May exchange query->plannedstmt and
/// query->queryEnv; what they point to lives in the current memory context.
Status ReadAheadIfNeeded(QueryDesc* query, const PlanMarks& marks, int eflags);

/// After standard_ExecutorEnd: frees the kept rows of a statement that was read ahead.
void FreeRowsReadAhead(QueryDesc* query);

}  // namespace orochi::pg
