#pragma once

#include "pg/bridge.h"

extern "C" {
#include "nodes/plannodes.h"
}

namespace orochi::pg {

/// What the planner hook found out about a statement, kept in its plan for the executor hooks.
///
/// PlannedStmt has no room for extensions, and a plan is copied when it is cached. The marks ride
/// in its list of invalidation items, under cache numbers that no cache has: they are copied with
/// the plan and match no invalidation. The query is there as it is; whoever takes it for an
/// invalidation item finds its command type, a cache it need not depend on, and at worst plans
/// anew.
struct PlanMarks {
  bool writes = false;            // it modifies a hypertable: rows may need new chunks
  bool source_is_stable = false;  // evaluating the rows twice gives the same rows, and no effects
  bool reads = false;             // it reads a hypertable
  uint32 partitions_hash = 0;     // of the hypertables read, when it was planned
  Query* query = nullptr;         // set when `reads` is: what was planned, to plan it again
};

/// Plain code, for hooks that every statement passes through.
PlanMarks MarksOf(const PlannedStmt* plan) noexcept;

/// Allocates: runs inside TryPg.
void MarkPlan(PlannedStmt* plan, const PlanMarks& marks) noexcept;

}  // namespace orochi::pg
