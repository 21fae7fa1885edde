#include "pg/hypertable/copy_target.h"

extern "C" {
#include "access/table.h"
#include "commands/progress.h"
#include "commands/trigger.h"
#include "executor/nodeModifyTable.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/backend_progress.h"
#include "utils/date.h"
#include "utils/partcache.h"
}

#include "pg/hypertable/copy_leaf.h"

namespace orochi::pg {

using timeseries::TimeKind;

namespace {

// Leaves beyond this many give their buffers back when a flush finds them unused: each holds a
// pinned page and slots, and rows from many years of chunks would otherwise pile them up.
constexpr int kBufferedLeavesMax = 32;

// Infinite times keep their place below and above all others.
int64 TimeAsInt64(Datum value, TimeKind kind) noexcept {
  switch (kind) {
    case TimeKind::kInt16:
      return DatumGetInt16(value);
    case TimeKind::kInt32:
      return DatumGetInt32(value);
    case TimeKind::kDays:
      return DatumGetDateADT(value);
    case TimeKind::kMicros:
    case TimeKind::kInt64:
      break;
  }
  return DatumGetInt64(value);
}

// Copies the parent's range bounds into one array of integers. MAXVALUE is left out: a chunk that
// ends there is the last one, and has no upper bound.
void LoadBounds(CopyTarget* target, Relation relation) noexcept {
  PartitionDesc const partitions =
      PartitionDirectoryLookup(target->estate->es_partition_directory, relation);
  target->is_leaf = partitions->is_leaf;
  if (partitions->nparts == 0) {
    return;
  }
  PartitionBoundInfo const info = partitions->boundinfo;
  target->chunks =
      static_cast<CopyLeaf**>(palloc0(static_cast<Size>(partitions->nparts) * sizeof(CopyLeaf*)));
  auto const capacity = static_cast<Size>(info->ndatums);
  target->bounds = static_cast<int64*>(palloc(capacity * sizeof(int64)));
  target->bound_chunk = static_cast<int*>(palloc(capacity * sizeof(int)));
  for (int i = 0; i < info->ndatums; ++i) {
    PartitionRangeDatumKind const kind = info->kind[i][0];
    if (kind == PARTITION_RANGE_DATUM_MAXVALUE) {
      break;
    }
    target->bounds[i] = kind == PARTITION_RANGE_DATUM_MINVALUE
                            ? PG_INT64_MIN
                            : TimeAsInt64(info->datums[i][0], target->kind);
    target->bound_chunk[i] = info->indexes[i + 1];
    target->bound_count = i + 1;
  }
}

// The last bound at or below `time`, -1 when `time` is before all of them.
int FindBound(const CopyTarget* target, int64 time) noexcept {
  int low = 0;
  int high = target->bound_count;
  while (low < high) {
    int const middle = low + (high - low) / 2;
    if (target->bounds[middle] <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

// Routes the row through the partition tree and finds or makes the leaf it ends in.
CopyLeaf* RouteToLeaf(CopyTarget* target, TupleTableSlot* row) noexcept {
  ResultRelInfo* const relation =
      ExecFindPartition(target->modify, target->root, target->routing, row, target->estate);
  // The field is there for COPY to find what it keeps per partition; what that is, is ours.
  auto* leaf = reinterpret_cast<CopyLeaf*>(relation->ri_CopyMultiInsertBuffer);
  if (leaf == nullptr) {
    leaf = MakeCopyLeaf(target->estate, relation, target->one_by_one);
    relation->ri_CopyMultiInsertBuffer = reinterpret_cast<CopyMultiInsertBuffer*>(leaf);
    *target->leaves_end = leaf;
    target->leaves_end = &leaf->next;
    ++target->leaf_count;
  }
  return leaf;
}

// The leaf for a row, or null when its chunk is missing. Remembers the range for the next row.
CopyLeaf* FindLeaf(CopyTarget* target, TupleTableSlot* row) noexcept {
  int const time_index = target->time_attribute - 1;
  if (row->tts_isnull[time_index]) {
    return nullptr;
  }
  int64 const time = TimeAsInt64(row->tts_values[time_index], target->kind);
  if (target->last_leaf != nullptr && time >= target->last_lower && time <= target->last_upper) {
    return target->last_leaf;
  }
  int const bound = FindBound(target, time);
  int const chunk = bound < 0 ? -1 : target->bound_chunk[bound];
  if (chunk < 0) {
    return nullptr;
  }
  if (!target->is_leaf[chunk]) {  // partitioned further: every row takes the whole way
    return RouteToLeaf(target, row);
  }
  if (target->chunks[chunk] == nullptr) {
    target->chunks[chunk] = RouteToLeaf(target, row);
  }
  target->last_leaf = target->chunks[chunk];
  target->last_lower = target->bounds[bound];
  target->last_upper =
      bound + 1 < target->bound_count ? target->bounds[bound + 1] - 1 : PG_INT64_MAX;
  return target->last_leaf;
}

// Generated columns and constraints, of the leaf; then the row may be inserted.
void CheckRow(const CopyTarget* target, const CopyLeaf* leaf, TupleTableSlot* slot) noexcept {
  ResultRelInfo* const relation = leaf->relation;
  const TupleConstr* const constraints = relation->ri_RelationDesc->rd_att->constr;
  if (constraints != nullptr) {
    if (constraints->has_generated_stored) {
      ExecComputeStoredGenerated(relation, target->estate, slot, CMD_INSERT);
    }
    if (relation->ri_FdwRoutine == nullptr) {
      ExecConstraints(relation, slot, target->estate);
    }
  }
  if (leaf->has_before_trigger) {  // it may have changed what routing went by
    ExecPartitionCheck(relation, slot, target->estate, true);
  }
}

void ReportProgress(const CopyTarget* target) noexcept {
  pgstat_progress_update_param(PROGRESS_COPY_TUPLES_PROCESSED,
                               static_cast<int64>(target->inserted_count));
}

// Rows of the parent may not wait when something could look at the table between two of them, or
// collects them for a statement trigger, which works row by row under routing.
bool MustInsertOneByOne(const ResultRelInfo* root, const CopySource* source) noexcept {
  const TriggerDesc* const triggers = root->ri_TrigDesc;
  return source->must_not_read_ahead || (triggers != nullptr && (triggers->trig_insert_before_row ||
                                                                 triggers->trig_insert_new_table));
}

}  // namespace

CopyTarget* OpenCopyTarget(Relation relation, List* range_table, const Hypertable& hypertable,
                           const CopySource* source, CommandId command_id) noexcept {
  EState* const estate = CreateExecutorState();
  MemoryContext const caller = MemoryContextSwitchTo(estate->es_query_cxt);
  auto* target = static_cast<CopyTarget*>(palloc0(sizeof(CopyTarget)));
  target->estate = estate;
  target->leaves_end = &target->leaves;
  target->input = source->state;
  target->command_id = command_id;
  target->time_attribute = hypertable.time_attno;
  target->kind = hypertable.kind;

  ExecInitRangeTable(estate, range_table);
  target->root = makeNode(ResultRelInfo);
  ExecInitResultRelation(estate, target->root, 1);
  CheckValidResultRel(target->root, CMD_INSERT);

  auto* modify = makeNode(ModifyTableState);  // what tuple routing and foreign tables look at
  modify->ps.state = estate;
  modify->operation = CMD_INSERT;
  modify->mt_nrels = 1;
  modify->resultRelInfo = target->root;
  modify->rootResultRelInfo = target->root;
  modify->mt_transition_capture =
      MakeTransitionCaptureState(relation->trigdesc, RelationGetRelid(relation), CMD_INSERT);
  target->modify = modify;
  target->one_by_one = MustInsertOneByOne(target->root, source);
  // A concurrent reader that never saw a chunk has locked the hypertable in its place. Targets are
  // opened after chunks are made, so one look at the hypertable finds every such reader.
  if (IsolationIsSerializable()) {
    CheckForSerializableConflictIn(relation, nullptr, InvalidBlockNumber);
  }
  target->routing = ExecSetupPartitionTupleRouting(estate, relation);
  LoadBounds(target, relation);
  MemoryContextSwitchTo(caller);
  return target;
}

bool StoreRow(CopyTarget* target, TupleTableSlot* row) noexcept {
  EState* const estate = target->estate;
  ResetPerTupleExprContext(estate);
  CopyLeaf* const leaf = FindLeaf(target, row);
  if (leaf == nullptr) {
    return false;
  }
  if (leaf->one_by_one && !target->one_by_one) {
    FlushCopyTarget(target);  // its triggers see the rows that came before
  }
  TupleTableSlot* const slot = NextLeafSlot(leaf, estate);
  FillLeafSlot(leaf, row, slot);
  TransitionCaptureState* const capture = target->modify->mt_transition_capture;
  if (capture != nullptr) {
    // Without a trigger that could change the row, the parent's form needs no converting back.
    capture->tcs_original_insert_tuple = leaf->has_before_trigger ? nullptr : row;
  }
  if (leaf->has_before_trigger && !ExecBRInsertTriggers(estate, leaf->relation, slot)) {
    return true;
  }
  CheckRow(target, leaf, slot);
  if (!leaf->one_by_one) {
    BufferLeafRow(leaf, target->input->cur_lineno);
    return true;
  }
  if (InsertLeafRow(leaf, slot, estate, target->command_id, capture)) {
    ++target->inserted_count;
    ReportProgress(target);
  }
  return true;
}

void FlushCopyTarget(CopyTarget* target) noexcept {
  for (CopyLeaf* leaf = target->leaves; leaf != nullptr; leaf = leaf->next) {
    int const inserted = FlushLeaf(leaf, target->estate, target->input, target->command_id);
    target->inserted_count += static_cast<uint64>(inserted);
    if (!leaf->used_since_flush && target->leaf_count > kBufferedLeavesMax) {
      ReleaseLeafBuffers(leaf);
    }
    leaf->used_since_flush = false;
  }
  ReportProgress(target);
}

void CloseCopyTarget(CopyTarget* target) noexcept {
  EState* const estate = target->estate;
  for (CopyLeaf* leaf = target->leaves; leaf != nullptr; leaf = leaf->next) {
    ReleaseLeafBuffers(leaf);
  }
  ExecResetTupleTable(estate->es_tupleTable, false);
  ExecCleanupTupleRouting(target->modify, target->routing);
  ExecCloseResultRelations(estate);
  ExecCloseRangeTableRelations(estate);
  FreeExecutorState(estate);  // the target itself is in its memory
}

}  // namespace orochi::pg
