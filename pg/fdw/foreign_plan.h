#pragma once

#include "pg/fdw/key_conditions.h"

extern "C" {
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
}

/// Planning of scans of foreign tables.
namespace orochi::pg {

/// What ForeignScan.fdw_private holds, by place; fdw_exprs are the values of the conditions.
enum class PlanPart : int {
  kColumns,     // integers: the columns wanted
  kConditions,  // PackConditions
  kUses,        // integers: for each condition a ConditionUse
  kByKey,       // an integer: 1 when partitions are looked up
  kTable,       // a string: ks.table
  kFiles,       // a string: "2 SSTables (nb, oa), 1234 bytes"
  kComponents,  // a string: the components that are read
};

enum class ConditionUse : int { kPartitionKey, kToken, kClustering };

void PlanRelationSize(PlannerInfo* root, RelOptInfo* relation, Oid foreign_table);
void PlanPaths(PlannerInfo* root, RelOptInfo* relation, Oid foreign_table);
ForeignScan* MakePlan(PlannerInfo* root, RelOptInfo* relation, Oid foreign_table, ForeignPath* path,
                      List* target_list, List* clauses, Plan* outer_plan);

}  // namespace orochi::pg
