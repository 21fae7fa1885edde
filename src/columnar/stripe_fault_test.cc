// Goal: a stripe whose writing failed or was cut short by a power cut is never taken for a whole
// one, and a reader's failing I/O is an error of the I/O, not of the bytes.
// Method: stripes on files in memory where each call in turn fails, the disk is full, or the power
// goes before the sync.
#include <gtest/gtest.h>

#include "base/memory_budget.h"
#include "base/random.h"
#include "base/testing/test_seed.h"
#include "columnar/testing/column_shapes.h"
#include "io/testing/memory_file_system.h"

namespace orochi::columnar {
namespace {

using io::testing::MemoryFileSystem;
using testing::OwnedCell;
using Rows = std::vector<std::vector<OwnedCell>>;

const Schema kSchema{{PhysicalType::kInt64, PhysicalType::kFloat64, PhysicalType::kBytes}};
constexpr char kPath[] = "/stripe";

Rows MakeRows() {
  SeededRandom random(orochi::testing::TestSeed(91));
  Rows rows(300);
  for (auto& row : rows) {
    row = {OwnedCell::Word(PhysicalType::kInt64, random.Next()),
           OwnedCell::Word(PhysicalType::kFloat64, random.Next()),
           OwnedCell::Bytes(testing::RandomText(20, random))};
  }
  return rows;
}

Result<StripeLocation> Write(const Rows& rows, MemoryFileSystem& files) {
  MemoryBudget budget("test", 64u << 20);
  StripeWriter writer(kSchema, {.row_group_rows = 100}, budget);
  for (const auto& row : rows) {
    RETURN_IF_ERROR(writer.Append(testing::Borrow(row)));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<io::WritableFile> file, files.Create(kPath));
  ASSIGN_OR_RETURN(StripeLocation const location, writer.Finish(*file));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(file->Close());
  RETURN_IF_ERROR(files.SyncDirectory("/"));
  return location;
}

Result<Rows> Read(MemoryFileSystem& files, const StripeLocation& location) {
  ASSIGN_OR_RETURN(std::unique_ptr<io::RandomAccessFile> const file, files.OpenForRead(kPath));
  return testing::RowsOf(*file, location);
}

TEST(StripeFaultTest, EachFailingCallFailsTheWriteOrTheRead) {
  Rows const rows = MakeRows();
  MemoryFileSystem plain;
  Result<StripeLocation> const location = Write(rows, plain);
  ASSERT_TRUE(location.ok());
  uint64_t const write_calls = plain.call_count();
  Result<Rows> const found = Read(plain, *location);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(*found, rows);
  uint64_t const read_calls = plain.call_count() - write_calls;
  ASSERT_GT(read_calls, 9u);  // nine chunks and the footer
  for (uint64_t nth = 1; nth <= write_calls; ++nth) {
    MemoryFileSystem files;
    files.FailCall(nth);
    ASSERT_EQ(Write(rows, files).status().code(), StatusCode::kIoError) << nth;
  }
  for (uint64_t nth = 1; nth <= read_calls; ++nth) {
    plain.FailCall(nth);
    ASSERT_EQ(Read(plain, *location).status().code(), StatusCode::kIoError) << nth;
  }
}

TEST(StripeFaultTest, AFullDiskIsResourceExhaustedWhereverItFills) {
  Rows const rows = MakeRows();
  MemoryFileSystem plain;
  Result<StripeLocation> const location = Write(rows, plain);
  ASSERT_TRUE(location.ok());
  for (uint64_t capacity_bytes = 0; capacity_bytes < location->size_bytes; capacity_bytes += 97) {
    MemoryFileSystem files;
    files.SetCapacityBytes(capacity_bytes);
    ASSERT_EQ(Write(rows, files).status().code(), StatusCode::kResourceExhausted) << capacity_bytes;
  }
}

TEST(StripeFaultTest, APowerCutBeforeTheSyncLeavesAllRowsOrAnError) {
  Rows const rows = MakeRows();
  SeededRandom random(orochi::testing::TestSeed(92));
  int whole = 0;
  int torn = 0;
  for (int round = 0; round < 200; ++round) {
    MemoryFileSystem files;
    auto named = files.Create(kPath);  // the name is durable, the bytes are not
    ASSERT_TRUE(named.ok());
    ASSERT_TRUE(files.SyncDirectory("/").ok());
    MemoryBudget budget("test", 64u << 20);
    StripeWriter writer(kSchema, {.row_group_rows = 100}, budget);
    for (const auto& row : rows) {
      ASSERT_TRUE(writer.Append(testing::Borrow(row)).ok());
    }
    Result<StripeLocation> const location = writer.Finish(**named);
    ASSERT_TRUE(location.ok());
    if (round > 0) {
      files.CutPower(&random);
    }
    Result<Rows> const found = Read(files, *location);
    if (found.ok()) {
      ++whole;
      ASSERT_EQ(*found, rows);
    } else {
      ++torn;
      ASSERT_EQ(found.status().code(), StatusCode::kCorruption) << found.status().ToString();
    }
  }
  EXPECT_GE(whole, 1);
  EXPECT_GT(torn, 100);
}

}  // namespace
}  // namespace orochi::columnar
