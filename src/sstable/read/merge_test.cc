// Goal: merging changes nothing that it should not.
// Method: every real table merged with itself, in both directions, is itself; what a query sees of
// it at a time before and after its expiry. Random tables are merged in sstable/check.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "io/posix/posix_file_system.h"
#include "sstable/read/merge.h"
#include "sstable/read/reader.h"
#include "sstable/read/testing/expected_json.h"
#include "sstable/read/testing/shared_data.h"

namespace orochi::sstable {
namespace {

using nlohmann::json;

#define SKIP_WITHOUT_SHARED_DATA()                                                          \
  if (testing::SharedSstables().empty()) {                                                  \
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory"; \
  }

std::unique_ptr<SstableReader> OpenOnly(const std::string& directory) {
  static io::PosixFileSystem files;
  Result<std::vector<Descriptor>> const found = ListSstables(files, directory);
  EXPECT_TRUE(found.ok() && found->size() == 1);
  Result<std::unique_ptr<SstableReader>> reader =
      SstableReader::Open(files, directory, found->front());
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  return *std::move(reader);
}

json Content(UnfilteredStream& stream) {
  Result<json> content = testing::ExpectedJson(stream);
  EXPECT_TRUE(content.ok()) << content.status().ToString();
  return content.ok() ? (*content)["partitions"] : json();
}

json Merged(const SstableReader& reader, size_t times, const MergeOptions& options) {
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  std::vector<const Layout*> layouts;
  for (size_t index = 0; index < times; ++index) {
    Result<std::unique_ptr<UnfilteredStream>> stream =
        reader.Scan(PartitionRange(), {.reversed = options.reversed});
    EXPECT_TRUE(stream.ok());
    streams.push_back(*std::move(stream));
    layouts.push_back(&reader.layout());
  }
  Result<Layout> layout = MergeLayouts(layouts);
  EXPECT_TRUE(layout.ok());
  Result<std::unique_ptr<UnfilteredStream>> merged =
      Merge(std::move(streams), *std::move(layout), options);
  EXPECT_TRUE(merged.ok());
  return Content(**merged);
}

TEST(MergeTest, ATableMergedWithItselfIsItself) {
  SKIP_WITHOUT_SHARED_DATA();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(testing::SharedSstables())) {
    if (entry.path().filename() != "expected.json" ||
        entry.path().string().find("10000") != std::string::npos) {
      continue;
    }
    SCOPED_TRACE(entry.path().string());
    std::unique_ptr<SstableReader> const reader = OpenOnly(entry.path().parent_path().string());
    json expected = Content(*reader->Scan());
    EXPECT_EQ(Merged(*reader, 1, {}), expected);
    EXPECT_EQ(Merged(*reader, 3, {}), expected);
    for (json& partition : expected) {
      std::reverse(partition["unfiltereds"].begin(), partition["unfiltereds"].end());
    }
    EXPECT_EQ(Merged(*reader, 2, {.reversed = true}), expected);
  }
}

TEST(MergeTest, AQuerySeesNoTombstones) {
  SKIP_WITHOUT_SHARED_DATA();
  std::string const root = testing::SharedSstables() + "/apache-cassandra/negative-ldts/";
  for (const char* const name : {"invalid_tombstones", "invalid_range_tombstone_compaction"}) {
    SCOPED_TRACE(name);
    std::unique_ptr<SstableReader> const reader = OpenOnly(root + name);
    json const expected = Content(*reader->Scan());
    json const found = Merged(*reader, 2, {.live_at_s = 1'700'000'000});
    // The third partition holds a row whose one cell is deleted, or a row in a range tombstone.
    ASSERT_EQ(expected.size(), 3U);
    ASSERT_GE(found.size(), 2U);
    EXPECT_EQ(found[0], expected[0]);
    EXPECT_EQ(found[1], expected[1]);
    for (size_t index = 2; index < found.size(); ++index) {
      for (const json& row : found[index]["unfiltereds"]) {
        EXPECT_FALSE(row.contains("marker"));
        EXPECT_TRUE(row["cells"].empty());
      }
    }
  }
}

TEST(MergeTest, PurgingLeavesNothingOfWhatExpiredLongAgo) {
  SKIP_WITHOUT_SHARED_DATA();
  std::unique_ptr<SstableReader> const reader =
      OpenOnly(testing::SharedSstables() + "/apache-cassandra/legacy_tables/nb/legacy_nb_simple");
  MergeOptions options;
  options.purge = {.now_s = 4'000'000'000, .gc_before_s = 4'000'000'000};
  EXPECT_EQ(Merged(*reader, 2, options), Content(*reader->Scan()));  // nothing here expires
}

TEST(MergeTest, TablesOfOtherTypesAreRefused) {
  SKIP_WITHOUT_SHARED_DATA();
  std::string const root = testing::SharedSstables() + "/apache-cassandra/legacy_tables/nb/";
  std::unique_ptr<SstableReader> const simple = OpenOnly(root + "legacy_nb_simple");
  std::unique_ptr<SstableReader> const clustered = OpenOnly(root + "legacy_nb_clust");
  std::unique_ptr<SstableReader> const counter = OpenOnly(root + "legacy_nb_simple_counter");
  EXPECT_EQ(MergeLayouts({&simple->layout(), &clustered->layout()}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(MergeLayouts({&simple->layout(), &counter->layout()}).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace orochi::sstable
