// Goal: a partition found through its index is the one a scan finds, slices of it hold what they
// should in both directions, and ranges of partitions start and end where they say.
// Method: every real table, indexes of both formats; the scan is the model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "io/posix/posix_file_system.h"
#include "sstable/read/reader.h"
#include "sstable/read/testing/expected_json.h"
#include "sstable/read/testing/shared_data.h"

namespace orochi::sstable {
namespace {

using nlohmann::json;

struct RealTable {
  std::string directory;
  std::unique_ptr<SstableReader> reader;
  json partitions;
  std::vector<std::vector<std::byte>> keys;
};

io::PosixFileSystem& Files() {
  static io::PosixFileSystem files;
  return files;
}

std::vector<std::vector<std::byte>> KeysOf(Result<std::unique_ptr<UnfilteredStream>> stream) {
  EXPECT_TRUE(stream.ok()) << stream.status().ToString();
  std::vector<std::vector<std::byte>> keys;
  for (;;) {
    Result<bool> const more = (*stream)->NextPartition();
    EXPECT_TRUE(more.ok()) << more.status().ToString();
    if (!more.ok() || !*more) {
      return keys;
    }
    Bytes const key = (*stream)->partition().key;
    keys.emplace_back(key.begin(), key.end());
  }
}

std::vector<RealTable> RealTables() {
  std::vector<RealTable> tables;
  std::string const root = testing::SharedSstables();
  std::vector<std::string> directories;
  if (!root.empty()) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().filename() == "expected.json") {
        directories.push_back(entry.path().parent_path().string());
      }
    }
  }
  std::sort(directories.begin(), directories.end());
  for (const std::string& directory : directories) {
    Result<std::vector<Descriptor>> const found = ListSstables(Files(), directory);
    EXPECT_TRUE(found.ok() && found->size() == 1);
    RealTable table;
    table.directory = directory;
    Result<std::unique_ptr<SstableReader>> reader =
        SstableReader::Open(Files(), directory, found->front());
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    table.reader = *std::move(reader);
    std::unique_ptr<UnfilteredStream> const stream = table.reader->Scan();
    Result<json> content = testing::ExpectedJson(*stream);
    EXPECT_TRUE(content.ok()) << content.status().ToString();
    table.partitions = (*content)["partitions"];
    table.keys = KeysOf(table.reader->Scan(PartitionRange()));
    tables.push_back(std::move(table));
  }
  return tables;
}

json Drain(Result<std::unique_ptr<UnfilteredStream>> stream) {
  EXPECT_TRUE(stream.ok()) << stream.status().ToString();
  Result<json> content = testing::ExpectedJson(**stream);
  EXPECT_TRUE(content.ok()) << content.status().ToString();
  return content.ok() ? (*content)["partitions"] : json();
}

#define SKIP_WITHOUT_SHARED_DATA()                                                          \
  if (testing::SharedSstables().empty()) {                                                  \
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory"; \
  }

TEST(LookupTest, EveryKeyIsFoundAndOnlyThose) {
  SKIP_WITHOUT_SHARED_DATA();
  for (const RealTable& table : RealTables()) {
    SCOPED_TRACE(table.directory);
    size_t const step = std::max<size_t>(1, table.keys.size() / 1000);
    for (size_t index = 0; index < table.keys.size(); index += step) {
      json const found = Drain(table.reader->Lookup(table.keys[index]));
      ASSERT_EQ(found.size(), 1U) << "partition " << index;
      ASSERT_EQ(found[0], table.partitions[index]);
      // A key that is not there, past the filter: one byte more.
      std::vector<std::byte> absent = table.keys[index];
      absent.push_back(std::byte{1});
      ASSERT_EQ(Drain(table.reader->Lookup(absent)).size(), 0U);
    }
  }
}

TEST(LookupTest, SlicesAreThoseOfTheModelBothWays) {
  SKIP_WITHOUT_SHARED_DATA();
  size_t wide_tables = 0;
  for (const RealTable& table : RealTables()) {
    if (table.partitions[0]["unfiltereds"].size() < 10) {
      continue;
    }
    ++wide_tables;
    SCOPED_TRACE(table.directory);
    for (size_t partition : {size_t{0}, table.keys.size() - 1}) {
      const json& rows = table.partitions[partition]["unfiltereds"];
      for (size_t first = 0; first < rows.size(); first += 7) {
        for (size_t last = first; last < rows.size(); last += 11) {
          for (bool const inclusive : {true, false}) {
            std::string const low = rows[first]["cl"][0].get<std::string>();
            std::string const high = rows[last]["cl"][0].get<std::string>();
            ClusteringValue const low_value{AsBytes(low), false};
            ClusteringValue const high_value{AsBytes(high), false};
            ClusteringSlice slice;
            slice.start.Assign(
                {inclusive ? ClusteringKind::kInclStartBound : ClusteringKind::kExclStartBound,
                 {&low_value, 1}});
            slice.end.Assign(
                {inclusive ? ClusteringKind::kInclEndBound : ClusteringKind::kExclEndBound,
                 {&high_value, 1}});
            json expected = json::array();
            for (size_t row = first; row <= last; ++row) {
              if (inclusive || (row != first && row != last)) {
                expected.push_back(rows[row]);
              }
            }
            for (bool const reversed : {false, true}) {
              json const found = Drain(table.reader->Lookup(
                  table.keys[partition], {.slices = {slice}, .reversed = reversed}));
              ASSERT_EQ(found.size(), 1U);
              ASSERT_EQ(found[0]["unfiltereds"], expected)
                  << first << " to " << last << (reversed ? " reversed" : "");
              std::reverse(expected.begin(), expected.end());
            }
          }
        }
      }
      json reversed_rows = rows;
      std::reverse(reversed_rows.begin(), reversed_rows.end());
      json const found = Drain(table.reader->Lookup(table.keys[partition], {.reversed = true}));
      ASSERT_EQ(found[0]["unfiltereds"], reversed_rows);
    }
  }
  EXPECT_GE(wide_tables, 4U);
}

TEST(LookupTest, RangesOfPartitionsAreThoseOfTheModel) {
  SKIP_WITHOUT_SHARED_DATA();
  for (const RealTable& table : RealTables()) {
    SCOPED_TRACE(table.directory);
    Partitioner const partitioner = table.reader->layout().partitioner;
    size_t const step = std::max<size_t>(1, table.keys.size() / 3);
    for (size_t first = 0; first < table.keys.size(); first += step) {
      for (size_t last = first; last < table.keys.size(); last += step) {
        for (bool const inclusive : {true, false}) {
          PartitionRange range;
          range.start = {TokenOf(partitioner, table.keys[first]), table.keys[first], inclusive};
          range.end = {TokenOf(partitioner, table.keys[last]), table.keys[last], inclusive};
          if (partitioner == Partitioner::kMurmur3 && first % 2 == 0) {
            range.start->key.reset();  // no two of these keys have the same token
            range.end->key.reset();
          }
          size_t const skipped = inclusive ? 0 : 1;
          std::vector<std::vector<std::byte>> expected;
          for (size_t index = first + skipped; index + skipped <= last; ++index) {
            expected.push_back(table.keys[index]);
          }
          ASSERT_EQ(KeysOf(table.reader->Scan(range)), expected) << first << " to " << last;
        }
      }
    }
  }
}

}  // namespace
}  // namespace orochi::sstable
