// Goal: the verifier finds nothing in what Cassandra wrote well, and names what it did not.
// Method: the real tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"
#include "sstable/read/testing/shared_data.h"
#include "sstable/read/verify.h"

namespace orochi::sstable {
namespace {

#define SKIP_WITHOUT_SHARED_DATA()                                                          \
  if (testing::SharedSstables().empty()) {                                                  \
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory"; \
  }

VerifyReport VerifyOnly(const std::string& directory) {
  io::PosixFileSystem files;
  Result<std::vector<Descriptor>> const found = ListSstables(files, directory);
  EXPECT_TRUE(found.ok() && found->size() == 1);
  Result<VerifyReport> report = Verify(files, directory, found->front());
  EXPECT_TRUE(report.ok()) << report.status().ToString();
  return *std::move(report);
}

TEST(VerifyTest, RealTablesAreGood) {
  SKIP_WITHOUT_SHARED_DATA();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(testing::SharedSstables())) {
    std::string const directory = entry.path().parent_path().string();
    if (entry.path().filename() == "expected.json" &&
        directory.find("negative") == std::string::npos) {
      EXPECT_THAT(VerifyOnly(directory).findings, ::testing::IsEmpty()) << directory;
    }
  }
}

TEST(VerifyTest, TimesThatCannotBeAreFound) {
  SKIP_WITHOUT_SHARED_DATA();
  std::string const root = testing::SharedSstables() + "/apache-cassandra/";
  for (const char* const name :
       {"negative-ldts/invalid_tombstones", "negative-ldts/invalid_range_tombstone_compaction",
        "negative-local-expiration/table1", "negative-local-expiration/table3"}) {
    EXPECT_THAT(VerifyOnly(root + name).findings,
                ::testing::Contains(::testing::HasSubstr("nobody can have meant")))
        << name;
  }
}

TEST(VerifyTest, ARowThatIsThereTwiceIsFound) {
  SKIP_WITHOUT_SHARED_DATA();
  EXPECT_THAT(
      VerifyOnly(testing::SharedSstables() + "/apache-cassandra/invalid/cf_with_duplicates_3_0")
          .findings,
      ::testing::Contains(::testing::HasSubstr("is there twice")));
}

}  // namespace
}  // namespace orochi::sstable
