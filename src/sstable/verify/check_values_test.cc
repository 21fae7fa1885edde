// Goal: values that are not of their types are named, and real ones are all of theirs.
// Method: real tables as they are; and read with a header that says another type for a column.
#include "sstable/verify/check_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"
#include "io/testing/memory_file_system.h"
#include "sstable/read/testing/shared_data.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<ValueReport> CheckOnly(io::FileSystem& files, const std::string& directory) {
  ASSIGN_OR_RETURN(std::vector<Descriptor> const found, ListSstables(files, directory));
  ASSIGN_OR_RETURN(auto const reader, SstableReader::Open(files, directory, found.at(0)));
  return CheckValues(*reader);
}

TEST(CheckValuesTest, RealTablesHoldValuesOfTheirTypes) {
  std::string const root = testing::SharedSstables();
  if (root.empty()) {
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory";
  }
  io::PosixFileSystem files;
  for (const char* const directory : {"apache-cassandra/legacy_tables/nb/legacy_nb_clust",
                                      "apache-cassandra/legacy_tables/da/legacy_da_simple_counter",
                                      "apache-cassandra/negative-local-expiration/table3",
                                      "sstable-transformer/oa-13_int_pk_only_10000"}) {
    Result<ValueReport> const report = CheckOnly(files, StrCat(root, "/", directory));
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_THAT(report->findings, IsEmpty()) << directory;
  }
}

TEST(CheckValuesTest, AValueOfAnotherTypeIsNamed) {
  std::string const root = testing::SharedSstables();
  if (root.empty()) {
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory";
  }
  // The text column "foo bar baz" is declared a smallint, which has a length before it, too.
  io::PosixFileSystem disk;
  std::string const directory = StrCat(root, "/apache-cassandra/legacy_tables/nb/legacy_nb_simple");
  Result<std::vector<std::string>> const names = disk.List(directory);
  ASSERT_TRUE(names.ok());
  io::testing::MemoryFileSystem files;
  ASSERT_TRUE(files.CreateDirectories("t").ok());
  for (const std::string& name : *names) {
    Result<std::vector<std::byte>> bytes =
        ReadWholeFile(disk, StrCat(directory, "/", name), 1 << 20);
    ASSERT_TRUE(bytes.ok());
    if (name.ends_with("-Statistics.db")) {
      Version const version = Version::Nb();
      Result<Statistics> statistics = Statistics::Decode(*bytes, version);
      ASSERT_TRUE(statistics.ok());
      statistics->header.regulars.at(0).type = "org.apache.cassandra.db.marshal.ShortType";
      *bytes = statistics->Encode(version);
    }
    auto file = files.Create(StrCat("t/", name));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(*bytes).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  Result<ValueReport> const report = CheckOnly(files, "t");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  ASSERT_EQ(report->findings.size(), 5u);
  EXPECT_THAT(report->findings[0],
              HasSubstr("the partition 0x30 at 0, val: a value of type smallint has 11 bytes, "
                        "expected 2"));
}

}  // namespace
}  // namespace orochi::sstable
