// ColumnarAggregate in the executor.
//
// Without keys: one pass, one row. With keys: passes over the input, each for a share of the keys;
// the first share is everything, and a share whose groups do not fit is cut into four.

#include "pg/bridge.h"
#include "pg/nodes/aggregate_sink.h"
#include "pg/nodes/columnar_aggregate.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/typcache.h"
}

namespace orochi::pg {
namespace {

constexpr uint64_t kSplit = 4;

/// The C++ side of a running aggregation.
struct AggregateObjects {
  std::vector<InputColumn> inputs;  // the keys first
  std::vector<AggregateCall> calls;
  std::vector<Oid> key_types;
  std::vector<columnar::PhysicalType> key_physicals;
  std::unique_ptr<GroupSink> sink;               // null without keys, and before the first pass
  std::vector<vexec::GroupTable::Share> shares;  // still to be read
  size_t next_group = 0;                         // of the sink, to be emitted
};

/// A running ColumnarAggregate. Plain: PostgreSQL allocates and frees it.
struct AggregateNode {
  CustomScanState css;  // first: PostgreSQL sees this
  AggregateObjects* objects;
  MemoryContext scratch;
  bool started;
  bool done;
  uint64_t pass_count;
  size_t memory_limit_bytes;
};

AggregateNode* NodeOf(CustomScanState* node) noexcept {
  return reinterpret_cast<AggregateNode*>(node);
}

PlanState* ChildOf(const CustomScanState* node) noexcept {
  return static_cast<PlanState*>(linitial(node->custom_ps));
}

void Store(const NullableDatum& value, TupleTableSlot* slot, size_t column) {
  slot->tts_values[column] = value.value;
  slot->tts_isnull[column] = value.isnull;
}

/// Fills the slot with the only row of an aggregation without keys.
Status AggregateAll(AggregateNode& node, TupleTableSlot* slot) {
  const AggregateObjects& objects = *node.objects;
  PlainSink sink(objects.calls);
  node.pass_count = 1;
  RETURN_IF_ERROR(FeedFrom(ChildOf(&node.css), objects.inputs, node.scratch, sink).status());
  ContextScope const scope(node.css.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
  for (size_t i = 0; i < objects.calls.size(); ++i) {
    Store(ResultOf(objects.calls[i].function, sink.state(i)), slot, i);
  }
  return Status::Ok();
}

/// Reads the input for the next share of the keys, cutting it until its groups fit.
Status ReadShare(AggregateNode& node) {
  AggregateObjects& objects = *node.objects;
  if (objects.sink == nullptr) {
    objects.sink =
        std::make_unique<GroupSink>(objects.key_physicals, objects.calls, node.memory_limit_bytes);
  }
  for (;;) {
    vexec::GroupTable::Share const share = objects.shares.back();
    objects.shares.pop_back();
    objects.sink->Begin(share);
    if (node.pass_count++ > 0) {
      TryPg([&]() noexcept { ExecReScan(ChildOf(&node.css)); });
    }
    Status const status =
        FeedFrom(ChildOf(&node.css), objects.inputs, node.scratch, *objects.sink).status();
    if (!objects.sink->overflowed()) {
      return status;
    }
    status.IgnoreError("said that the share must be cut");
    for (uint64_t i = kSplit; i-- > 0;) {
      objects.shares.push_back(
          {.modulus = share.modulus * kSplit, .residue = share.residue + i * share.modulus});
    }
  }
}

/// Fills the slot with the next group; false at the end.
Result<bool> NextGroup(AggregateNode& node, TupleTableSlot* slot) {
  AggregateObjects& objects = *node.objects;
  while (objects.sink == nullptr || objects.next_group == objects.sink->group_count()) {
    if (objects.shares.empty()) {
      return false;
    }
    objects.next_group = 0;
    RETURN_IF_ERROR(ReadShare(node));
  }
  size_t const group = objects.next_group++;
  ContextScope const scope(node.css.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
  size_t column = 0;
  for (size_t key = 0; key < objects.key_types.size(); ++key) {
    Store(KeyOf(objects.key_types[key], objects.sink->groups(), key, group), slot, column++);
  }
  for (size_t i = 0; i < objects.calls.size(); ++i) {
    Store(ResultOf(objects.calls[i].function, objects.sink->state(i, group)), slot, column++);
  }
  return true;
}

Result<bool> NextRow(AggregateNode& node, TupleTableSlot* slot) {
  AggregateObjects& objects = *node.objects;
  bool const grouped = !objects.key_types.empty();
  if (!node.started) {
    node.started = true;
    node.pass_count = 0;
    objects.next_group = 0;
    objects.shares.assign(1, {});
    objects.sink.reset();
  }
  if (grouped) {
    return NextGroup(node, slot);
  }
  if (node.done) {
    return false;
  }
  node.done = true;
  RETURN_IF_ERROR(AggregateAll(node, slot));
  return true;
}

/// Calling an aggregate needs the right to, as under PostgreSQL's own Agg.
void CheckRightToCall(Oid function) noexcept {
  AclResult const right = pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE);
  if (right != ACLCHECK_OK) {
    aclcheck_error(right, OBJECT_AGGREGATE, get_func_name(function));
  }
  InvokeFunctionExecuteHook(function);
}

void AddKey(Node* expression, AttrNumber position, AggregateObjects& objects) {
  columnar::PhysicalType physical = columnar::PhysicalType::kInt64;
  Oid const type = exprType(expression);
  bool const known = TryPg([&]() noexcept {
    return MatchGroupKey(expression, lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr, &physical);
  });
  ASSERT(known);
  objects.key_types.push_back(type);
  objects.key_physicals.push_back(physical);
  objects.inputs.push_back({.position = position, .physical = physical, .only_nulls = false});
}

void AddCall(Aggref* call, AttrNumber position, AggregateObjects& objects) {
  AggregateCall added;
  bool const known = TryPg([&]() noexcept {
    CheckRightToCall(call->aggfnoid);
    return MatchAggregate(call, &added.function);
  });
  ASSERT(known);
  if (position > 0) {
    added.input = objects.inputs.size();
    objects.inputs.push_back({.position = position,
                              .physical = added.function.physical,
                              .only_nulls = added.function.aggregate == vexec::Aggregate::kCount});
  }
  objects.calls.push_back(added);
}

void InitObjects(const CustomScan* plan, AggregateObjects& objects) {
  auto* const positions = static_cast<List*>(linitial(plan->custom_private));
  int const key_count = linitial_int(positions);
  for (int i = 0; i < list_length(plan->custom_scan_tlist); ++i) {
    auto* const entry = static_cast<TargetEntry*>(list_nth(plan->custom_scan_tlist, i));
    auto const position = static_cast<AttrNumber>(list_nth_int(positions, i + 1));
    if (i < key_count) {
      AddKey(reinterpret_cast<Node*>(entry->expr), position, objects);
    } else {
      AddCall(reinterpret_cast<Aggref*>(entry->expr), position, objects);
    }
  }
}

void BeginAggregate(CustomScanState* css, EState* estate, int eflags) {
  AggregateNode* const node = NodeOf(css);
  auto* const plan = reinterpret_cast<CustomScan*>(css->ss.ps.plan);
  Boundary([&]() -> Status {
    TryPg([&]() noexcept {
      node->scratch = AllocSetContextCreate(estate->es_query_cxt, "ColumnarAggregate rows",
                                            ALLOCSET_DEFAULT_SIZES);
      node->memory_limit_bytes = get_hash_memory_limit();
      auto* const child = static_cast<Plan*>(linitial(plan->custom_plans));
      css->custom_ps = list_make1(ExecInitNode(child, estate, eflags));
    });
    node->objects = NewIn<AggregateObjects>(estate->es_query_cxt);
    InitObjects(plan, *node->objects);
    return Status::Ok();
  });
}

TupleTableSlot* ExecAggregate(CustomScanState* css) {
  AggregateNode* const node = NodeOf(css);
  ExprContext* const context = css->ss.ps.ps_ExprContext;
  TupleTableSlot* const slot = css->ss.ss_ScanTupleSlot;
  for (;;) {
    ResetExprContext(context);
    ExecClearTuple(slot);
    if (!Boundary([&]() -> Result<bool> { return NextRow(*node, slot); })) {
      return nullptr;
    }
    ExecStoreVirtualTuple(slot);
    context->ecxt_scantuple = slot;
    if (ExecQual(css->ss.ps.qual, context)) {  // HAVING
      break;
    }
    InstrCountFiltered1(css, 1);
  }
  return css->ss.ps.ps_ProjInfo == nullptr ? slot : ExecProject(css->ss.ps.ps_ProjInfo);
}

void EndAggregate(CustomScanState* css) {
  Boundary([css]() -> Status {
    *NodeOf(css)->objects = AggregateObjects{};
    return Status::Ok();
  });
  ExecEndNode(ChildOf(css));
}

void ReScanAggregate(CustomScanState* css) {
  AggregateNode* const node = NodeOf(css);
  PlanState* const child = ChildOf(css);
  node->started = false;
  node->done = false;
  if (css->ss.ps.chgParam != nullptr) {
    UpdateChangedParamSet(child, css->ss.ps.chgParam);
  }
  if (child->chgParam == nullptr) {  // otherwise it is rescanned when it is read
    ExecReScan(child);
  }
}

/// Texts of custom_scan_tlist entries [first, end).
List* Deparse(const CustomScan* plan, int first, int end, List* context, bool prefix) noexcept {
  List* texts = NIL;
  for (int i = first; i < end; ++i) {
    auto* const entry = static_cast<TargetEntry*>(list_nth(plan->custom_scan_tlist, i));
    texts = lappend(
        texts, deparse_expression(reinterpret_cast<Node*>(entry->expr), context, prefix, false));
  }
  return texts;
}

void ExplainAggregate(CustomScanState* css, List* ancestors, ExplainState* es) {
  auto* const plan = reinterpret_cast<CustomScan*>(css->ss.ps.plan);
  int const key_count = linitial_int(static_cast<List*>(linitial(plan->custom_private)));
  uint64_t const pass_count = NodeOf(css)->pass_count;
  Boundary([&]() -> Status {
    TryPg([&]() noexcept {
      List* const context = set_deparse_context_plan(es->deparse_cxt, &plan->scan.plan, ancestors);
      bool const prefix = list_length(es->rtable) > 1 && es->verbose;
      if (key_count > 0) {
        ExplainPropertyList("Group Key", Deparse(plan, 0, key_count, context, prefix), es);
      }
      int const end = list_length(plan->custom_scan_tlist);
      if (end > key_count) {
        ExplainPropertyList("Vectorized Aggregates", Deparse(plan, key_count, end, context, prefix),
                            es);
      }
      if (es->analyze && pass_count > 1) {
        ExplainPropertyUInteger("Passes", nullptr, pass_count, es);
      }
    });
    return Status::Ok();
  });
}

const CustomExecMethods exec_methods = {
    .CustomName = kColumnarAggregateName,
    .BeginCustomScan = BeginAggregate,
    .ExecCustomScan = ExecAggregate,
    .EndCustomScan = EndAggregate,
    .ReScanCustomScan = ReScanAggregate,
    .MarkPosCustomScan = nullptr,
    .RestrPosCustomScan = nullptr,
    .EstimateDSMCustomScan = nullptr,
    .InitializeDSMCustomScan = nullptr,
    .ReInitializeDSMCustomScan = nullptr,
    .InitializeWorkerCustomScan = nullptr,
    .ShutdownCustomScan = nullptr,
    .ExplainCustomScan = ExplainAggregate,
};

Node* CreateState(CustomScan*) {
  auto* const node = static_cast<AggregateNode*>(palloc0(sizeof(AggregateNode)));
  NodeSetTag(node, T_CustomScanState);
  node->css.methods = &exec_methods;
  return reinterpret_cast<Node*>(node);
}

}  // namespace

const CustomScanMethods columnar_aggregate_methods = {
    .CustomName = kColumnarAggregateName,
    .CreateCustomScanState = CreateState,
};

}  // namespace orochi::pg
