#include "vexec/accumulator.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "vexec/internal/moments.h"
#include "vexec/internal/order.h"

namespace orochi::vexec {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;
using internal::FloatLess;
using internal::Moments;
using internal::Overflow;
using internal::WordOf;

bool IsFloat(PhysicalType type) {
  return type == PhysicalType::kFloat32 || type == PhysicalType::kFloat64;
}

}  // namespace

bool Accumulator::Supports(Aggregate aggregate, PhysicalType type) {
  switch (type) {
    case PhysicalType::kBool:
      return aggregate == Aggregate::kCount;
    case PhysicalType::kBytes:
      return aggregate != Aggregate::kSum && aggregate != Aggregate::kAverage;
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
    case PhysicalType::kFloat32:
    case PhysicalType::kFloat64:
      return true;
  }
  return false;
}

Accumulator::Accumulator(Aggregate aggregate, PhysicalType type)
    : aggregate_(aggregate), type_(type) {
  ASSERT(Supports(aggregate, type));
}

Status Accumulator::Add(const ColumnVector& column, const Selection& selection) {
  ASSERT(column.row_count == selection.row_count());
  if (aggregate_ != Aggregate::kCount) {
    ASSERT(column.type == type_);
  } else {
    CountValues(column, selection);
    return Status::Ok();
  }
  switch (type_) {
    case PhysicalType::kInt16:
      AddIntegers<int16_t>(column, selection);
      return Status::Ok();
    case PhysicalType::kInt32:
      AddIntegers<int32_t>(column, selection);
      return Status::Ok();
    case PhysicalType::kInt64:
      AddIntegers<int64_t>(column, selection);
      return Status::Ok();
    case PhysicalType::kFloat32:
      return AddFloats<float>(column, selection);
    case PhysicalType::kFloat64:
      return AddFloats<double>(column, selection);
    case PhysicalType::kBytes:
      AddBytes(column, selection);
      return Status::Ok();
    case PhysicalType::kBool:
      break;
  }
  return Status::Internal("an aggregate that Supports() refuses was fed");
}

void Accumulator::CountValues(const ColumnVector& column, const Selection& selection) {
  if (column.null_count == 0) {
    state_.count += selection.CountSelected();
    return;
  }
  for (size_t index = 0; index < selection.words().size(); ++index) {
    state_.count +=
        static_cast<uint64_t>(std::popcount(selection.words()[index] & column.valid_words[index]));
  }
}

template <class T>
void Accumulator::AddIntegers(const ColumnVector& column, const Selection& selection) {
  const T* const values = column.Values<T>().data();
  if (aggregate_ == Aggregate::kSum || aggregate_ == Aggregate::kAverage) {
    // A batch of narrow integers fits 64 bits: fewer than 2^32 rows of at most 2^31.
    std::conditional_t<sizeof(T) == 8, Int128, int64_t> sum = 0;
    ForEachValue(column, selection, [&](uint32_t row) { sum += values[row]; });
    state_.integer_sum += sum;
  } else if (aggregate_ == Aggregate::kMin) {
    T least =
        state_.count > 0 ? static_cast<T>(state_.extreme_word) : std::numeric_limits<T>::max();
    ForEachValue(column, selection,
                 [&](uint32_t row) { least = values[row] < least ? values[row] : least; });
    state_.extreme_word = static_cast<uint64_t>(int64_t{least});
  } else {
    T greatest =
        state_.count > 0 ? static_cast<T>(state_.extreme_word) : std::numeric_limits<T>::min();
    ForEachValue(column, selection,
                 [&](uint32_t row) { greatest = values[row] > greatest ? values[row] : greatest; });
    state_.extreme_word = static_cast<uint64_t>(int64_t{greatest});
  }
  CountValues(column, selection);
}

template <class T>
Status Accumulator::AddFloats(const ColumnVector& column, const Selection& selection) {
  if (aggregate_ == Aggregate::kAverage) {
    return AddMoments<T>(column, selection);
  }
  if (aggregate_ != Aggregate::kSum) {
    AddFloatExtremes<T>(column, selection);
    return Status::Ok();
  }
  if constexpr (std::is_same_v<T, float>) {
    return AddFloatSum<float>(column, selection, state_.float_sum);
  } else {
    return AddFloatSum<double>(column, selection, state_.double_sum);
  }
}

// A sum that once left the finite numbers never comes back, so a finite result proves that no step
// overflowed; otherwise the batch is added again, looking at every step.
template <class T>
Status Accumulator::AddFloatSum(const ColumnVector& column, const Selection& selection, T& sum) {
  const T* const values = column.Values<T>().data();
  // PostgreSQL's sum begins with the first value, not with 0: the sum of -0.0 alone is -0.0, which
  // is also what adding to -0.0 gives.
  T const sum_before = state_.count > 0 ? sum : T{-0.0};
  T unchecked = sum_before;
  ForEachValue(column, selection, [&](uint32_t row) { unchecked += values[row]; });
  bool overflow = false;
  if (!std::isfinite(unchecked)) {
    T checked = sum_before;
    ForEachValue(column, selection, [&](uint32_t row) {
      T const next = checked + values[row];
      overflow |= std::isinf(next) && !std::isinf(checked) && !std::isinf(values[row]);
      checked = next;
    });
  }
  if (overflow) {
    return Overflow();
  }
  sum = unchecked;
  CountValues(column, selection);
  return Status::Ok();
}

template <class T>
Status Accumulator::AddMoments(const ColumnVector& column, const Selection& selection) {
  const T* const values = column.Values<T>().data();
  Moments const before = {.n = static_cast<double>(state_.count),
                          .sum = state_.double_sum,
                          .square_deviations = state_.square_deviations};
  Moments moments = before;
  bool ok = true;
  if (state_.count > 0) {
    ForEachValue(column, selection, [&](uint32_t row) { moments.AddUnchecked(values[row]); });
  }
  if (state_.count == 0 || !moments.IsFinite()) {
    moments = before;
    ForEachValue(column, selection,
                 [&](uint32_t row) { ok = ok && moments.AddChecked(values[row]); });
  }
  if (!ok) {
    return Overflow();
  }
  state_.double_sum = moments.sum;
  state_.square_deviations = moments.square_deviations;
  CountValues(column, selection);
  return Status::Ok();
}

template <class T>
void Accumulator::AddFloatExtremes(const ColumnVector& column, const Selection& selection) {
  const T* const values = column.Values<T>().data();
  bool started = state_.count > 0;
  T extreme = std::bit_cast<T>(static_cast<internal::BitsOf<T>>(state_.extreme_word));
  if (aggregate_ == Aggregate::kMin) {
    ForEachValue(column, selection, [&](uint32_t row) {
      if (!started || !FloatLess(extreme, values[row])) {
        extreme = values[row];
        started = true;
      }
    });
  } else {
    ForEachValue(column, selection, [&](uint32_t row) {
      if (!started || !FloatLess(values[row], extreme)) {
        extreme = values[row];
        started = true;
      }
    });
  }
  state_.extreme_word = WordOf(extreme);
  CountValues(column, selection);
}

void Accumulator::AddBytes(const ColumnVector& column, const Selection& selection) {
  bool started = state_.count > 0;
  bool const wants_min = aggregate_ == Aggregate::kMin;
  ForEachValue(column, selection, [&](uint32_t row) {
    std::string_view const value = internal::AsText(column.BytesAt(row));
    if (!started || (wants_min ? value < state_.extreme_bytes : value > state_.extreme_bytes)) {
      state_.extreme_bytes.assign(value);
      started = true;
    }
  });
  CountValues(column, selection);
}

bool Accumulator::AddFromStatistics(const columnar::ChunkStatistics& statistics, uint32_t row_count,
                                    uint32_t null_count) {
  if (null_count > row_count) {
    return false;
  }
  uint32_t const value_count = row_count - null_count;
  if (aggregate_ == Aggregate::kCount || value_count == 0) {
    state_.count += value_count;
    return true;
  }
  bool const wants_min = aggregate_ == Aggregate::kMin;
  bool const wants_max = aggregate_ == Aggregate::kMax;
  if ((!wants_min && !wants_max) || !statistics.has_range || type_ == PhysicalType::kBytes) {
    return false;
  }
  uint64_t const word = wants_min ? statistics.min_word : statistics.max_word;
  // A float zero in the statistics may stand for -0.0, and only the rows know which came last.
  if (IsFloat(type_) && word == 0) {
    return false;
  }
  // One value at a time through Add: a chunk's extreme is one more value to compare with.
  ColumnVector single;
  single.type = type_;
  single.row_count = 1;
  single.fixed_words = {word};
  Selection all;
  all.SelectAll(1);
  if (!Add(single, all).ok()) {
    return false;
  }
  state_.count += value_count - 1;
  return true;
}

}  // namespace orochi::vexec
