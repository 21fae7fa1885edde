#include "pg/am/columnar/command_merging.h"

#include "pg/compat.h"

#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace orochi::pg {
namespace {

ExecutorStart_hook_type previous_executor_start = nullptr;

// Functions that may run statements of their own, which would read with this command's snapshot.
// Ours do not, nor do built-in ones, except some that make XML of tables or take query texts: those
// return XML or are volatile.
bool MayRunStatements(Oid function, void*) noexcept {
  if (get_func_namespace(function) == get_namespace_oid("orochi", true)) {
    return false;
  }
  if (function >= FirstNormalObjectId || get_func_rettype(function) == XMLOID) {
    return true;
  }
  switch (function) {
    case F_NEXTVAL:
    case F_CURRVAL:
    case F_LASTVAL:
    case F_RANDOM:
    case F_CLOCK_TIMESTAMP:
    case F_GEN_RANDOM_UUID:
      return false;
    default:
      return func_volatile(function) == PROVOLATILE_VOLATILE;
  }
}

bool HasOtherStatements(Node* node, void* context) noexcept {
  if (node == nullptr) {
    return false;
  }
  if (IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) || IsA(node, CoerceToDomain) ||
      check_functions_in_node(node, reinterpret_cast<check_function_callback>(MayRunStatements),
                              context)) {
    return true;
  }
  return expression_tree_walker(
      node, reinterpret_cast<bool (*)()>(reinterpret_cast<void*>(HasOtherStatements)), context);
}

// INSERT ... VALUES of plain expressions, RETURNING included: reads no table and runs no statement.
bool IsPlainInsert(const PlannedStmt* statement) {
  if (statement->commandType != CMD_INSERT || statement->hasModifyingCTE ||
      statement->subplans != NIL || !IsA(statement->planTree, ModifyTable)) {
    return false;
  }
  auto* const modify = reinterpret_cast<ModifyTable*>(statement->planTree);
  Plan* const source = outerPlan(&modify->plan);
  if (modify->onConflictAction != ONCONFLICT_NONE || modify->withCheckOptionLists != NIL ||
      source == nullptr || outerPlan(source) != nullptr) {
    return false;
  }
  Node* values = nullptr;
  if (IsA(source, ValuesScan)) {
    values = reinterpret_cast<Node*>(reinterpret_cast<ValuesScan*>(source)->values_lists);
  } else if (!IsA(source, Result)) {
    return false;
  }
  return !HasOtherStatements(reinterpret_cast<Node*>(source->targetlist), nullptr) &&
         !HasOtherStatements(reinterpret_cast<Node*>(source->qual), nullptr) &&
         !HasOtherStatements(values, nullptr) &&
         !HasOtherStatements(reinterpret_cast<Node*>(modify->returningLists), nullptr);
}

void OnExecutorStart(QueryDesc* query, int flags) {
  // Nothing to decide for the many sessions that write no columnar table.
  bool const pending = HasPendingRows();
  bool const plain = pending && IsPlainInsert(query->plannedstmt);
  if (pending && !plain) {
    ClosePendingToLaterCommands();
    if (query->plannedstmt->parallelModeNeeded) {
      // Workers may read any table: by an index, or in a function that they call.
      Boundary([]() -> Status { return WriteOutAllPending(); });
    }
  }
  if (previous_executor_start != nullptr) {
    previous_executor_start(query, flags);
  } else {
    standard_ExecutorStart(query, flags);
  }
  if (plain && IsA(query->planstate, ModifyTableState) &&
      reinterpret_cast<ModifyTableState*>(query->planstate)->rootResultRelInfo->ri_TrigDesc ==
          nullptr) {
    LetCommandMerge(query->estate->es_output_cid);
  }
}

}  // namespace

void RegisterCommandMerging() {
  previous_executor_start = ExecutorStart_hook;
  ExecutorStart_hook = OnExecutorStart;
}

}  // namespace orochi::pg
