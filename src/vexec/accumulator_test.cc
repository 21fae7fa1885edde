// Goal: every aggregate equals PostgreSQL's, bit for bit, however the rows are cut into batches.
// Method: a scalar model that follows PostgreSQL's transition functions one row at a time, over
// random batches of edge values; then known answers for overflow, signed zero, NaN and no rows.
#include "vexec/accumulator.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "vexec/testing/batch.h"

namespace orochi::vexec {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kMaxDouble = std::numeric_limits<double>::max();

Selection All(uint32_t row_count) {
  Selection selection;
  selection.SelectAll(row_count);
  return selection;
}

bool LessInPostgres(double left, double right) {
  return !std::isnan(left) && (std::isnan(right) || left < right);
}

/// One row at a time, as PostgreSQL does it. T is float or double.
template <class T>
struct FloatModel {
  uint64_t n = 0;
  T sum{};  // starts with the first value
  double sx = 0;
  double sxx = 0;
  T least{};
  T greatest{};
  bool sum_overflows = false;
  bool average_overflows = false;

  void Add(T value) {
    if (n == 0) {
      sum = least = greatest = value;
    } else {
      T const next = sum + value;
      sum_overflows |= std::isinf(next) && !std::isinf(sum) && !std::isinf(value);
      sum = next;
      least = LessInPostgres(least, value) ? least : value;
      greatest = LessInPostgres(value, greatest) ? greatest : value;
    }
    double const sx_before = sx;
    double const n_before = static_cast<double>(n);
    double const n_now = n_before + 1.0;
    sx += value;
    if (n > 0) {
      double const tmp = value * n_now - sx;
      sxx += tmp * tmp / (n_now * n_before);
      if (std::isinf(sx) || std::isinf(sxx)) {
        average_overflows |= !std::isinf(sx_before) && !std::isinf(value);
        sxx = kNan;
      }
    } else if (!std::isfinite(value)) {
      sxx = kNan;
    }
    ++n;
  }
};

bool SameBits(double left, double right) {
  return (std::isnan(left) && std::isnan(right)) ||
         std::bit_cast<uint64_t>(left) == std::bit_cast<uint64_t>(right);
}

template <class T>
double FromWord(uint64_t word) {
  if constexpr (sizeof(T) == 4) {
    return std::bit_cast<float>(static_cast<uint32_t>(word));
  } else {
    return std::bit_cast<double>(word);
  }
}

template <class T>
void CompareWithModel(PhysicalType type, const std::vector<T>& values, SeededRandom& random) {
  FloatModel<T> model;
  Accumulator count(Aggregate::kCount, type);
  Accumulator sum(Aggregate::kSum, type);
  Accumulator average(Aggregate::kAverage, type);
  Accumulator least(Aggregate::kMin, type);
  Accumulator greatest(Aggregate::kMax, type);
  bool sum_ok = true;
  bool average_ok = true;
  for (int batch = 0; batch < 3; ++batch) {
    std::vector<std::optional<T>> rows(random.Below(150));
    for (auto& row : rows) {
      if (!random.OneIn(6)) {
        row = values[random.Below(values.size())];
      }
    }
    ColumnVector const column = testing::Batch<T>(type, rows);
    Selection selection = All(column.row_count);
    for (uint32_t row = 0; row < column.row_count; ++row) {
      if (batch > 0 && random.OneIn(3)) {
        selection.Remove(row);
      } else if (rows[row].has_value()) {
        model.Add(*rows[row]);
      }
    }
    sum_ok = sum_ok && sum.Add(column, selection).ok();
    average_ok = average_ok && average.Add(column, selection).ok();
    ASSERT_TRUE(count.Add(column, selection).ok());
    ASSERT_TRUE(least.Add(column, selection).ok());
    ASSERT_TRUE(greatest.Add(column, selection).ok());
  }
  ASSERT_EQ(count.state().count, model.n);
  ASSERT_EQ(sum_ok, !model.sum_overflows);
  ASSERT_EQ(average_ok, !model.average_overflows);
  if (model.n == 0) {
    return;
  }
  if (sum_ok) {
    double const total = sizeof(T) == 4 ? double{sum.state().float_sum} : sum.state().double_sum;
    ASSERT_TRUE(SameBits(total, model.sum)) << total << " " << model.sum;
  }
  if (average_ok) {
    ASSERT_TRUE(SameBits(average.state().double_sum, model.sx));
    ASSERT_EQ(average.state().count, model.n);
  }
  ASSERT_TRUE(SameBits(FromWord<T>(least.state().extreme_word), model.least));
  ASSERT_TRUE(SameBits(FromWord<T>(greatest.state().extreme_word), model.greatest));
}

template <class T>
void CheckFloats(PhysicalType type) {
  constexpr uint64_t kSeed = 4711;
  SCOPED_TRACE(kSeed);
  SeededRandom random(kSeed);
  using Limits = std::numeric_limits<T>;
  std::vector<T> const tame = {T(0.1), T(-2.7), T(1e10), T(3), T(-0.0), T(0.0), T(1e-30)};
  std::vector<T> const wild = {T(0.1),        -Limits::max() / 2, Limits::max() / 4,
                               T(-0.0),       Limits::infinity(), -Limits::infinity(),
                               Limits::max(), Limits::quiet_NaN()};
  std::vector<T> const large = {Limits::max() / 50, -Limits::max() / 60, T(1)};
  for (int round = 0; round < 300; ++round) {
    CompareWithModel<T>(type, tame, random);
    CompareWithModel<T>(type, wild, random);
    CompareWithModel<T>(type, large, random);
    CompareWithModel<T>(type, {T(0.0), T(-0.0)}, random);
  }
}

TEST(AccumulatorTest, DoublesMatchTheModel) {
  CheckFloats<double>(PhysicalType::kFloat64);
}

TEST(AccumulatorTest, FloatsMatchTheModel) {
  CheckFloats<float>(PhysicalType::kFloat32);
}

template <class T>
void CheckIntegers(PhysicalType type) {
  constexpr uint64_t kSeed = 815;
  SCOPED_TRACE(kSeed);
  SeededRandom random(kSeed);
  using Limits = std::numeric_limits<T>;
  std::vector<T> const values = {Limits::min(), Limits::max(), T(-1), T(0), T(1), T(77)};
  for (int round = 0; round < 200; ++round) {
    std::vector<std::optional<T>> rows(random.Below(300));
    Int128 total = 0;
    uint64_t count = 0;
    T least = Limits::max();
    T greatest = Limits::min();
    Accumulator sum(Aggregate::kSum, type);
    Accumulator min(Aggregate::kMin, type);
    Accumulator max(Aggregate::kMax, type);
    for (auto& row : rows) {
      if (!random.OneIn(5)) {
        row = values[random.Below(values.size())];
      }
    }
    ColumnVector const column = testing::Batch<T>(type, rows);
    for (int pass = 0; pass < 2; ++pass) {  // the second batch meets a state that has begun
      Selection selection = All(column.row_count);
      for (uint32_t row = 0; row < column.row_count; ++row) {
        if (random.OneIn(4)) {
          selection.Remove(row);
        } else if (rows[row].has_value()) {
          total += *rows[row];
          ++count;
          least = std::min(least, *rows[row]);
          greatest = std::max(greatest, *rows[row]);
        }
      }
      ASSERT_TRUE(sum.Add(column, selection).ok());
      ASSERT_TRUE(min.Add(column, selection).ok());
      ASSERT_TRUE(max.Add(column, selection).ok());
    }
    ASSERT_EQ(sum.state().count, count);
    ASSERT_TRUE(sum.state().integer_sum == total);
    if (count > 0) {
      ASSERT_EQ(static_cast<int64_t>(min.state().extreme_word), int64_t{least});
      ASSERT_EQ(static_cast<int64_t>(max.state().extreme_word), int64_t{greatest});
    }
  }
}

TEST(AccumulatorTest, IntegersMatchTheModel) {
  CheckIntegers<int16_t>(PhysicalType::kInt16);
  CheckIntegers<int32_t>(PhysicalType::kInt32);
  CheckIntegers<int64_t>(PhysicalType::kInt64);
}

TEST(AccumulatorTest, BytesKeepTheBytewiseExtremes) {
  ColumnVector const column =
      testing::BytesBatch({"b", std::nullopt, "", "\xff", std::string("a\0", 2), "a"});
  Accumulator min(Aggregate::kMin, PhysicalType::kBytes);
  Accumulator max(Aggregate::kMax, PhysicalType::kBytes);
  Selection selection = All(6);
  selection.Remove(2);
  ASSERT_TRUE(min.Add(column, selection).ok());
  ASSERT_TRUE(max.Add(column, selection).ok());
  EXPECT_EQ(min.state().extreme_bytes, "a");
  EXPECT_EQ(max.state().extreme_bytes, "\xff");
  EXPECT_EQ(min.state().count, 4u);
}

TEST(AccumulatorTest, NothingTakenLeavesNothing) {
  ColumnVector const column =
      testing::Batch<double>(PhysicalType::kFloat64, {std::nullopt, std::nullopt});
  for (Aggregate const aggregate : {Aggregate::kCount, Aggregate::kSum, Aggregate::kAverage,
                                    Aggregate::kMin, Aggregate::kMax}) {
    Accumulator accumulator(aggregate, PhysicalType::kFloat64);
    ASSERT_TRUE(accumulator.Add(column, All(2)).ok());
    EXPECT_EQ(accumulator.state().count, 0u);
  }
}

TEST(AccumulatorTest, OverflowIsPostgresError) {
  ColumnVector const column =
      testing::Batch<double>(PhysicalType::kFloat64, {kMaxDouble, kMaxDouble});
  Accumulator sum(Aggregate::kSum, PhysicalType::kFloat64);
  Status const status = sum.Add(column, All(2));
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(), "value out of range: overflow");
}

TEST(AccumulatorTest, AnAverageOverflowsThroughItsSquares) {
  // The sum is tiny, and PostgreSQL still raises: the squared deviations are not finite.
  ColumnVector const column = testing::Batch<double>(PhysicalType::kFloat64, {1e200, -1e200});
  Accumulator average(Aggregate::kAverage, PhysicalType::kFloat64);
  EXPECT_EQ(average.Add(column, All(2)).code(), StatusCode::kOutOfRange);
  Accumulator sum(Aggregate::kSum, PhysicalType::kFloat64);
  EXPECT_TRUE(sum.Add(column, All(2)).ok());
  EXPECT_EQ(sum.state().double_sum, 0.0);
}

TEST(AccumulatorTest, InfinitiesAreValuesNotOverflow) {
  ColumnVector const column =
      testing::Batch<double>(PhysicalType::kFloat64, {1.0, kInf, 2.0, kMaxDouble, kMaxDouble});
  Accumulator sum(Aggregate::kSum, PhysicalType::kFloat64);
  Accumulator average(Aggregate::kAverage, PhysicalType::kFloat64);
  ASSERT_TRUE(sum.Add(column, All(5)).ok());
  ASSERT_TRUE(average.Add(column, All(5)).ok());
  EXPECT_EQ(sum.state().double_sum, kInf);
  EXPECT_EQ(average.state().double_sum, kInf);
}

TEST(AccumulatorTest, StatisticsStandForWholeChunksWhereTheyAreExact) {
  columnar::ChunkStatistics range;
  range.has_range = true;
  range.min_word = static_cast<uint64_t>(int64_t{-7});
  range.max_word = 9;
  Accumulator count(Aggregate::kCount, PhysicalType::kInt16);
  Accumulator min(Aggregate::kMin, PhysicalType::kInt16);
  Accumulator max(Aggregate::kMax, PhysicalType::kInt16);
  Accumulator sum(Aggregate::kSum, PhysicalType::kInt16);
  EXPECT_TRUE(count.AddFromStatistics(range, 10, 3));
  EXPECT_TRUE(min.AddFromStatistics(range, 10, 3));
  EXPECT_TRUE(max.AddFromStatistics(range, 10, 3));
  EXPECT_FALSE(sum.AddFromStatistics(range, 10, 3));
  EXPECT_TRUE(sum.AddFromStatistics({}, 10, 10));
  EXPECT_EQ(count.state().count, 7u);
  EXPECT_EQ(min.state().count, 7u);
  EXPECT_EQ(static_cast<int64_t>(min.state().extreme_word), -7);
  EXPECT_EQ(static_cast<int64_t>(max.state().extreme_word), 9);
  EXPECT_EQ(sum.state().count, 0u);
  // Without a range (NaN inside), a zero that may be -0.0, or more NULLs than rows: read the chunk.
  EXPECT_FALSE(min.AddFromStatistics({}, 10, 3));
  EXPECT_FALSE(min.AddFromStatistics(range, 10, 11));
  range.min_word = 0;
  Accumulator real(Aggregate::kMin, PhysicalType::kFloat64);
  EXPECT_FALSE(real.AddFromStatistics(range, 10, 0));
}

TEST(AccumulatorTest, SupportsNamesWhatExists) {
  EXPECT_TRUE(Accumulator::Supports(Aggregate::kCount, PhysicalType::kBool));
  EXPECT_FALSE(Accumulator::Supports(Aggregate::kMin, PhysicalType::kBool));
  EXPECT_TRUE(Accumulator::Supports(Aggregate::kMax, PhysicalType::kBytes));
  EXPECT_FALSE(Accumulator::Supports(Aggregate::kSum, PhysicalType::kBytes));
  EXPECT_TRUE(Accumulator::Supports(Aggregate::kAverage, PhysicalType::kInt64));
}

}  // namespace
}  // namespace orochi::vexec
