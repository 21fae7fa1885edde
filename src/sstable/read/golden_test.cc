// Goal: what real Cassandra wrote is read as what it is.
// Method: every real SSTable that has an expected.json next to it, made by an independent decoder,
// is scanned and compared value by value; the ones that cannot be right are refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "io/posix/posix_file_system.h"
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

Result<std::unique_ptr<SstableReader>> OpenOnly(const std::string& directory) {
  static io::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::vector<Descriptor> const found, ListSstables(files, directory));
  if (found.size() != 1) {
    return Status::Internal("expected one SSTable in " + directory);
  }
  return SstableReader::Open(files, directory, found.front());
}

// The expected files show the bits of signed times that cannot be right; the reader says "invalid".
void MarkInvalidTimes(json& value, bool is_signed) {
  if (value.is_structured()) {
    for (json& element : value) {
      MarkInvalidTimes(element, is_signed);
    }
  }
  if (value.is_object()) {
    for (const char* name : {"expires", "exp", "deleted"}) {
      if (is_signed && value.contains(name) && value[name].get<uint64_t>() > 0x7FFF'FFFF) {
        value[name] = kInvalidDeletionTime;
      }
    }
    if (is_signed && value.contains("marker")) {
      for (json& deletion : value["del"]) {
        if (deletion[1].get<uint64_t>() > 0x7FFF'FFFF) {
          deletion[1] = kInvalidDeletionTime;
        }
      }
    }
  }
}

std::vector<std::string> GoldenDirectories() {
  std::vector<std::string> directories;
  std::string const root = testing::SharedSstables();
  if (!root.empty()) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().filename() == "expected.json") {
        directories.push_back(entry.path().parent_path().string());
      }
    }
  }
  std::sort(directories.begin(), directories.end());
  return directories;
}

TEST(GoldenTest, RealTablesReadAsExpected) {
  SKIP_WITHOUT_SHARED_DATA();
  std::vector<std::string> const directories = GoldenDirectories();
  EXPECT_GE(directories.size(), 18U);
  for (const std::string& directory : directories) {
    SCOPED_TRACE(directory);
    std::ifstream file(directory + "/expected.json");
    json expected = json::parse(file);
    Result<std::unique_ptr<SstableReader>> reader = OpenOnly(directory);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    MarkInvalidTimes(expected["partitions"],
                     !(*reader)->descriptor().version.has_unsigned_deletion_times());
    std::unique_ptr<UnfilteredStream> const stream = (*reader)->Scan();
    Result<json> const found = testing::ExpectedJson(*stream, expected["partitions"].size());
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_EQ((*found)["partitions"].size(), expected["partitions"].size());
    for (size_t index = 0; index < expected["partitions"].size(); ++index) {
      EXPECT_EQ((*found)["partitions"][index], expected["partitions"][index]);
    }
    Result<bool> const more = stream->NextPartition();
    ASSERT_TRUE(more.ok()) << more.status().ToString();
    EXPECT_EQ(*more, expected["truncated"].get<bool>());
  }
}

TEST(GoldenTest, TenThousandKeysComeInTokenOrderAtTheirOffsets) {
  SKIP_WITHOUT_SHARED_DATA();
  std::string const directory =
      testing::SharedSstables() + "/sstable-transformer/oa-13_int_pk_only_10000";
  Result<std::unique_ptr<SstableReader>> reader = OpenOnly(directory);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  std::unique_ptr<UnfilteredStream> const stream = (*reader)->Scan();
  std::ifstream file(directory + "/expected.keys.csv");
  std::string line;
  std::getline(file, line);
  size_t count = 0;
  while (std::getline(file, line)) {
    Result<bool> const found = stream->NextPartition();
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_TRUE(*found) << "after " << count << " partitions";
    std::ostringstream text;
    for (std::byte const byte : stream->partition().key) {
      text << std::hex << std::to_integer<int>(byte) / 16 << std::to_integer<int>(byte) % 16;
    }
    text << std::dec << ',' << TokenText(Partitioner::kMurmur3, stream->partition().key) << ','
         << stream->partition().position_bytes << ',';
    Result<bool> const row = stream->Next();
    ASSERT_TRUE(row.ok() && *row);
    text << stream->current().liveness.timestamp;
    ASSERT_EQ(text.str(), line);
    ++count;
  }
  EXPECT_EQ(count, 10000U);
  Result<bool> const more = stream->NextPartition();
  ASSERT_TRUE(more.ok());
  EXPECT_FALSE(*more);
}

TEST(GoldenTest, AMissingCompressionInfoIsNamed) {
  SKIP_WITHOUT_SHARED_DATA();
  Result<std::unique_ptr<SstableReader>> const reader =
      OpenOnly(testing::SharedSstables() + "/cassandra-analytics/na-1_missing_CompressionInfo");
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.status().code(), StatusCode::kCorruption);
  EXPECT_THAT(reader.status().message(), ::testing::HasSubstr("CompressionInfo.db"));
}

TEST(GoldenTest, PrereleaseFilesAreRefused) {
  SKIP_WITHOUT_SHARED_DATA();
  Result<std::unique_ptr<SstableReader>> const reader =
      OpenOnly(testing::SharedSstables() + "/apache-cassandra/prerelease/oa_simple_5.0-alpha");
  Status status;
  if (!reader.ok()) {
    status = reader.status();
  } else {
    std::unique_ptr<UnfilteredStream> const stream = (*reader)->Scan();
    status = testing::ExpectedJson(*stream).status();
  }
  EXPECT_EQ(status.code(), StatusCode::kCorruption) << status.ToString();
}

}  // namespace
}  // namespace orochi::sstable
