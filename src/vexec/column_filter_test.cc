// Goal: a filter keeps exactly the rows SQL keeps.
// Method: every operator, type and pair of edge values against a scalar model of PostgreSQL's
// comparisons, written here without the filter's code; batch lengths around the word size, with and
// without NULLs, on partly selected batches.
#include "vexec/column_filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/random.h"
#include "vexec/testing/batch.h"

namespace orochi::vexec {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;

constexpr CompareOp kOps[] = {CompareOp::kEqual,          CompareOp::kNotEqual,
                              CompareOp::kLess,           CompareOp::kLessOrEqual,
                              CompareOp::kGreaterOrEqual, CompareOp::kGreater};

/// -1, 0 or 1 in PostgreSQL's order.
int Order(double left, double right) {
  if (std::isnan(left) || std::isnan(right)) {
    return int{std::isnan(left)} - int{std::isnan(right)};
  }
  return int{left > right} - int{left < right};
}
int Order(int64_t left, int64_t right) {
  return int{left > right} - int{left < right};
}
int Order(const std::string& left, const std::string& right) {
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    auto const a = static_cast<unsigned char>(left[i]);
    auto const b = static_cast<unsigned char>(right[i]);
    if (a != b) {
      return a < b ? -1 : 1;
    }
  }
  return Order(static_cast<int64_t>(left.size()), static_cast<int64_t>(right.size()));
}

bool Holds(CompareOp op, int order) {
  switch (op) {
    case CompareOp::kEqual:
      return order == 0;
    case CompareOp::kNotEqual:
      return order != 0;
    case CompareOp::kLess:
      return order < 0;
    case CompareOp::kLessOrEqual:
      return order <= 0;
    case CompareOp::kGreaterOrEqual:
      return order >= 0;
    case CompareOp::kGreater:
      return order > 0;
  }
  return false;
}

/// Applies `filter` to a batch from which every fifth row is already gone, and checks each row.
void Check(const ColumnVector& column, const ColumnFilter& filter,
           const std::function<bool(uint32_t)>& expected) {
  Selection selection;
  selection.SelectAll(column.row_count);
  for (uint32_t row = 0; row < column.row_count; row += 5) {
    selection.Remove(row);
  }
  filter.Apply(column, selection);
  for (uint32_t row = 0; row < column.row_count; ++row) {
    ASSERT_EQ(selection.Contains(row), row % 5 != 0 && expected(row)) << "row " << row;
  }
  ASSERT_EQ(selection.Next(column.row_count), column.row_count);
}

/// `Model` is int64_t, double or std::string: what the values compare as.
template <class Model, class Value>
void CheckAllOps(const ColumnVector& column, const std::vector<std::optional<Value>>& rows,
                 const std::vector<Model>& literals,
                 const std::function<Literal(const Model&)>& literal_of) {
  std::vector<Literal> list;
  for (size_t i = 0; i < literals.size(); ++i) {
    SCOPED_TRACE(i);
    for (CompareOp const op : kOps) {
      SCOPED_TRACE(static_cast<int>(op));
      Check(column, ColumnFilter::Compare(column.type, op, literal_of(literals[i])),
            [&](uint32_t row) {
              return rows[row].has_value() && Holds(op, Order(Model(*rows[row]), literals[i]));
            });
    }
    // IN lists of growing length: the short and the searched kind.
    list.push_back(literal_of(literals[i]));
    Check(column, ColumnFilter::AnyOf(column.type, list), [&](uint32_t row) {
      for (size_t j = 0; rows[row].has_value() && j <= i; ++j) {
        if (Order(Model(*rows[row]), literals[j]) == 0) {
          return true;
        }
      }
      return false;
    });
  }
  auto const is_null = [&](uint32_t row) { return !rows[row].has_value(); };
  Check(column, ColumnFilter::IsNull(column.type), is_null);
  Check(column, ColumnFilter::IsNotNull(column.type), std::not_fn(is_null));
  Check(column, ColumnFilter::Never(column.type), [](uint32_t) { return false; });
  Check(column, ColumnFilter::AnyOf(column.type, {}), [](uint32_t) { return false; });
}

template <class Value>
std::vector<std::optional<Value>> PickRows(const std::vector<Value>& values, size_t row_count,
                                           bool with_nulls, SeededRandom& random) {
  std::vector<std::optional<Value>> rows(row_count);
  for (auto& row : rows) {
    if (!with_nulls || !random.OneIn(4)) {
      row = values[random.Below(values.size())];
    }
  }
  return rows;
}

constexpr uint64_t kSeed = 20240517;
constexpr size_t kLengths[] = {0, 1, 63, 64, 65, 200};

template <class T>
void CheckIntegerType(PhysicalType type, std::vector<T> values) {
  SeededRandom random(kSeed);
  constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> literals(values.begin(), values.end());
  literals.insert(literals.end(),
                  {kMin64, kMax64, -70000, 70000, -(int64_t{1} << 33), int64_t{1} << 33, 256, -1});
  for (size_t const length : kLengths) {
    for (bool const with_nulls : {false, true}) {
      auto const rows = PickRows(values, length, with_nulls, random);
      CheckAllOps<int64_t, T>(testing::Batch<T>(type, rows), rows, literals,
                              [](const int64_t& value) { return Literal::Integer(value); });
    }
  }
}

TEST(ColumnFilterTest, Integers) {
  CheckIntegerType<uint8_t>(PhysicalType::kBool, {0, 1});
  CheckIntegerType<int16_t>(PhysicalType::kInt16, {-32768, -1, 0, 1, 255, 256, 32767});
  CheckIntegerType<int32_t>(PhysicalType::kInt32,
                            {std::numeric_limits<int32_t>::min(), -70000, -1, 0, 5, 70000,
                             std::numeric_limits<int32_t>::max()});
  CheckIntegerType<int64_t>(PhysicalType::kInt64,
                            {std::numeric_limits<int64_t>::min(), -1, 0, 1, int64_t{1} << 33,
                             std::numeric_limits<int64_t>::max()});
}

template <class T>
void CheckFloatType(PhysicalType type) {
  SeededRandom random(kSeed);
  using Limits = std::numeric_limits<T>;
  std::vector<T> const values = {-Limits::infinity(),
                                 Limits::lowest(),
                                 T(-1.5),
                                 T(-0.0),
                                 T(0.0),
                                 Limits::denorm_min(),
                                 T(0.1),
                                 T(1.5),
                                 Limits::max(),
                                 Limits::infinity(),
                                 Limits::quiet_NaN(),
                                 -Limits::quiet_NaN()};
  std::vector<double> literals(values.begin(), values.end());
  literals.push_back(0.1);  // differs from the float nearest to it
  for (size_t const length : kLengths) {
    for (bool const with_nulls : {false, true}) {
      auto const rows = PickRows(values, length, with_nulls, random);
      CheckAllOps<double, T>(testing::Batch<T>(type, rows), rows, literals,
                             [](const double& value) { return Literal::Real(value); });
    }
  }
}

TEST(ColumnFilterTest, Floats) {
  CheckFloatType<float>(PhysicalType::kFloat32);
  CheckFloatType<double>(PhysicalType::kFloat64);
}

TEST(ColumnFilterTest, Bytes) {
  SeededRandom random(kSeed);
  std::vector<std::string> const values = {
      "", std::string("\0", 1), "a", std::string("a\0", 2), "ab", "b", "\x7f", "\x80", "\xff"};
  for (size_t const length : kLengths) {
    for (bool const with_nulls : {false, true}) {
      auto const rows = PickRows(values, length, with_nulls, random);
      CheckAllOps<std::string, std::string>(
          testing::BytesBatch(rows), rows, values,
          [](const std::string& value) { return Literal::Bytes(value); });
    }
  }
}

}  // namespace
}  // namespace orochi::vexec
