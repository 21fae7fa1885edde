// Goal: what goes into a stripe comes out of it, bit for bit, from the writer before it is finished
// and from the reader after; bounds on rows, values and memory hold.
// Method: random rows of every type, with and without NULLs, from a printed seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/random.h"
#include "base/testing/test_seed.h"
#include "columnar/stripe_reader.h"
#include "columnar/stripe_writer.h"
#include "columnar/testing/column_shapes.h"
#include "columnar/testing/memory_stripe.h"

namespace orochi::columnar {
namespace {

using testing::ColumnShape;
using testing::MemoryFile;
using testing::NullPattern;
using testing::OwnedCell;
using testing::RowsOf;

constexpr size_t kAmpleBytes = 256u << 20;

Schema EveryTypeSchema() {
  Schema schema;
  schema.columns.assign(std::begin(testing::kEveryType), std::end(testing::kEveryType));
  return schema;
}

std::vector<std::vector<OwnedCell>> RandomRows(const Schema& schema, uint32_t row_count,
                                               Random& random) {
  std::vector<std::vector<OwnedCell>> rows(row_count);
  for (PhysicalType const type : schema.columns) {
    auto const shape = testing::kEveryShape[random.Below(std::size(testing::kEveryShape))];
    auto const nulls =
        testing::kEveryNullPattern[random.Below(std::size(testing::kEveryNullPattern))];
    auto const column = testing::MakeColumn(type, shape, nulls, row_count, random);
    for (uint32_t row = 0; row < row_count; ++row) {
      rows[row].push_back(column[row]);
    }
  }
  return rows;
}

TEST(StripeTest, RandomTablesSurviveTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(61));
  for (int round = 0; round < 60; ++round) {
    Schema schema;
    for (uint64_t column = 0; column < random.Below(9); ++column) {
      schema.columns.push_back(testing::kEveryType[random.Below(7)]);
    }
    auto const rows = RandomRows(schema, 1 + static_cast<uint32_t>(random.Below(3000)), random);
    StripeOptions options;
    options.row_group_rows = 1 + static_cast<uint32_t>(random.Below(1500));
    options.row_group_raw_bytes_max = 1 + random.Below(200'000);
    options.compression = static_cast<codec::Compression>(random.Below(3));
    MemoryBudget budget("test", kAmpleBytes);
    StripeWriter writer(schema, options, budget);
    for (const auto& row : rows) {
      ASSERT_TRUE(writer.Append(testing::Borrow(row)).ok());
    }
    MemoryFile file;
    Result<StripeLocation> location = writer.Finish(file);
    ASSERT_TRUE(location.ok()) << location.status().ToString();
    EXPECT_EQ(location->row_count, rows.size());
    EXPECT_EQ(location->size_bytes, file.bytes().size());
    Result<std::vector<std::vector<OwnedCell>>> found = RowsOf(file, *location);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_EQ(*found, rows);
  }
}

TEST(StripeTest, UnfinishedRowsAreReadBackByPosition) {
  SeededRandom random(orochi::testing::TestSeed(62));
  Schema const schema = EveryTypeSchema();
  auto const rows = RandomRows(schema, 2500, random);
  MemoryBudget budget("test", kAmpleBytes);
  StripeWriter writer(schema, {.row_group_rows = 1000}, budget);
  for (const auto& row : rows) {
    ASSERT_TRUE(writer.Append(testing::Borrow(row)).ok());
  }
  for (int round = 0; round < 3000; ++round) {  // encoded and open row groups, in any order
    auto const row = static_cast<uint32_t>(random.Below(rows.size()));
    auto const column = static_cast<uint32_t>(random.Below(schema.column_count()));
    Result<Cell> cell = writer.ReadBack(row, column);
    ASSERT_TRUE(cell.ok()) << cell.status().ToString();
    ASSERT_EQ(OwnedCell::Copy(schema.columns[column], *cell), rows[row][column]);
  }
}

TEST(StripeTest, TheReaderKnowsWhereRowsAre) {
  Schema const schema{{PhysicalType::kInt64}};
  MemoryBudget budget("test", kAmpleBytes);
  StripeWriter writer(schema, {.row_group_rows = 100, .stripe_rows = 250}, budget);
  for (uint64_t row = 0; row < 250; ++row) {
    EXPECT_FALSE(writer.full());
    ASSERT_TRUE(writer.Append(std::vector{Cell::Word(row)}).ok());
  }
  EXPECT_TRUE(writer.full());
  MemoryFile file;
  // Not at the start of the file: a stripe knows only offsets of its own.
  ASSERT_TRUE(file.Append(std::vector<std::byte>(77)).ok());
  Result<StripeLocation> location = writer.Finish(file);
  ASSERT_TRUE(location.ok());
  Result<StripeReader> reader =
      StripeReader::Open(file, {.offset_bytes = 77,
                                .size_bytes = location->size_bytes,
                                .footer_size_bytes = location->footer_size_bytes});
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_EQ(reader->row_count(), 250u);
  EXPECT_EQ(reader->row_group_count(), 3u);
  EXPECT_EQ(reader->row_group_rows(2), 50u);
  EXPECT_EQ(reader->row_group_first_row(2), 200u);
  EXPECT_EQ(reader->RowGroupOf(0), 0u);
  EXPECT_EQ(reader->RowGroupOf(99), 0u);
  EXPECT_EQ(reader->RowGroupOf(100), 1u);
  EXPECT_EQ(reader->RowGroupOf(249), 2u);
  EXPECT_EQ(reader->chunk(1, 0).statistics.min_word, 100u);
  EXPECT_EQ(reader->chunk(1, 0).statistics.max_word, 199u);
  ColumnVector vector;
  ASSERT_TRUE(reader->ReadChunk(2, 0, vector).ok());
  EXPECT_EQ(vector.Values<int64_t>().back(), 249);
}

TEST(StripeTest, ARowGroupClosesBeforeItsBytesPileUp) {
  Schema const schema{{PhysicalType::kBytes}};
  MemoryBudget budget("test", kAmpleBytes);
  StripeWriter writer(schema, {.row_group_raw_bytes_max = 10'000}, budget);
  std::string const text(3000, 'x');
  for (int row = 0; row < 10; ++row) {
    ASSERT_TRUE(writer.Append(std::vector{Cell::Bytes(std::as_bytes(std::span(text)))}).ok());
  }
  MemoryFile file;
  Result<StripeLocation> location = writer.Finish(file);
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->row_group_count, 4u);  // three values of 3,008 bytes fit
}

TEST(StripeTest, AValueThatIsTooLongIsOutOfRangeAndChangesNothing) {
  Schema const schema{{PhysicalType::kBytes}};
  MemoryBudget budget("test", kAmpleBytes);
  StripeWriter writer(schema, {}, budget);
  Cell cell;
  cell.size_bytes = (1u << 30) + 1;  // refused by its length, its bytes are never touched
  EXPECT_EQ(writer.Append(std::vector{cell}).code(), StatusCode::kOutOfRange);
  EXPECT_EQ(writer.row_count(), 0u);
}

TEST(StripeTest, PastItsBudgetTheWriterRefusesARowAndCanStillFinish) {
  SeededRandom random(orochi::testing::TestSeed(63));
  Schema const schema{{PhysicalType::kInt64, PhysicalType::kBytes}};
  std::vector<std::vector<OwnedCell>> rows(20'000);  // nothing that compresses
  for (auto& row : rows) {
    row = {OwnedCell::Word(PhysicalType::kInt64, random.Next()),
           OwnedCell::Bytes(testing::RandomText(40, random))};
  }
  for (size_t const limit_bytes : {500, 2'000, 50'000, 400'000}) {
    MemoryBudget budget("test", limit_bytes);
    {
      StripeWriter writer(schema, {.row_group_rows = 1000}, budget);
      std::vector<std::vector<OwnedCell>> taken;
      Status status;
      for (const auto& row : rows) {
        status = writer.Append(testing::Borrow(row));
        if (!status.ok()) {
          break;
        }
        taken.push_back(row);
      }
      ASSERT_EQ(status.code(), StatusCode::kResourceExhausted) << limit_bytes;
      EXPECT_LE(budget.peak_bytes(), limit_bytes);
      EXPECT_EQ(writer.buffered_bytes(), budget.used_bytes());
      ASSERT_EQ(writer.row_count(), taken.size());
      if (!taken.empty()) {
        MemoryFile file;
        Result<StripeLocation> location = writer.Finish(file);
        ASSERT_TRUE(location.ok()) << location.status().ToString();
        Result<std::vector<std::vector<OwnedCell>>> found = RowsOf(file, *location);
        ASSERT_TRUE(found.ok());
        ASSERT_EQ(*found, taken);
      }
    }
    EXPECT_EQ(budget.used_bytes(), 0u);
  }
}

TEST(StripeTest, ASinkThatFailsFailsTheStripe) {
  class BrokenSink final : public io::ByteSink {
   public:
    explicit BrokenSink(int good_calls) : good_calls_(good_calls) {}
    Status Append(std::span<const std::byte>) override {
      return good_calls_-- > 0 ? Status::Ok() : Status::ResourceExhausted("disk full");
    }

   private:
    int good_calls_;
  };
  Schema const schema{{PhysicalType::kInt64, PhysicalType::kInt64}};
  for (int good_calls = 0; good_calls < 3; ++good_calls) {  // two chunks, one footer
    MemoryBudget budget("test", kAmpleBytes);
    StripeWriter writer(schema, {}, budget);
    ASSERT_TRUE(writer.Append(std::vector{Cell::Word(1), Cell::Word(2)}).ok());
    BrokenSink sink(good_calls);
    Result<StripeLocation> const location = writer.Finish(sink);
    EXPECT_EQ(location.status().code(), StatusCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace orochi::columnar
