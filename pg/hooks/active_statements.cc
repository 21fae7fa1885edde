#include "pg/hooks/active_statements.h"

#include "pg/hypertable/chunk_routing.h"

extern "C" {
#include "executor/executor.h"
#include "partitioning/partdesc.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

// Innermost last; exactly one of the two pointers is set. Objects take themselves off.
std::vector<Evaluator>& Evaluators() {
  static std::vector<Evaluator> evaluators;
  return evaluators;
}

void RemoveEvaluator(const ActiveStatement* statement, const TimeCollector* collector) noexcept {
  std::erase_if(Evaluators(), [&](const Evaluator& evaluator) {
    return evaluator.statement == statement && evaluator.collector == collector;
  });
}

// Statements inside an aborted (sub)transaction stay allocated for a while, but must not be
// touched.
void ForgetInside(int nest_level) noexcept {
  std::erase_if(Evaluators(), [&](const Evaluator& evaluator) {
    return evaluator.statement != nullptr && evaluator.statement->IsInside(nest_level);
  });
}

void OnTransactionEnd(XactEvent event, void* /*arg*/) noexcept {
  if (event == XACT_EVENT_ABORT) {
    ForgetInside(0);
  }
}

void OnSubtransactionEnd(SubXactEvent event, SubTransactionId /*own*/, SubTransactionId /*parent*/,
                         void* /*arg*/) noexcept {
  if (event == SUBXACT_EVENT_ABORT_SUB) {
    ForgetInside(GetCurrentTransactionNestLevel());
  }
}

Status AddTarget(ModifyTableState* node, uint64_t generation_before,
                 std::vector<ModifiedHypertable>* targets) {
  Relation const relation = node->rootResultRelInfo->ri_RelationDesc;
  if (relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) {
    return Status::Ok();
  }
  Oid const relid = RelationGetRelid(relation);
  ASSIGN_OR_RETURN(HypertableEntry* const entry, HypertableEntryOf(relid));
  if (entry->hypertable.has_value()) {
    // Routing set up after an invalidation may still be older than it: then it counts as stale.
    uint64_t const generation = entry->generation <= generation_before ? entry->generation : 0;
    targets->push_back({.node = node, .entry = entry, .relid = relid, .generation = generation});
  }
  return Status::Ok();
}

}  // namespace

ActiveStatement::ActiveStatement(EState* estate, std::vector<ModifiedHypertable> targets)
    : estate_(estate),
      owner_(CurrentResourceOwner),
      nest_level_(GetCurrentTransactionNestLevel()),
      targets_(std::move(targets)) {
  Evaluators().push_back({.statement = this});
}

ActiveStatement::~ActiveStatement() {
  RemoveEvaluator(this, nullptr);
}

bool ActiveStatement::Modifies(Oid relid) const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [&](const ModifiedHypertable& target) { return target.relid == relid; });
}

void ActiveStatement::Refresh(Oid relid, uint64_t generation) {
  for (ModifiedHypertable& target : targets_) {
    if (target.relid == relid && target.generation < generation) {
      RefreshOne(target);
      target.generation = generation;
    }
  }
}

void ActiveStatement::RefreshOne(ModifiedHypertable& target) {
  retired_.reserve(retired_.size() + 1);
  retired_directories_.reserve(retired_directories_.size() + 1);
  PartitionDirectory const old_directory = estate_->es_partition_directory;
  PartitionTupleRouting* const old_routing = target.node->mt_partition_tuple_routing;
  // Directory and routing hold references of the statement, not of a subtransaction inside it.
  ResourceOwner const current = CurrentResourceOwner;
  CurrentResourceOwner = owner_;
  estate_->es_partition_directory = nullptr;
  if (old_directory != nullptr) {
    retired_directories_.push_back(old_directory);
  }
  if (old_routing != nullptr) {
    try {
      target.node->mt_partition_tuple_routing = TryPg([&]() noexcept {
        MemoryContext const previous = MemoryContextSwitchTo(estate_->es_query_cxt);
        PartitionTupleRouting* const fresh = ExecSetupPartitionTupleRouting(
            estate_, target.node->rootResultRelInfo->ri_RelationDesc);
        MemoryContextSwitchTo(previous);
        return fresh;
      });
    } catch (const CaughtError&) {
      CurrentResourceOwner = current;
      throw;
    }
    retired_.push_back({.node = target.node, .routing = old_routing});
  }
  CurrentResourceOwner = current;
}

void ActiveStatement::CleanUp() {
  if (retired_.empty() && retired_directories_.empty()) {
    return;
  }
  TryPg([&]() noexcept {
    for (const Retired& retired : retired_) {
      ExecCleanupTupleRouting(retired.node, retired.routing);
    }
    for (PartitionDirectory const directory : retired_directories_) {
      DestroyPartitionDirectory(directory);
    }
  });
  retired_.clear();
  retired_directories_.clear();
}

Status EnterStatement(QueryDesc* query, uint64_t generation_before) {
  std::vector<ModifiedHypertable> targets;
  if (IsA(query->planstate, ModifyTableState)) {
    RETURN_IF_ERROR(AddTarget(reinterpret_cast<ModifyTableState*>(query->planstate),
                              generation_before, &targets));
  }
  // Data-modifying WITH queries; the top node is not among them.
  ListCell* cell = nullptr;
  foreach (cell, query->estate->es_auxmodifytables) {
    RETURN_IF_ERROR(
        AddTarget(static_cast<ModifyTableState*>(lfirst(cell)), generation_before, &targets));
  }
  if (!targets.empty()) {
    NewIn<ActiveStatement>(query->estate->es_query_cxt, query->estate, std::move(targets));
  }
  return Status::Ok();
}

void LeaveStatement(QueryDesc* query) {
  auto& evaluators = Evaluators();
  auto const found = std::find_if(evaluators.rbegin(), evaluators.rend(), [&](const auto& each) {
    return each.statement != nullptr && each.statement->Is(query->estate);
  });
  if (found != evaluators.rend()) {
    ActiveStatement* const statement = found->statement;
    evaluators.erase(std::next(found).base());
    statement->CleanUp();  // es_query_cxt, deleted next, frees the object
  }
}

void RefreshStatements(Oid relid, uint64_t generation) {
  for (const Evaluator& evaluator : Evaluators()) {
    if (evaluator.statement != nullptr) {
      evaluator.statement->Refresh(relid, generation);
    }
  }
}

TimeCollector::TimeCollector(const Hypertable& hypertable) : hypertable_(hypertable) {
  Evaluators().push_back({.collector = this});
}

TimeCollector::~TimeCollector() {
  RemoveEvaluator(nullptr, this);
}

Status TimeCollector::Add(Datum time, bool isnull) {
  int64_t const ticks = RequireTicks(hypertable_, time, isnull);
  if (last_.Contains(ticks)) {
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(Chunk const chunk, FindChunk(hypertable_, ticks));
  last_ = chunk.range;
  if (!OidIsValid(chunk.relid)) {
    ASSIGN_OR_RETURN(timeseries::ChunkRange const wanted,
                     timeseries::RangeFor(hypertable_.kind, hypertable_.interval, ticks));
    last_ = timeseries::ClipTo(wanted, chunk.range, ticks);
    if (missing_starts_.insert(last_.first).second) {
      missing_.push_back(ticks);
    }
  }
  return Status::Ok();
}

Evaluator EvaluatorOf(Oid relid) noexcept {
  const auto& evaluators = Evaluators();
  for (auto each = evaluators.rbegin(); each != evaluators.rend(); ++each) {
    if (each->statement != nullptr ? each->statement->Modifies(relid)
                                   : each->collector->hypertable().relid == relid) {
      return *each;
    }
  }
  return {};
}

void RegisterActiveStatements() {
  RegisterXactCallback(&OnTransactionEnd, nullptr);
  RegisterSubXactCallback(&OnSubtransactionEnd, nullptr);
}

}  // namespace orochi::pg
