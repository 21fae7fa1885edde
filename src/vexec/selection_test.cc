// Goal: a selection is exactly the set of rows it should be, at every length around the word size.
// Method: compare each operation with a plain list of rows.
#include "vexec/selection.h"

#include <gtest/gtest.h>

#include "vexec/testing/batch.h"

namespace orochi::vexec {
namespace {

using columnar::PhysicalType;

std::vector<uint32_t> Rows(const Selection& selection) {
  std::vector<uint32_t> rows;
  for (uint32_t row = selection.Next(0); row < selection.row_count();
       row = selection.Next(row + 1)) {
    rows.push_back(row);
  }
  return rows;
}

TEST(SelectionTest, SelectAllSetsEveryRowAndNoneBeyond) {
  Selection selection;
  for (uint32_t const row_count : {0u, 1u, 63u, 64u, 65u, 128u, 1000u}) {
    selection.SelectAll(row_count);
    EXPECT_EQ(selection.CountSelected(), row_count);
    EXPECT_EQ(selection.IsEmpty(), row_count == 0);
    EXPECT_EQ(Rows(selection).size(), row_count);
  }
}

TEST(SelectionTest, NextFindsSingleRowsAcrossWords) {
  Selection selection;
  selection.SelectAll(300);
  selection.Clear();
  EXPECT_EQ(selection.Next(0), 300u);
  EXPECT_TRUE(selection.IsEmpty());
  selection.SelectAll(300);
  for (uint32_t row = 0; row < 300; ++row) {
    if (row != 0 && row != 63 && row != 64 && row != 299) {
      selection.Remove(row);
    }
  }
  EXPECT_EQ(Rows(selection), (std::vector<uint32_t>{0, 63, 64, 299}));
  EXPECT_EQ(selection.Next(300), 300u);
  EXPECT_TRUE(selection.Contains(299));
  EXPECT_FALSE(selection.Contains(298));
}

TEST(SelectionTest, NullsAreKeptOrRemoved) {
  std::vector<std::optional<int32_t>> rows(130, 7);
  rows[0].reset();
  rows[129].reset();
  columnar::ColumnVector const column = testing::Batch<int32_t>(PhysicalType::kInt32, rows);
  Selection selection;
  selection.SelectAll(130);
  selection.KeepNull(column);
  EXPECT_EQ(Rows(selection), (std::vector<uint32_t>{0, 129}));
  selection.SelectAll(130);
  selection.KeepNotNull(column);
  EXPECT_EQ(selection.CountSelected(), 128u);
  EXPECT_FALSE(selection.Contains(0));
}

TEST(SelectionTest, WithoutNullsTheBitmapOfTheColumnIsNotLookedAt) {
  columnar::ColumnVector column =
      testing::Batch<int32_t>(PhysicalType::kInt32, std::vector<std::optional<int32_t>>(70, 1));
  column.valid_words.clear();
  Selection selection;
  selection.SelectAll(70);
  selection.KeepNotNull(column);
  EXPECT_EQ(selection.CountSelected(), 70u);
  uint32_t visited = 0;
  ForEachValue(column, selection, [&](uint32_t row) { EXPECT_EQ(row, visited++); });
  EXPECT_EQ(visited, 70u);
  selection.KeepNull(column);
  EXPECT_TRUE(selection.IsEmpty());
}

}  // namespace
}  // namespace orochi::vexec
