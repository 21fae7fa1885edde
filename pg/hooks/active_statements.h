#pragma once

#include <set>

#include "pg/bridge.h"

#include "pg/hypertable/chunk_creation.h"

extern "C" {
#include "executor/execPartition.h"
#include "executor/execdesc.h"
#include "nodes/execnodes.h"
}

/// The statements of this session that are writing to hypertables, innermost last, and how they
/// learn of chunks that appear while they run: PostgreSQL takes a list of a table's partitions when
/// a statement starts, and routes by it to the end.
namespace orochi::pg {

/// A ModifyTable node on a hypertable, and the generation its routing belongs to.
struct ModifiedHypertable {
  ModifyTableState* node;
  HypertableEntry* entry;
  Oid relid;
  uint64_t generation;
};

/// Life: from ExecutorStart to ExecutorEnd, or to the end of es_query_cxt after an error.
class ActiveStatement {
 public:
  ActiveStatement(EState* estate, std::vector<ModifiedHypertable> targets);
  ~ActiveStatement();
  ActiveStatement(const ActiveStatement&) = delete;
  ActiveStatement& operator=(const ActiveStatement&) = delete;

  /// Gives every target on `relid` that is older than `generation` fresh routing.
  void Refresh(Oid relid, uint64_t generation);
  /// Closes the routing that Refresh replaced. Before standard_ExecutorEnd.
  void CleanUp();
  bool Modifies(Oid relid) const;
  bool Is(const EState* estate) const { return estate_ == estate; }
  bool IsInside(int nest_level) const { return nest_level_ >= nest_level; }

 private:
  void RefreshOne(ModifiedHypertable& target);

  struct Retired {
    ModifyTableState* node;
    PartitionTupleRouting* routing;
  };

  EState* estate_;
  ResourceOwner owner_;  // what pins the partition descriptors, whoever is current when refreshing
  int nest_level_;
  std::vector<ModifiedHypertable> targets_;
  std::vector<Retired> retired_;
  std::vector<PartitionDirectory> retired_directories_;
};

/// Registers what `query` modifies; `generation_before` is LastHypertableGeneration() from before
/// the executor started. Nothing when no target is a hypertable.
Status EnterStatement(QueryDesc* query, uint64_t generation_before);
/// Undoes EnterStatement; no-op for statements that were not entered.
void LeaveStatement(QueryDesc* query);
/// Gives all active statements on `relid` routing of at least `generation`.
void RefreshStatements(Oid relid, uint64_t generation);

/// While a statement's rows are read ahead (own_session.h), its times are collected instead of
/// looked for. One per read-ahead; nested statements push their own entries on top.
class TimeCollector {
 public:
  explicit TimeCollector(const Hypertable& hypertable);
  ~TimeCollector();
  TimeCollector(const TimeCollector&) = delete;
  TimeCollector& operator=(const TimeCollector&) = delete;

  /// Remembers a time whose chunk is missing. Errors as EnsureChunkFor for NULL and infinity.
  Status Add(Datum time, bool isnull);
  const Hypertable& hypertable() const { return hypertable_; }
  /// One time of every missing range, in order of their first appearance.
  const std::vector<int64_t>& missing() const { return missing_; }

 private:
  Hypertable hypertable_;
  timeseries::ChunkRange last_ = {.first = 1, .last = 0};
  std::set<int64_t> missing_starts_;
  std::vector<int64_t> missing_;
};

/// Who evaluates times for `relid`: the innermost statement or collector on it.
struct Evaluator {
  ActiveStatement* statement = nullptr;
  TimeCollector* collector = nullptr;
};
Evaluator EvaluatorOf(Oid relid) noexcept;

/// Forgets statements that a (sub)transaction's abort ended. Called once from _PG_init.
void RegisterActiveStatements();

}  // namespace orochi::pg
