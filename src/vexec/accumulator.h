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
    count_ += row_count;
  }

  /// How many values were taken. At 0 every aggregate but kCount is NULL.
  uint64_t count() const { return count_; }

  /// kSum and kAverage over integers.
  Int128 integer_sum() const { return integer_sum_; }
  /// kSum over kFloat64, kAverage over both float types (Sx). REQUIRES: count() > 0.
  double double_sum() const { return double_sum_; }
  /// kSum over kFloat32. REQUIRES: count() > 0.
  float float_sum() const { return float_sum_; }
  /// kMin and kMax, as in Cell::word (sign-extended integers, raw float bits) or as bytes, which
  /// stay valid until the next Add. REQUIRES: count() > 0.
  uint64_t extreme_word() const { return extreme_word_; }
  std::string_view extreme_bytes() const { return extreme_bytes_; }

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
  uint64_t count_ = 0;
  Int128 integer_sum_ = 0;
  double double_sum_ = 0;         // Sx
  double square_deviations_ = 0;  // Sxx
  float float_sum_ = 0;
  uint64_t extreme_word_ = 0;
  std::string extreme_bytes_;
};

}  // namespace orochi::vexec
