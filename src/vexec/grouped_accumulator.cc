#include "vexec/grouped_accumulator.h"

#include <bit>
#include <cmath>
#include <type_traits>

#include "vexec/internal/moments.h"
#include "vexec/internal/order.h"

namespace orochi::vexec {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;
using internal::FloatLess;

/// False on overflow.
template <class T>
bool AddToSum(AggregateState& state, T value) {
  T& sum = [&]() -> T& {
    if constexpr (std::is_same_v<T, float>) {
      return state.float_sum;
    } else {
      return state.double_sum;
    }
  }();
  if (state.count == 0) {  // begins with the value, not with 0: a sum of -0.0 alone is -0.0
    sum = value;
    return true;
  }
  T const before = sum;
  sum += value;
  return !std::isinf(sum) || std::isinf(before) || std::isinf(value);
}

bool AddToMoments(AggregateState& state, double value) {
  internal::Moments moments = {.n = static_cast<double>(state.count),
                               .sum = state.double_sum,
                               .square_deviations = state.square_deviations};
  bool const ok = moments.AddChecked(value);
  state.double_sum = moments.sum;
  state.square_deviations = moments.square_deviations;
  return ok;
}

/// Of equal values the later one stays, as in PostgreSQL.
template <class T>
void KeepExtreme(AggregateState& state, T value, bool wants_min) {
  if (state.count > 0) {
    T const extreme = std::bit_cast<T>(static_cast<internal::BitsOf<T>>(state.extreme_word));
    if (wants_min ? FloatLess(extreme, value) : FloatLess(value, extreme)) {
      return;
    }
  }
  state.extreme_word = internal::WordOf(value);
}

}  // namespace

GroupedAccumulator::GroupedAccumulator(Aggregate aggregate, PhysicalType type)
    : aggregate_(aggregate), type_(type) {
  ASSERT(Accumulator::Supports(aggregate, type));
}

void GroupedAccumulator::Clear() {
  states_ = std::vector<AggregateState>();  // not `= {}`, which keeps the memory
  extreme_bytes_ = 0;
}

void GroupedAccumulator::AddRows(const Selection& selection, std::span<const uint32_t> group_of_row,
                                 size_t group_count) {
  ASSERT(aggregate_ == Aggregate::kCount);
  states_.resize(group_count);
  for (uint32_t row = selection.Next(0); row < selection.row_count();
       row = selection.Next(row + 1)) {
    ++states_[group_of_row[row]].count;
  }
}

Status GroupedAccumulator::Add(const ColumnVector& column, const Selection& selection,
                               std::span<const uint32_t> group_of_row, size_t group_count) {
  ASSERT(group_of_row.size() >= selection.row_count());
  states_.resize(group_count);
  if (aggregate_ == Aggregate::kCount) {
    ForEachValue(column, selection, [&](uint32_t row) { ++states_[group_of_row[row]].count; });
    return Status::Ok();
  }
  ASSERT(column.type == type_);
  switch (type_) {
    case PhysicalType::kInt16:
      AddIntegers<int16_t>(column, selection, group_of_row);
      return Status::Ok();
    case PhysicalType::kInt32:
      AddIntegers<int32_t>(column, selection, group_of_row);
      return Status::Ok();
    case PhysicalType::kInt64:
      AddIntegers<int64_t>(column, selection, group_of_row);
      return Status::Ok();
    case PhysicalType::kFloat32:
      return AddFloats<float>(column, selection, group_of_row);
    case PhysicalType::kFloat64:
      return AddFloats<double>(column, selection, group_of_row);
    case PhysicalType::kBytes:
      AddBytes(column, selection, group_of_row);
      return Status::Ok();
    case PhysicalType::kBool:
      break;
  }
  return Status::Internal("an aggregate that Supports() refuses was fed");
}

template <class T>
void GroupedAccumulator::AddIntegers(const ColumnVector& column, const Selection& selection,
                                     std::span<const uint32_t> group_of_row) {
  const T* const values = column.Values<T>().data();
  bool const sums = aggregate_ == Aggregate::kSum || aggregate_ == Aggregate::kAverage;
  bool const wants_min = aggregate_ == Aggregate::kMin;
  ForEachValue(column, selection, [&](uint32_t row) {
    AggregateState& state = states_[group_of_row[row]];
    int64_t const value = values[row];
    if (sums) {
      state.integer_sum += value;
    } else {
      auto const extreme = static_cast<int64_t>(state.extreme_word);
      if (state.count == 0 || (wants_min ? value < extreme : value > extreme)) {
        state.extreme_word = static_cast<uint64_t>(value);
      }
    }
    ++state.count;
  });
}

template <class T>
Status GroupedAccumulator::AddFloats(const ColumnVector& column, const Selection& selection,
                                     std::span<const uint32_t> group_of_row) {
  const T* const values = column.Values<T>().data();
  Aggregate const aggregate = aggregate_;
  bool ok = true;
  ForEachValue(column, selection, [&](uint32_t row) {
    AggregateState& state = states_[group_of_row[row]];
    if (aggregate == Aggregate::kSum) {
      ok &= AddToSum<T>(state, values[row]);
    } else if (aggregate == Aggregate::kAverage) {
      ok &= AddToMoments(state, double{values[row]});
    } else {
      KeepExtreme<T>(state, values[row], aggregate == Aggregate::kMin);
    }
    ++state.count;
  });
  return ok ? Status::Ok() : internal::Overflow();
}

void GroupedAccumulator::AddBytes(const ColumnVector& column, const Selection& selection,
                                  std::span<const uint32_t> group_of_row) {
  bool const wants_min = aggregate_ == Aggregate::kMin;
  ForEachValue(column, selection, [&](uint32_t row) {
    AggregateState& state = states_[group_of_row[row]];
    std::string_view const value = internal::AsText(column.BytesAt(row));
    if (state.count == 0 ||
        (wants_min ? value < state.extreme_bytes : value > state.extreme_bytes)) {
      extreme_bytes_ -= state.extreme_bytes.capacity();
      state.extreme_bytes.assign(value);
      extreme_bytes_ += state.extreme_bytes.capacity();
    }
    ++state.count;
  });
}

}  // namespace orochi::vexec
