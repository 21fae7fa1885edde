// Goal: partitions print as sstabledump prints them, in both layouts.
// Method: real tables against texts that were compared with the output of Cassandra 5's sstabledump
// (the end-to-end tests compare all types and tombstones with the tool itself).
#include "sstable/dump/json_dump.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"
#include "sstable/read/reader.h"
#include "sstable/read/testing/shared_data.h"

namespace orochi::sstable {
namespace {

std::string Dump(const std::string& directory, const JsonDumpOptions& options) {
  io::PosixFileSystem files;
  Result<std::vector<Descriptor>> const found = ListSstables(files, directory);
  auto const reader = SstableReader::Open(files, directory, found->at(0));
  std::string out;
  JsonDump dump((*reader)->layout(), options, [&](std::string_view text) {
    out += text;
    return Status::Ok();
  });
  EXPECT_TRUE(dump.Begin().ok());
  auto const stream = (*reader)->Scan();
  while (*stream->NextPartition()) {
    EXPECT_TRUE(dump.WritePartition(*stream).ok());
  }
  EXPECT_TRUE(dump.End().ok());
  return out;
}

void ExpectGolden(const std::string& table, const std::string& golden,
                  const JsonDumpOptions& options) {
  std::string const root = testing::SharedSstables();
  if (root.empty()) {
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory";
  }
  std::string const path = StrCat(OROCHI_TESTDATA_DIR, "/", golden);
  std::string const found = Dump(StrCat(root, "/", table), options);
  if (std::getenv("OROCHI_REWRITE") != nullptr) {
    std::ofstream(path) << found;
  }
  std::ifstream file(path);
  EXPECT_EQ(found, std::string(std::istreambuf_iterator<char>(file), {})) << path;
}

TEST(JsonDumpTest, CollectionsDeletionsAndTimesToLive) {
  ExpectGolden("apache-cassandra/negative-local-expiration/table3", "expiring_set.json",
               {.now_s = 1'700'000'000});
}

TEST(JsonDumpTest, LinesAndNumbersForTimes) {
  ExpectGolden("apache-cassandra/negative-local-expiration/table3", "expiring_set.lines",
               {.lines = true, .raw_timestamps = true, .now_s = 1'700'000'000});
}

TEST(JsonDumpTest, CountersAreTheirTotal) {
  ExpectGolden("apache-cassandra/legacy_tables/da/legacy_da_simple_counter", "counters.json", {});
}

TEST(JsonDumpTest, KeysOnly) {
  ExpectGolden("apache-cassandra/legacy_tables/da/legacy_da_clust", "keys.json",
               {.keys_only = true});
}

}  // namespace
}  // namespace orochi::sstable
