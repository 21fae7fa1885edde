// Goal: what goes into a stripe comes out of it, bit for bit, from the writer before it is finished
// and from the reader after.
// Method: random rows of every type, with and without NULLs, from a printed seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/random.h"
#include "columnar/stripe_reader.h"
#include "columnar/stripe_writer.h"
#include "columnar/testing/memory_stripe.h"

namespace orochi::columnar {
namespace {

using testing::MemoryFile;
using testing::OwnedCell;
using testing::RowsOf;

constexpr PhysicalType kEveryType[] = {
    PhysicalType::kBool,    PhysicalType::kInt16,   PhysicalType::kInt32, PhysicalType::kInt64,
    PhysicalType::kFloat32, PhysicalType::kFloat64, PhysicalType::kBytes};

OwnedCell RandomCell(PhysicalType type, uint64_t one_null_in, Random& random) {
  if (one_null_in > 0 && random.OneIn(one_null_in)) {
    return OwnedCell::Null();
  }
  if (type == PhysicalType::kBytes) {
    std::string text(random.Below(40), '\0');
    for (char& c : text) {
      c = static_cast<char>(random.Next());
    }
    return OwnedCell::Bytes(text);
  }
  return OwnedCell::Word(type, random.Next());
}

TEST(StripeTest, EveryTypeSurvivesTheRoundTrip) {
  uint64_t const seed = 20260101;
  RecordProperty("seed", std::to_string(seed));
  SeededRandom random(seed);
  Schema schema;
  schema.columns.assign(std::begin(kEveryType), std::end(kEveryType));
  for (uint64_t const one_null_in : {0, 1, 3, 50}) {
    std::vector<std::vector<OwnedCell>> rows(2500);
    for (auto& row : rows) {
      for (PhysicalType const type : schema.columns) {
        row.push_back(RandomCell(type, one_null_in, random));
      }
    }
    MemoryBudget budget("test", 64u << 20);
    StripeWriter writer(schema, {.row_group_rows = 1000}, budget);
    for (const auto& row : rows) {
      ASSERT_TRUE(writer.Append(testing::Borrow(row)).ok());
    }
    for (uint32_t row = 0; row < rows.size(); row += 7) {
      for (uint32_t column = 0; column < schema.column_count(); ++column) {
        Result<Cell> cell = writer.ReadBack(row, column);
        ASSERT_TRUE(cell.ok()) << cell.status().ToString();
        ASSERT_EQ(OwnedCell::Copy(schema.columns[column], *cell), rows[row][column]);
      }
    }
    MemoryFile file;
    Result<StripeLocation> location = writer.Finish(file);
    ASSERT_TRUE(location.ok()) << location.status().ToString();
    EXPECT_EQ(location->row_count, rows.size());
    EXPECT_EQ(location->row_group_count, 3u);
    EXPECT_EQ(location->size_bytes, file.bytes().size());
    Result<std::vector<std::vector<OwnedCell>>> found = RowsOf(file, *location);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(*found, rows);
  }
}

}  // namespace
}  // namespace orochi::columnar
