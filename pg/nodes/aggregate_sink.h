#pragma once

#include "pg/compat.h"

#include "pg/nodes/aggregate_function.h"
#include "pg/nodes/aggregate_input.h"
#include "vexec/group_table.h"
#include "vexec/grouped_accumulator.h"

namespace orochi::pg {

/// One aggregate call of a node, and where its column is among the node's input columns.
struct AggregateCall {
  AggregateFunction function;
  std::optional<size_t> input;  // none: counts rows
};

/// Aggregates without GROUP BY.
class PlainSink final : public BatchSink {
 public:
  explicit PlainSink(std::span<const AggregateCall> calls);

  Status Take(InputBatch& batch) override;
  Status TakeRows(uint64_t row_count) override;
  const vexec::AggregateState& state(size_t call) const { return accumulators_[call].state(); }

 private:
  std::span<const AggregateCall> calls_;
  std::vector<vexec::Accumulator> accumulators_;
};

/// Aggregates with GROUP BY: the first input columns are the keys. Takes a share of the groups at a
/// time when all of them pass the memory limit.
class GroupSink final : public BatchSink {
 public:
  GroupSink(std::vector<columnar::PhysicalType> key_types, std::span<const AggregateCall> calls,
            size_t memory_limit_bytes);

  /// Forgets everything; takes only groups of this share from now on.
  void Begin(const vexec::GroupTable::Share& share);

  /// kResourceExhausted with overflowed() when the share has too many groups: begin again with a
  /// smaller one.
  Status Take(InputBatch& batch) override;
  Status TakeRows(uint64_t row_count) override;
  bool overflowed() const { return overflowed_; }

  size_t group_count() const { return groups_.group_count(); }
  const vexec::GroupTable& groups() const { return groups_; }
  const vexec::AggregateState& state(size_t call, size_t group) const {
    return accumulators_[call].state(group);
  }

 private:
  size_t memory_bytes() const;

  size_t key_count_;
  std::span<const AggregateCall> calls_;
  size_t memory_limit_bytes_;
  vexec::GroupTable groups_;
  vexec::GroupTable::Share share_;
  std::vector<vexec::GroupedAccumulator> accumulators_;
  std::vector<uint32_t> group_of_row_;
  vexec::Selection selection_;
  bool overflowed_ = false;
};

}  // namespace orochi::pg
