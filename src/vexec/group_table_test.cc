// Goal: rows with equal keys, and only those, share a group; NULL is a key like any other; shares
// cut the groups into disjoint parts that together are all of them; grouped aggregates equal one
// Accumulator for each group.
// Method: random batches against std::map from key to group, with a printed seed.
#include "vexec/group_table.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <map>

#include "base/random.h"
#include "vexec/grouped_accumulator.h"
#include "vexec/testing/batch.h"

namespace orochi::vexec {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;

using Key = std::pair<std::optional<int32_t>, std::optional<std::string>>;

struct Rows {
  std::vector<std::optional<int32_t>> numbers;
  std::vector<std::optional<std::string>> texts;
  std::vector<std::optional<double>> values;

  Key KeyOf(uint32_t row) const { return {numbers[row], texts[row]}; }
};

Rows RandomRows(size_t row_count, uint64_t distinct, SeededRandom& random) {
  Rows rows;
  constexpr double kValues[] = {0.1, -2.5, 1e9, 0.0, -0.0, std::numeric_limits<double>::infinity()};
  for (size_t i = 0; i < row_count; ++i) {
    uint64_t const pick = random.Below(distinct);
    rows.numbers.emplace_back();
    rows.texts.emplace_back();
    rows.values.emplace_back();
    if (pick % 7 != 0) {
      rows.numbers.back() = static_cast<int32_t>(pick) - 3;
    }
    if (pick % 5 != 0) {
      rows.texts.back() = std::string(pick % 4, 'x') + std::to_string(pick / 3);
    }
    if (!random.OneIn(5)) {
      rows.values.back() = kValues[random.Below(5)];
    }
  }
  return rows;
}

Selection SelectSome(uint32_t row_count, SeededRandom& random) {
  Selection selection;
  selection.SelectAll(row_count);
  for (uint32_t row = 0; row < row_count; ++row) {
    if (random.OneIn(4)) {
      selection.Remove(row);
    }
  }
  return selection;
}

TEST(GroupTableTest, GroupsAreTheDistinctKeysInOrderOfAppearance) {
  constexpr uint64_t kSeed = 31337;
  SCOPED_TRACE(kSeed);
  SeededRandom random(kSeed);
  for (uint64_t const distinct : {1u, 3u, 50u, 5000u}) {
    GroupTable table({PhysicalType::kInt32, PhysicalType::kBytes});
    std::map<Key, uint32_t> expected;
    for (int batch = 0; batch < 4; ++batch) {
      Rows const rows = RandomRows(1000, distinct, random);
      ColumnVector const numbers = testing::Batch<int32_t>(PhysicalType::kInt32, rows.numbers);
      ColumnVector const texts = testing::BytesBatch(rows.texts);
      const ColumnVector* const keys[] = {&numbers, &texts};
      Selection selection = SelectSome(1000, random);
      std::vector<uint32_t> group_of_row;
      table.Assign(keys, selection, group_of_row);
      for (uint32_t row = selection.Next(0); row < 1000; row = selection.Next(row + 1)) {
        auto const [entry, added] =
            expected.emplace(rows.KeyOf(row), static_cast<uint32_t>(expected.size()));
        (void)added;
        ASSERT_EQ(group_of_row[row], entry->second);
      }
    }
    ASSERT_EQ(table.group_count(), expected.size());
    for (const auto& [key, group] : expected) {
      ASSERT_EQ(table.IsNull(0, group), !key.first.has_value());
      ASSERT_EQ(table.IsNull(1, group), !key.second.has_value());
      if (key.first.has_value()) {
        ASSERT_EQ(static_cast<int64_t>(table.Word(0, group)), *key.first);
      }
      if (key.second.has_value()) {
        ASSERT_EQ(table.Bytes(1, group), *key.second);
      }
    }
  }
}

TEST(GroupTableTest, SharesAreDisjointAndTogetherEverything) {
  SeededRandom random(5);
  Rows const rows = RandomRows(2000, 700, random);
  ColumnVector const numbers = testing::Batch<int32_t>(PhysicalType::kInt32, rows.numbers);
  ColumnVector const texts = testing::BytesBatch(rows.texts);
  const ColumnVector* const keys[] = {&numbers, &texts};
  GroupTable table({PhysicalType::kInt32, PhysicalType::kBytes});
  std::vector<uint32_t> group_of_row;
  Selection all;
  all.SelectAll(2000);
  table.Assign(keys, all, group_of_row);
  size_t const group_count = table.group_count();
  size_t const memory_bytes = table.memory_bytes();

  size_t groups_of_shares = 0;
  uint32_t rows_of_shares = 0;
  for (uint64_t residue = 0; residue < 8; ++residue) {
    table.SetShare({.modulus = 8, .residue = residue});
    Selection selection;
    selection.SelectAll(2000);
    table.Assign(keys, selection, group_of_row);
    EXPECT_LT(table.memory_bytes(), memory_bytes);
    groups_of_shares += table.group_count();
    rows_of_shares += selection.CountSelected();
  }
  EXPECT_EQ(groups_of_shares, group_count);
  table.SetShare({});
  EXPECT_EQ(table.memory_bytes(),
            GroupTable({PhysicalType::kInt32, PhysicalType::kBytes}).memory_bytes());
  EXPECT_EQ(rows_of_shares, 2000u);
}

void CheckAggregate(Aggregate aggregate, SeededRandom& random) {
  GroupTable table({PhysicalType::kInt32});
  GroupedAccumulator grouped(aggregate, PhysicalType::kFloat64);
  std::map<uint32_t, Accumulator> singles;
  std::vector<uint32_t> group_of_row;
  for (int batch = 0; batch < 3; ++batch) {
    Rows const rows = RandomRows(300, 9, random);
    ColumnVector const numbers = testing::Batch<int32_t>(PhysicalType::kInt32, rows.numbers);
    ColumnVector const values = testing::Batch<double>(PhysicalType::kFloat64, rows.values);
    const ColumnVector* const keys[] = {&numbers};
    Selection selection = SelectSome(300, random);
    table.Assign(keys, selection, group_of_row);
    ASSERT_TRUE(grouped.Add(values, selection, group_of_row, table.group_count()).ok());
    for (uint32_t row = selection.Next(0); row < 300; row = selection.Next(row + 1)) {
      Accumulator& single =
          singles.try_emplace(group_of_row[row], aggregate, PhysicalType::kFloat64).first->second;
      Selection one;
      ColumnVector const value = testing::Batch<double>(PhysicalType::kFloat64, {rows.values[row]});
      one.SelectAll(1);
      ASSERT_TRUE(single.Add(value, one).ok());
    }
  }
  for (const auto& [group, single] : singles) {
    const AggregateState& found = grouped.state(group);
    ASSERT_EQ(found.count, single.state().count);
    if (found.count > 0) {
      ASSERT_EQ(std::bit_cast<uint64_t>(found.double_sum),
                std::bit_cast<uint64_t>(single.state().double_sum));
      ASSERT_EQ(found.extreme_word, single.state().extreme_word);
    }
  }
}

TEST(GroupedAccumulatorTest, EveryGroupEqualsItsOwnAccumulator) {
  constexpr uint64_t kSeed = 271828;
  SCOPED_TRACE(kSeed);
  SeededRandom random(kSeed);
  for (Aggregate const aggregate : {Aggregate::kCount, Aggregate::kSum, Aggregate::kAverage,
                                    Aggregate::kMin, Aggregate::kMax}) {
    for (int round = 0; round < 20; ++round) {
      CheckAggregate(aggregate, random);
    }
  }
}

TEST(GroupedAccumulatorTest, IntegersBytesAndRows) {
  ColumnVector const keys_column = testing::Batch<int32_t>(PhysicalType::kInt32, {1, 2, 1, 2, 1});
  const ColumnVector* const keys[] = {&keys_column};
  GroupTable table({PhysicalType::kInt32});
  Selection all;
  all.SelectAll(5);
  std::vector<uint32_t> group_of_row;
  table.Assign(keys, all, group_of_row);
  GroupedAccumulator sum(Aggregate::kSum, PhysicalType::kInt64);
  GroupedAccumulator least(Aggregate::kMin, PhysicalType::kInt64);
  GroupedAccumulator greatest(Aggregate::kMax, PhysicalType::kBytes);
  GroupedAccumulator rows(Aggregate::kCount, PhysicalType::kBool);
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ColumnVector const numbers =
      testing::Batch<int64_t>(PhysicalType::kInt64, {kMax, -5, kMax, std::nullopt, 1});
  ColumnVector const texts = testing::BytesBatch({"b", std::nullopt, "\xff", std::nullopt, ""});
  ASSERT_TRUE(sum.Add(numbers, all, group_of_row, 2).ok());
  ASSERT_TRUE(least.Add(numbers, all, group_of_row, 2).ok());
  ASSERT_TRUE(greatest.Add(texts, all, group_of_row, 2).ok());
  rows.AddRows(all, group_of_row, 2);
  EXPECT_TRUE(sum.state(0).integer_sum == Int128{kMax} * 2 + 1);
  EXPECT_TRUE(sum.state(1).integer_sum == -5);
  EXPECT_EQ(static_cast<int64_t>(least.state(0).extreme_word), 1);
  EXPECT_EQ(greatest.state(0).extreme_bytes, "\xff");
  EXPECT_EQ(greatest.state(1).count, 0u);
  EXPECT_EQ(rows.state(0).count, 3u);
  EXPECT_EQ(rows.state(1).count, 2u);
  EXPECT_GT(greatest.memory_bytes(), 0u);
  greatest.Clear();
  EXPECT_EQ(greatest.memory_bytes(), 0u);
}

TEST(GroupedAccumulatorTest, OverflowOfOneGroupIsAnError) {
  constexpr double kMax = std::numeric_limits<double>::max();
  ColumnVector const values = testing::Batch<double>(PhysicalType::kFloat64, {kMax, kMax, 1.0});
  Selection all;
  all.SelectAll(3);
  GroupedAccumulator apart(Aggregate::kSum, PhysicalType::kFloat64);
  EXPECT_TRUE(apart.Add(values, all, std::vector<uint32_t>{0, 1, 1}, 2).ok());
  GroupedAccumulator together(Aggregate::kSum, PhysicalType::kFloat64);
  EXPECT_EQ(together.Add(values, all, std::vector<uint32_t>{0, 0, 1}, 2).code(),
            StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace orochi::vexec
