// Goal: tables of unusual shapes are read as they were written.
// Method: more columns than a bitmap holds, more clustering columns than one header holds, none at
// all, values longer than a chunk, random subsets of columns; compared as text.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "io/testing/memory_file_system.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/read/reader.h"
#include "sstable/read/verify.h"
#include "sstable/write/sstable_writer.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using testing::OwnedPartition;
using testing::OwnedUnfiltered;

struct Shape {
  const char* name;
  size_t clusterings;
  size_t statics;
  size_t regulars;
  size_t value_size_bytes;
};

OwnedUnfiltered RowOf(Random& random, const Shape& shape, size_t column_count, uint64_t one_in) {
  OwnedUnfiltered row;
  row.view.liveness.timestamp = 1'000'000;
  for (uint32_t index = 0; index < column_count; ++index) {
    if (!random.OneIn(one_in)) {
      continue;
    }
    row.bytes->push_back(std::string(random.Below(shape.value_size_bytes + 1), 'v'));
    CellView cell;
    cell.column_index = index;
    cell.timestamp = 1'000'000 + static_cast<int64_t>(random.Below(100));
    cell.value = AsBytes(row.bytes->back());
    row.cells.push_back(cell);
  }
  return row;
}

std::vector<Column> ColumnsOf(const char* prefix, size_t count) {
  std::vector<Column> columns;
  for (size_t index = 0; index < count; ++index) {
    columns.push_back(Column::Of(StrCat(prefix, 1000 + index), SimpleType(TypeKind::kText)));
  }
  return columns;
}

class ShapesTest : public ::testing::TestWithParam<Shape> {};

TEST_P(ShapesTest, AreReadAsWritten) {
  const Shape& shape = GetParam();
  SeededRandom random(orochi::testing::TestSeed(13));
  Layout layout;
  layout.key_type = SimpleType(TypeKind::kText);
  layout.clustering =
      ClusteringFormat(std::vector<TypeRef>(shape.clusterings, SimpleType(TypeKind::kText)));
  layout.statics = ColumnsOf("s", shape.statics);
  layout.regulars = ColumnsOf("r", shape.regulars);
  std::vector<OwnedPartition> partitions(1);
  partitions[0].key = "key";
  partitions[0].static_row = RowOf(random, shape, shape.statics, 2);
  partitions[0].static_row.view.liveness = LivenessInfo();
  partitions[0].static_row.view.clustering.kind = ClusteringKind::kStatic;
  size_t const row_count = shape.clusterings == 0 ? 1 : 40;
  for (size_t number = 0; number < row_count; ++number) {
    // Nearly all columns, about half, and few.
    OwnedUnfiltered row = RowOf(random, shape, shape.regulars, 1 + number % 3 * (number % 7));
    for (size_t index = 0; index < shape.clusterings; ++index) {
      row.clustering_bytes.push_back(index == 0 ? StrCat(100 + number)
                                                : std::string(random.Below(3), 'c'));
    }
    partitions[0].rows.push_back(std::move(row));
  }
  for (Version const version : {Version::Nb(), Version::Oa(), Version::Da()}) {
    io::testing::MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("t").ok());
    WriterOptions options;
    options.version = version;
    options.row_block_size_bytes = 4096;
    options.compression->chunk_size_bytes = 1024;
    auto writer = SstableWriter::Create(files, "t", layout, options);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    testing::OwnedStream source(layout, partitions, false);
    Status const copied = WriteStream(source, **writer);
    ASSERT_TRUE(copied.ok()) << copied.ToString();
    Result<WrittenSstable> const written = (*writer)->Finish();
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    // Small steps, so that rows and heads cross what is read at a time.
    auto const reader =
        SstableReader::Open(files, "t", written->descriptor, {.scan_size_bytes = 1});
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    Result<std::string> const found = testing::Transcript(*(*reader)->Scan());
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    std::string const expected = testing::Transcript(partitions);
    EXPECT_EQ(testing::FirstDifference(*found, expected), "");
    auto const backwards = (*reader)->Lookup(AsBytes("key"), {.reversed = true});
    ASSERT_TRUE(backwards.ok());
    EXPECT_EQ(*testing::Transcript(**backwards), testing::ReversedTranscript(expected));
    Result<VerifyReport> const report = Verify(files, "t", written->descriptor);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->good()) << report->findings[0];
  }
}

TEST(RowLimitTest, ARowLargerThanAllowedIsRefused) {
  SeededRandom random(1);
  Shape const shape = {"", 0, 0, 1, 100'000};
  Layout layout;
  layout.key_type = SimpleType(TypeKind::kText);
  layout.regulars = ColumnsOf("r", 1);
  std::vector<OwnedPartition> partitions(1);
  partitions[0].key = "key";
  partitions[0].static_row.view.clustering.kind = ClusteringKind::kStatic;
  partitions[0].rows.push_back(RowOf(random, shape, 1, 1));
  partitions[0].rows[0].bytes->front() = std::string(1'000'000, 'v');
  partitions[0].rows[0].cells[0].value = AsBytes(partitions[0].rows[0].bytes->front());
  io::testing::MemoryFileSystem files;
  ASSERT_TRUE(files.CreateDirectories("t").ok());
  auto writer = SstableWriter::Create(files, "t", layout, WriterOptions());
  testing::OwnedStream source(layout, partitions, false);
  ASSERT_TRUE(WriteStream(source, **writer).ok());
  Result<WrittenSstable> const written = (*writer)->Finish();
  ASSERT_TRUE(written.ok());
  auto const reader =
      SstableReader::Open(files, "t", written->descriptor, {.row_size_bytes_max = 500'000});
  ASSERT_TRUE(reader.ok());
  Status const status = testing::Transcript(*(*reader)->Scan()).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.ToString();
}

INSTANTIATE_TEST_SUITE_P(Shapes, ShapesTest,
                         ::testing::Values(Shape{"NoClustering", 0, 0, 3, 20},
                                           Shape{"KeyOnly", 0, 0, 0, 0},
                                           Shape{"SixtyThreeColumns", 1, 63, 63, 10},
                                           Shape{"SixtyFourColumns", 1, 64, 64, 10},
                                           Shape{"ThreeHundredColumns", 2, 100, 300, 10},
                                           Shape{"FortyClusterings", 40, 1, 2, 10},
                                           Shape{"LongValues", 1, 2, 3, 20'000}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace orochi::sstable
