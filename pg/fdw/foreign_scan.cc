#include "pg/fdw/foreign_scan.h"

#include "base/str_cat.h"
#include "pg/fdw/foreign_plan.h"
#include "pg/fdw/sstable_scan.h"

extern "C" {
#include "access/stratnum.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "nodes/value.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
}

namespace orochi::pg {
namespace {

// One node of a running plan. Lives as long as the query; `scan` until the node ends.
struct ScanNode {
  std::unique_ptr<SstableScan> scan;
  List* value_states = NIL;  // ExprState*
  bool started = false;
};

ScanNode& NodeOf(ForeignScanState* state) {
  return *static_cast<ScanNode*>(state->fdw_state);
}

List* PartOf(ForeignScanState* state, PlanPart part) {
  auto* const plan = reinterpret_cast<ForeignScan*>(state->ss.ps.plan);
  return static_cast<List*>(list_nth(plan->fdw_private, static_cast<int>(part)));
}

const char* TextOf(ForeignScanState* state, PlanPart part) {
  return strVal(PartOf(state, part));
}

std::vector<KeyCondition> ConditionsOf(ForeignScanState* state) {
  auto* const plan = reinterpret_cast<ForeignScan*>(state->ss.ps.plan);
  return UnpackConditions(PartOf(state, PlanPart::kConditions), plan->fdw_exprs);
}

Status Start(ForeignScanState* state, ScanNode& node) {
  std::vector<ConditionValue> values(static_cast<size_t>(list_length(node.value_states)));
  ConditionValue* const out = values.data();
  ExprContext* const context = state->ss.ps.ps_ExprContext;
  TryPg([&]() noexcept {
    // The values are used before the next row is asked for.
    MemoryContext const before = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
    for (int index = 0; index < list_length(node.value_states); ++index) {
      auto* const expression = static_cast<ExprState*>(list_nth(node.value_states, index));
      out[index].value = ExecEvalExpr(expression, context, &out[index].is_null);
    }
    MemoryContextSwitchTo(before);
  });
  RETURN_IF_ERROR(node.scan->Restart(values));
  node.started = true;
  return Status::Ok();
}

// Plain. "column op value" for EXPLAIN.
void AppendCondition(StringInfo out, ForeignScanState* state, const KeyCondition& condition,
                     List* context) {
  Oid const relation = RelationGetRelid(state->ss.ss_currentRelation);
  const char* const names[] = {"", "<", "<=", "=", ">=", ">"};
  const char* const value =
      deparse_expression(reinterpret_cast<Node*>(condition.value), context,
                         list_length(state->ss.ps.state->es_range_table) > 1, false);
  appendStringInfo(out, "%s(%s %s %s%s%s)", out->len > 0 ? " AND " : "",
                   quote_identifier(get_attname(relation, condition.number, false)),
                   names[condition.strategy], condition.is_array ? "ANY (" : "", value,
                   condition.is_array ? ")" : "");
}

constexpr std::pair<ConditionUse, const char*> kUseLabels[] = {
    {ConditionUse::kPartitionKey, "Partition Key"},
    {ConditionUse::kToken, "Token"},
    {ConditionUse::kClustering, "Clustering"}};

// Plain.
void ExplainConditions(ForeignScanState* state, std::span<const KeyCondition> conditions,
                       ConditionUse use, const char* label, ExplainState* explain) {
  List* const context = set_deparse_context_plan(explain->deparse_cxt, state->ss.ps.plan, NIL);
  List* const uses = PartOf(state, PlanPart::kUses);
  StringInfoData text;
  initStringInfo(&text);
  for (size_t index = 0; index < conditions.size(); ++index) {
    if (list_nth_int(uses, static_cast<int>(index)) == static_cast<int>(use)) {
      AppendCondition(&text, state, conditions[index], context);
    }
  }
  if (text.len > 0) {
    ExplainPropertyText(label, text.data, explain);
  }
}

}  // namespace

void BeginScan(ForeignScanState* state, int flags) {
  if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) {
    return;
  }
  Boundary([&]() -> Status {
    auto* const node = NewIn<ScanNode>(state->ss.ps.state->es_query_cxt);
    state->fdw_state = node;
    auto* const plan = reinterpret_cast<ForeignScan*>(state->ss.ps.plan);
    List* const columns = PartOf(state, PlanPart::kColumns);
    std::vector<AttrNumber> wanted;
    for (int index = 0; index < list_length(columns); ++index) {
      wanted.push_back(static_cast<AttrNumber>(list_nth_int(columns, index)));
    }
    Relation const relation = state->ss.ss_currentRelation;
    ASSIGN_OR_RETURN(node->scan,
                     SstableScan::Open(RelationGetRelid(relation), RelationGetDescr(relation),
                                       std::move(wanted), ConditionsOf(state)));
    node->value_states =
        TryPg([&]() noexcept { return ExecInitExprList(plan->fdw_exprs, &state->ss.ps); });
    return Status::Ok();
  });
}

TupleTableSlot* NextRow(ForeignScanState* state) {
  return Boundary([&]() -> Result<TupleTableSlot*> {
    ScanNode& node = NodeOf(state);
    TupleTableSlot* const slot = state->ss.ss_ScanTupleSlot;
    CheckInterrupts();
    TryPg([&]() noexcept { ExecClearTuple(slot); });
    if (!node.started) {
      RETURN_IF_ERROR(Start(state, node));
    }
    ASSIGN_OR_RETURN(bool const found, node.scan->Next(slot->tts_values, slot->tts_isnull));
    if (found) {
      TryPg([&]() noexcept { ExecStoreVirtualTuple(slot); });
    }
    return slot;
  });
}

void RestartScan(ForeignScanState* state) {
  if (state->fdw_state != nullptr) {
    NodeOf(state).started = false;  // conditions are evaluated when the first row is asked for
  }
}

void EndScan(ForeignScanState* state) {
  if (state->fdw_state != nullptr) {
    Boundary([&]() -> Status {
      NodeOf(state).scan.reset();
      return Status::Ok();
    });
  }
}

void ExplainScan(ForeignScanState* state, ExplainState* explain) {
  Boundary([&]() -> Status {
    std::vector<KeyCondition> const conditions = ConditionsOf(state);
    std::span<const KeyCondition> const all = conditions;
    bool const by_key = intVal(PartOf(state, PlanPart::kByKey)) != 0;
    TryPg([&]() noexcept {
      ExplainPropertyText("Cassandra Table", TextOf(state, PlanPart::kTable), explain);
      ExplainPropertyText("SSTables", TextOf(state, PlanPart::kFiles), explain);
      ExplainPropertyText("Access", by_key ? "Partitions by Key" : "Scan", explain);
      ExplainPropertyText("Components", TextOf(state, PlanPart::kComponents), explain);
      for (auto const& [use, label] : kUseLabels) {
        ExplainConditions(state, all, use, label, explain);
      }
    });
    if (!explain->analyze || state->fdw_state == nullptr || NodeOf(state).scan == nullptr) {
      return Status::Ok();
    }
    SstableScan& scan = *NodeOf(state).scan;
    SstableScan::Statistics const read = scan.statistics();
    sstable::SourceStatistics const source = scan.table().source().statistics();
    TryPg([&]() noexcept {
      auto const show = [&](const char* name, uint64_t value) {
        ExplainPropertyUInteger(name, nullptr, value, explain);
      };
      show("Partitions Read", read.partitions);
      show("Rows Read", read.rows);
      if (source.lookups > 0) {
        show("SSTable Lookups", source.lookups);
        show("Lookups Ruled Out", source.lookups_ruled_out);
      }
    });
    return Status::Ok();
  });
}

}  // namespace orochi::pg
