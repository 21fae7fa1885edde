#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "columnar/column.h"
#include "vexec/accumulator.h"
#include "vexec/selection.h"

namespace orochi::vexec {

/// One aggregate over one column for every group of a GroupTable. What Accumulator promises holds
/// for each group: the bits of PostgreSQL's own aggregate over the group's rows in their order.
///
/// Threads: none.
class GroupedAccumulator {
 public:
  /// REQUIRES: Accumulator::Supports(aggregate, type).
  GroupedAccumulator(Aggregate aggregate, columnar::PhysicalType type);

  /// Takes the selected rows, each into group_of_row[row] < group_count. Errors as
  /// Accumulator::Add.
  Status Add(const columnar::ColumnVector& column, const Selection& selection,
             std::span<const uint32_t> group_of_row, size_t group_count);
  /// Counts rows whatever their values. REQUIRES: kCount.
  void AddRows(const Selection& selection, std::span<const uint32_t> group_of_row,
               size_t group_count);

  /// REQUIRES: group < the last group_count.
  const AggregateState& state(size_t group) const { return states_[group]; }

  void Clear();
  size_t memory_bytes() const {
    return states_.capacity() * sizeof(AggregateState) + extreme_bytes_;
  }

 private:
  template <class T>
  void AddIntegers(const columnar::ColumnVector& column, const Selection& selection,
                   std::span<const uint32_t> group_of_row);
  template <class T>
  Status AddFloats(const columnar::ColumnVector& column, const Selection& selection,
                   std::span<const uint32_t> group_of_row);
  void AddBytes(const columnar::ColumnVector& column, const Selection& selection,
                std::span<const uint32_t> group_of_row);

  Aggregate aggregate_;
  columnar::PhysicalType type_;
  std::vector<AggregateState> states_;
  size_t extreme_bytes_ = 0;  // held by states_ beyond their own size
};

}  // namespace orochi::vexec
