// Goal: skipping is sound (a chunk with a matching row is never skipped) and useful (the obvious
// chunks are skipped); the same for chunks that match as a whole.
// Method: random chunks over few values, their statistics built here; whatever Apply keeps,
// MayMatch must have allowed, and where AlwaysMatches says so Apply keeps all, for every operator.
// Then single cases with their answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "vexec/column_filter.h"
#include "vexec/testing/batch.h"

namespace orochi::vexec {
namespace {

using columnar::ChunkStatistics;
using columnar::ColumnVector;
using columnar::PhysicalType;

constexpr CompareOp kOps[] = {CompareOp::kEqual,          CompareOp::kNotEqual,
                              CompareOp::kLess,           CompareOp::kLessOrEqual,
                              CompareOp::kGreaterOrEqual, CompareOp::kGreater};

ChunkStatistics IntegerRange(int64_t least, int64_t greatest) {
  return {.has_range = true,
          .min_word = static_cast<uint64_t>(least),
          .max_word = static_cast<uint64_t>(greatest),
          .min_bytes = {},
          .max_bytes = {}};
}

ChunkStatistics DoubleRange(double least, double greatest) {
  return IntegerRange(std::bit_cast<int64_t>(least + 0.0), std::bit_cast<int64_t>(greatest + 0.0));
}

ChunkStatistics BytesRange(const std::string& least, const std::string& greatest) {
  return {.has_range = true,
          .min_bytes = least.substr(0, columnar::kBoundBytesMax),
          .max_bytes = greatest.substr(0, columnar::kBoundBytesMax),
          .max_truncated = greatest.size() > columnar::kBoundBytesMax,
          .min_truncated = least.size() > columnar::kBoundBytesMax};
}

void CheckSound(const ColumnVector& column, const ChunkStatistics& statistics,
                const std::vector<Literal>& literals) {
  auto const check = [&](const ColumnFilter& filter) {
    Selection selection;
    selection.SelectAll(column.row_count);
    filter.Apply(column, selection);
    if (!selection.IsEmpty()) {
      EXPECT_TRUE(filter.MayMatch(statistics, column.row_count, column.null_count));
    }
    if (filter.AlwaysMatches(statistics, column.row_count, column.null_count)) {
      EXPECT_EQ(selection.CountSelected(), column.row_count);
    }
  };
  for (const Literal& literal : literals) {
    for (CompareOp const op : kOps) {
      check(ColumnFilter::Compare(column.type, op, literal));
    }
    check(ColumnFilter::AnyOf(column.type, {literal, literals.front()}));
  }
  check(ColumnFilter::IsNull(column.type));
  check(ColumnFilter::IsNotNull(column.type));
}

template <class Value>
std::vector<std::optional<Value>> SmallChunk(const std::vector<Value>& values,
                                             SeededRandom& random) {
  std::vector<std::optional<Value>> rows(1 + random.Below(3));
  for (auto& row : rows) {
    if (!random.OneIn(5)) {
      row = values[random.Below(values.size())];
    }
  }
  return rows;
}

template <class Value>
std::vector<Value> Present(const std::vector<std::optional<Value>>& rows) {
  std::vector<Value> present;
  for (const auto& row : rows) {
    if (row.has_value()) {
      present.push_back(*row);
    }
  }
  return present;
}

TEST(ColumnFilterSkipTest, NoChunkWithAMatchIsSkipped) {
  constexpr uint64_t kSeed = 99;
  SCOPED_TRACE(kSeed);
  SeededRandom random(kSeed);
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  std::vector<double> const reals = {-kInf, -1, -0.0, 0.0, 1, kInf, kNan};
  std::string const prefix(columnar::kBoundBytesMax, 'x');
  std::vector<std::string> const texts = {
      "", "a", prefix.substr(1), prefix, prefix + "a", prefix + "b", prefix + "\xff", "y", "\xff"};
  std::vector<int64_t> const integers = {-2, -1, 0, 1, 2};
  std::vector<Literal> real_literals, text_literals, integer_literals;
  for (double const value : reals) real_literals.push_back(Literal::Real(value));
  for (const auto& value : texts) text_literals.push_back(Literal::Bytes(value));
  for (int64_t const value : integers) integer_literals.push_back(Literal::Integer(value));

  for (int round = 0; round < 1000; ++round) {
    auto const real_rows = SmallChunk(reals, random);
    auto real_values = Present(real_rows);
    bool const has_nan = std::any_of(real_values.begin(), real_values.end(),
                                     [](double value) { return std::isnan(value); });
    ChunkStatistics real_range;
    if (!real_values.empty() && !has_nan) {
      auto const [least, greatest] = std::minmax_element(real_values.begin(), real_values.end());
      real_range = DoubleRange(*least, *greatest);
    }
    CheckSound(testing::Batch<double>(PhysicalType::kFloat64, real_rows), real_range,
               real_literals);

    auto const text_rows = SmallChunk(texts, random);
    auto const text_values = Present(text_rows);
    ChunkStatistics text_range;
    if (!text_values.empty()) {
      auto const [least, greatest] = std::minmax_element(text_values.begin(), text_values.end());
      text_range = BytesRange(*least, *greatest);
    }
    CheckSound(testing::BytesBatch(text_rows), text_range, text_literals);

    auto const integer_rows = SmallChunk(integers, random);
    auto const integer_values = Present(integer_rows);
    ChunkStatistics integer_range;
    if (!integer_values.empty()) {
      auto const [least, greatest] =
          std::minmax_element(integer_values.begin(), integer_values.end());
      integer_range = IntegerRange(*least, *greatest);
    }
    CheckSound(testing::Batch<int64_t>(PhysicalType::kInt64, integer_rows), integer_range,
               integer_literals);
  }
}

bool MayMatch(PhysicalType type, CompareOp op, const Literal& literal,
              const ChunkStatistics& statistics) {
  return ColumnFilter::Compare(type, op, literal).MayMatch(statistics, 10, 0);
}

TEST(ColumnFilterSkipTest, SkipsByIntegerRange) {
  ChunkStatistics const range = IntegerRange(-5, 10);
  auto const may = [&](CompareOp op, int64_t literal) {
    return MayMatch(PhysicalType::kInt32, op, Literal::Integer(literal), range);
  };
  EXPECT_FALSE(may(CompareOp::kEqual, -6));
  EXPECT_TRUE(may(CompareOp::kEqual, -5));
  EXPECT_TRUE(may(CompareOp::kEqual, 10));
  EXPECT_FALSE(may(CompareOp::kEqual, 11));
  EXPECT_FALSE(may(CompareOp::kLess, -5));
  EXPECT_TRUE(may(CompareOp::kLessOrEqual, -5));
  EXPECT_FALSE(may(CompareOp::kGreater, 10));
  EXPECT_TRUE(may(CompareOp::kGreaterOrEqual, 10));
  EXPECT_TRUE(may(CompareOp::kNotEqual, 3));
  EXPECT_FALSE(MayMatch(PhysicalType::kInt32, CompareOp::kNotEqual, Literal::Integer(3),
                        IntegerRange(3, 3)));
  ColumnFilter const list =
      ColumnFilter::AnyOf(PhysicalType::kInt32, {Literal::Integer(-9), Literal::Integer(99)});
  EXPECT_FALSE(list.MayMatch(range, 10, 0));
}

TEST(ColumnFilterSkipTest, ChunksInsideTheRangeMatchAsAWhole) {
  ChunkStatistics const range = IntegerRange(-5, 10);
  auto const always = [&](CompareOp op, int64_t literal, uint32_t null_count = 0) {
    return ColumnFilter::Compare(PhysicalType::kInt32, op, Literal::Integer(literal))
        .AlwaysMatches(range, 10, null_count);
  };
  EXPECT_TRUE(always(CompareOp::kLess, 11));
  EXPECT_FALSE(always(CompareOp::kLess, 10));
  EXPECT_FALSE(always(CompareOp::kLess, 11, 1));
  EXPECT_TRUE(always(CompareOp::kLessOrEqual, 10));
  EXPECT_FALSE(always(CompareOp::kLessOrEqual, 9));
  EXPECT_TRUE(always(CompareOp::kGreaterOrEqual, -5));
  EXPECT_FALSE(always(CompareOp::kGreaterOrEqual, -4));
  EXPECT_TRUE(always(CompareOp::kGreater, -6));
  EXPECT_FALSE(always(CompareOp::kGreater, -5));
  EXPECT_TRUE(always(CompareOp::kNotEqual, 11));
  EXPECT_FALSE(always(CompareOp::kNotEqual, 0));
  EXPECT_FALSE(always(CompareOp::kEqual, 0));
}

TEST(ColumnFilterSkipTest, NanLiteralMeetsNoChunkWithARange) {
  ChunkStatistics const range = DoubleRange(-1, 1);
  Literal const nan = Literal::Real(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(MayMatch(PhysicalType::kFloat64, CompareOp::kEqual, nan, range));
  EXPECT_FALSE(MayMatch(PhysicalType::kFloat64, CompareOp::kGreaterOrEqual, nan, range));
  EXPECT_TRUE(MayMatch(PhysicalType::kFloat64, CompareOp::kLess, nan, range));
  EXPECT_TRUE(MayMatch(PhysicalType::kFloat64, CompareOp::kEqual, nan, ChunkStatistics{}));
}

TEST(ColumnFilterSkipTest, TruncatedBoundsStandForEverythingThatStartsSo) {
  std::string const prefix(columnar::kBoundBytesMax, 'm');
  ChunkStatistics const range = BytesRange("b", prefix + "zzz");
  auto const may = [&](CompareOp op, const std::string& literal) {
    return MayMatch(PhysicalType::kBytes, op, Literal::Bytes(literal), range);
  };
  EXPECT_FALSE(may(CompareOp::kEqual, "a"));
  EXPECT_TRUE(may(CompareOp::kEqual, prefix + "zzzz"));
  EXPECT_TRUE(may(CompareOp::kGreater, prefix + "\xff"));
  EXPECT_FALSE(may(CompareOp::kGreater, "n"));
  EXPECT_FALSE(may(CompareOp::kLess, "b"));
  EXPECT_TRUE(may(CompareOp::kLessOrEqual, "b"));
}

TEST(ColumnFilterSkipTest, NullCountsDecideNullTests) {
  ChunkStatistics const range = IntegerRange(1, 2);
  PhysicalType const type = PhysicalType::kInt64;
  EXPECT_FALSE(ColumnFilter::IsNull(type).MayMatch(range, 10, 0));
  EXPECT_TRUE(ColumnFilter::IsNull(type).MayMatch(range, 10, 1));
  EXPECT_TRUE(ColumnFilter::IsNotNull(type).MayMatch(range, 10, 9));
  EXPECT_FALSE(ColumnFilter::IsNotNull(type).MayMatch(ChunkStatistics{}, 10, 10));
  EXPECT_FALSE(ColumnFilter::Never(type).MayMatch(range, 10, 0));
  ColumnFilter const equal = ColumnFilter::Compare(type, CompareOp::kEqual, Literal::Integer(1));
  EXPECT_FALSE(equal.MayMatch(ChunkStatistics{}, 10, 10));
  EXPECT_TRUE(equal.MayMatch(ChunkStatistics{}, 10, 9));
}

}  // namespace
}  // namespace orochi::vexec
