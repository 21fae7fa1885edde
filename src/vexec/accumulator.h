#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "columnar/column.h"
#include "columnar/statistics.h"
#include "vexec/selection.h"

namespace orochi::vexec {

__extension__ using Int128 = __int128;

enum class Aggregate : uint8_t {
  kCount,    // of values that are not NULL
  kSum,      // integers: exact in 128 bits; floats: in the column's own width
  kAverage,  // integers: as kSum; floats: PostgreSQL's transition (N, Sx, Sxx) in double
  kMin,
  kMax,
};

/// What is known of one aggregate over the values taken so far.
struct AggregateState {
  /// Values taken. At 0 every aggregate but kCount is NULL.
  uint64_t count = 0;
  /// kSum and kAverage over integers.
  Int128 integer_sum = 0;
  /// kSum over kFloat64, kAverage over both float types (Sx).
  double double_sum = 0;
  double square_deviations = 0;  // Sxx of kAverage over floats
  /// kSum over kFloat32.
  float float_sum = 0;
  /// kMin and kMax: as in Cell::word (sign-extended integers, raw float bits) or bytes.
  uint64_t extreme_word = 0;
  std::string extreme_bytes;
};

/// One aggregate over one column, without grouping, fed batch by batch in row order. NULLs are
/// skipped. Every result is bit for bit what PostgreSQL's own aggregate gives for the same rows in
/// the same order: float sums add one value after the other, and of equal values (-0.0 and 0.0) the
/// later one is the minimum and the maximum.
///
/// Life: Add* and AddFromStatistics* in any mix, then the accessors.    Threads: none.
class Accumulator {
 public:
  /// True when `aggregate` exists for columns of `type`.
  static bool Supports(Aggregate aggregate, columnar::PhysicalType type);

  /// REQUIRES: Supports(aggregate, type).
  Accumulator(Aggregate aggregate, columnar::PhysicalType type);

  /// Takes the selected rows. kOutOfRange "value out of range: overflow" where PostgreSQL raises
  /// it: finite floats whose sum, or sum of squared deviations, is not finite.
  /// REQUIRES: column.type is this accumulator's (kCount takes any); same row count.
  Status Add(const columnar::ColumnVector& column, const Selection& selection);

  /// Takes all rows of a chunk without reading it, and answers true; or answers false and takes
  /// nothing, when the statistics do not say enough.
  bool AddFromStatistics(const columnar::ChunkStatistics& statistics, uint32_t row_count,
                         uint32_t null_count);

  /// Counts rows whatever their values. REQUIRES: kCount.
  void AddRows(uint64_t row_count) {
    ASSERT(aggregate_ == Aggregate::kCount);
    state_.count += row_count;
  }

  const AggregateState& state() const { return state_; }

 private:
  template <class T>
  void AddIntegers(const columnar::ColumnVector& column, const Selection& selection);
  template <class T>
  Status AddFloats(const columnar::ColumnVector& column, const Selection& selection);
  template <class T>
  Status AddFloatSum(const columnar::ColumnVector& column, const Selection& selection, T& sum);
  template <class T>
  Status AddMoments(const columnar::ColumnVector& column, const Selection& selection);
  template <class T>
  void AddFloatExtremes(const columnar::ColumnVector& column, const Selection& selection);
  void AddBytes(const columnar::ColumnVector& column, const Selection& selection);
  void CountValues(const columnar::ColumnVector& column, const Selection& selection);

  Aggregate aggregate_;
  columnar::PhysicalType type_;
  AggregateState state_;
};

}  // namespace orochi::vexec
