// Goal: CQL changes become the rows that Cassandra would make of them; changes in any order, in
// memory or sorted through files, give the same SSTable.
// Method: statements written to an SSTable and shown line by line; the same changes with a memory
// bound that spills after every few; statements that cannot be written are refused with their
// reason. What Cassandra itself makes of the same statements is compared in e2e/cassandra.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "io/testing/memory_file_system.h"
#include "sstable/change/cql_changes.h"
#include "sstable/change/table_loader.h"
#include "sstable/cql/parser.h"
#include "sstable/read/reader.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNow_us = 1'800'000'000'000'000;

TableSchema SchemaOf(std::string_view ddl) {
  Result<std::vector<TableSchema>> tables = TablesFromCql(ddl, "ks");
  EXPECT_TRUE(tables.ok()) << tables.status().ToString();
  return tables->front();
}

Status AddScript(CqlChanges& changes, TableLoader& loader, std::string_view script) {
  ASSIGN_OR_RETURN(std::vector<cql::Statement> const statements, cql::ParseScript(script));
  for (const cql::Statement& statement : statements) {
    ASSIGN_OR_RETURN(std::vector<RowChange> bound, changes.Bind(statement));
    for (RowChange& change : bound) {
      RETURN_IF_ERROR(loader.Add(std::move(change)));
    }
  }
  return Status::Ok();
}

Result<std::string> Load(std::string_view ddl, std::string_view script,
                         uint64_t memory_bytes_max = 1 << 20) {
  TableSchema const schema = SchemaOf(ddl);
  io::testing::MemoryFileSystem files;
  RETURN_IF_ERROR(files.CreateDirectories("scratch"));
  LoadOptions options;
  options.memory_bytes_max = memory_bytes_max;
  options.scratch_directory = "scratch";
  TableLoader loader(files, "dir", LayoutOf(schema, Partitioner::kMurmur3), options);
  CqlChanges changes(schema, kNow_us);
  RETURN_IF_ERROR(AddScript(changes, loader, script));
  ASSIGN_OR_RETURN(std::vector<WrittenSstable> const written, loader.Finish());
  std::string text;
  for (const WrittenSstable& sstable : written) {
    ASSIGN_OR_RETURN(auto const reader, SstableReader::Open(files, "dir", sstable.descriptor));
    ASSIGN_OR_RETURN(std::string const part, testing::Transcript(*reader->Scan()));
    text += part;
  }
  ASSIGN_OR_RETURN(std::vector<std::string> const left, files.List("scratch"));
  EXPECT_THAT(left, ::testing::IsEmpty());
  return text;
}

constexpr std::string_view kTable =
    "CREATE TYPE ks.pair (x text, y text);"
    "CREATE TABLE ks.t (k text, c text, d text, v text, l list<text>, m map<text, text>, "
    "s set<text>, u pair, st text STATIC, PRIMARY KEY (k, c, d)) "
    "WITH CLUSTERING ORDER BY (c DESC, d ASC);";

struct LoadCase {
  const char* name;
  const char* script;
  const char* expected;
};

class CqlLoad : public ::testing::TestWithParam<LoadCase> {};

TEST_P(CqlLoad, MakesTheRowsOfCassandra) {
  Result<std::string> const text = Load(kTable, GetParam().script);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_THAT(*text, HasSubstr(GetParam().expected));
}

// Columns in their order: 0 v; complex 1 l, 2 m, 3 s, 4 u.
INSTANTIATE_TEST_SUITE_P(
    Cases, CqlLoad,
    ::testing::Values(
        LoadCase{"insert",
                 "INSERT INTO ks.t (k, c, d, v) VALUES ('a', 'b', 'c', 'x') USING TIMESTAMP 5",
                 "row 4 [b] [c] live 5 0 4294967295 deleted -\n"
                 "  cell 0 5 0 4294967295 [] = x\n"},
        LoadCase{"insert_null",
                 "INSERT INTO ks.t (k, c, d, v) VALUES ('a', 'b', 'c', null) USING TIMESTAMP 5",
                 "  cell 0 5 0 1800000000 [] = \n"},
        LoadCase{
            "insert_ttl",
            "INSERT INTO t (k, c, d, v) VALUES ('a', 'b', 'c', 'x') USING TIMESTAMP 5 AND TTL 9",
            "live 5 9 1800000009 deleted -\n  cell 0 5 9 1800000009 [] = x\n"},
        LoadCase{"json",
                 R"(INSERT INTO t JSON '{"K": "a", "c": "b", "d": "c", "v": "it''s", "s": ["p"]}' )"
                 "DEFAULT UNSET USING TIMESTAMP 5 AND TTL 9",
                 "row 4 [b] [c] live 5 9 1800000009 deleted -\n"
                 "  cell 0 5 9 1800000009 [] = it's\n"
                 "  cell 3 5 9 1800000009 [p] = \n  complex 3 1-2 deleted 4@1800000000\n"},
        LoadCase{"json_default_null",
                 R"(INSERT INTO t JSON '{"k": "a", "c": "b", "d": "c"}' USING TIMESTAMP 5)",
                 "  cell 0 5 0 1800000000 [] = \n"},
        LoadCase{"no_timestamp", "UPDATE t SET v = 'x' WHERE k = 'a' AND c = 'b' AND d = 'c'",
                 "  cell 0 1800000000000000 0 4294967295 [] = x\n"},
        LoadCase{"only_static", "INSERT INTO t (k, st) VALUES ('a', 's') USING TIMESTAMP 5",
                 "partition [a] deleted -\n"
                 "row 3 live -9223372036854775808 0 4294967295 deleted -\n"
                 "  cell 0 5 0 4294967295 [] = s\n"},
        LoadCase{"map_overwritten",
                 "INSERT INTO t (k, c, d, m) VALUES ('a', 'b', 'c', {'z': '1', 'y': '2'}) "
                 "USING TIMESTAMP 5",
                 "  cell 2 5 0 4294967295 [y] = 2\n  cell 2 5 0 4294967295 [z] = 1\n"
                 "  complex 2 0-2 deleted 4@1800000000\n"},
        LoadCase{"set_added_and_taken",
                 "UPDATE t USING TIMESTAMP 5 SET s = s + {'p', 'a'}, s = s - {'b'} "
                 "WHERE k = 'a' AND c = 'b' AND d = 'c'",
                 "  cell 3 5 0 4294967295 [a] = \n  cell 3 5 0 1800000000 [b] = \n"
                 "  cell 3 5 0 4294967295 [p] = \n  complex 3 0-3 deleted -\n"},
        LoadCase{
            "map_element",
            "UPDATE t USING TIMESTAMP 5 SET m['q'] = 'x' WHERE k = 'a' AND c = 'b' AND d = 'c'",
            "  cell 2 5 0 4294967295 [q] = x\n  complex 2 0-1 deleted -\n"},
        LoadCase{"field",
                 "UPDATE t USING TIMESTAMP 5 SET u.y = 'x' WHERE k = 'a' AND c = 'b' AND d = 'c'",
                 "  complex 4 0-1 deleted -\n"},
        LoadCase{"delete_partition", "DELETE FROM t USING TIMESTAMP 5 WHERE k = 'a'",
                 "partition [a] deleted 5@1800000000\n"},
        LoadCase{"delete_row",
                 "DELETE FROM t USING TIMESTAMP 5 WHERE k = 'a' AND c = 'b' AND d = 'c'",
                 "row 4 [b] [c] live -9223372036854775808 0 4294967295 deleted 5@1800000000\n"},
        LoadCase{"delete_cells",
                 "DELETE v, m, s['x'] FROM t USING TIMESTAMP 5 "
                 "WHERE k = 'a' AND c = 'b' AND d = 'c'",
                 "  cell 0 5 0 1800000000 [] = \n  cell 3 5 0 1800000000 [x] = \n"
                 "  complex 2 1-1 deleted 5@1800000000\n  complex 3 1-2 deleted -\n"},
        LoadCase{"delete_prefix", "DELETE FROM t USING TIMESTAMP 5 WHERE k = 'a' AND c = 'b'",
                 "marker 1 [b] close - open 5@1800000000\n"
                 "marker 6 [b] close 5@1800000000 open -\n"},
        LoadCase{"descending_range",
                 "DELETE FROM t USING TIMESTAMP 5 WHERE k = 'a' AND c > 'b' AND c <= 'f'",
                 "marker 1 [f] close - open 5@1800000000\n"
                 "marker 0 [b] close 5@1800000000 open -\n"},
        LoadCase{"ascending_range",
                 "DELETE FROM t USING TIMESTAMP 5 WHERE k = 'a' AND c = 'b' AND d > 'x'",
                 "marker 7 [b] [x] close - open 5@1800000000\n"
                 "marker 6 [b] close 5@1800000000 open -\n"},
        LoadCase{"ranges_that_touch",
                 "DELETE FROM t USING TIMESTAMP 5 WHERE k = 'a' AND c = 'b' AND d <= 'x';"
                 "DELETE FROM t USING TIMESTAMP 6 WHERE k = 'a' AND c = 'b' AND d > 'x'",
                 "marker 5 [b] [x] close 5@1800000000 open 6@1800000000\n"},
        LoadCase{"in",
                 "UPDATE t USING TIMESTAMP 5 SET v = 'x' WHERE k IN ('a', 'b') AND c = 'c' AND "
                 "d IN ('1', '2')",
                 "row 4 [c] [2] live -9223372036854775808 0 4294967295 deleted -\n"
                 "  cell 0 5 0 4294967295 [] = x\n"},
        LoadCase{"batch",
                 "BEGIN BATCH USING TIMESTAMP 7 "
                 "INSERT INTO t (k, c, d, v) VALUES ('a', 'b', 'c', 'x'); "
                 "DELETE v FROM t WHERE k = 'a' AND c = 'b' AND d = 'c'; APPLY BATCH",
                 "live 7 0 4294967295 deleted -\n  cell 0 7 0 1800000000 [] = \n"}),
    [](auto const& info) { return std::string(info.param.name); });

TEST(CqlLoadTest, ListElementsKeepTheOrderOfTheStatements) {
  Result<std::string> const text = Load(
      kTable,
      "UPDATE t USING TIMESTAMP 5 SET l = ['c', 'd'] WHERE k = 'a' AND c = 'b' AND d = 'c';"
      "UPDATE t USING TIMESTAMP 6 SET l = l + ['e'] WHERE k = 'a' AND c = 'b' AND d = 'c';"
      "UPDATE t USING TIMESTAMP 6 SET l = ['a', 'b'] + l WHERE k = 'a' AND c = 'b' AND d = 'c'");
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  std::string values;
  for (size_t at = text->find("] = "); at != std::string::npos; at = text->find("] = ", at + 1)) {
    values += (*text)[at + 4];
  }
  EXPECT_EQ(values, "abcde");
}

TEST(CqlLoadTest, EmptyNumbersAreWrittenAsBlobs) {
  constexpr std::string_view kNumbers = "CREATE TABLE ks.n (k text PRIMARY KEY, i int, b bigint);";
  Result<std::string> const text =
      Load(kNumbers,
           "INSERT INTO n (k, i, b) VALUES ('a', blob_as_int(0x), blobAsBigint(0x)) "
           "USING TIMESTAMP 5");
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_THAT(*text, HasSubstr("  cell 0 5 0 4294967295 [] = \n  cell 1 5 0 4294967295 [] = \n"));
  Result<std::string> const wrong =
      Load(kNumbers, "INSERT INTO n (k, i) VALUES ('a', blob_as_int(0x00))");
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.status().message(), HasSubstr("are no value of type int"));
}

TEST(CqlLoadTest, ARangeThatIsEmptyDeletesNothing) {
  Result<std::string> const text =
      Load(kTable, "DELETE FROM t WHERE k = 'a' AND c > 'f' AND c < 'b'");
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_EQ(*text, "");
}

TEST(TableLoaderTest, TheMemoryBoundDoesNotChangeWhatIsWritten) {
  SeededRandom random(::orochi::testing::TestSeed(31));
  std::string script;
  for (int index = 0; index < 400; ++index) {
    std::string const key = StrCat("k", random.Below(12));
    std::string const place = StrCat("k = '", key, "' AND c = 'c", random.Below(6), "'");
    std::string const row = StrCat(place, " AND d = 'd", random.Below(4), "'");
    std::string const at = StrCat("USING TIMESTAMP ", random.Below(300));
    switch (random.Below(7)) {
      case 0:
        script += StrCat("DELETE FROM t ", at, " WHERE k = '", key, "';");
        break;
      case 1:
        script += StrCat("DELETE FROM t ", at, " WHERE ", place, ";");
        break;
      case 2:
        script +=
            StrCat("DELETE FROM t ", at, " WHERE ", place, " AND d > 'd", random.Below(4), "';");
        break;
      case 3:
        script += StrCat("UPDATE t ", at, " SET m = m + {'e", random.Below(5), "': '", index,
                         "'}, st = '", index, "' WHERE ", row, ";");
        break;
      default:
        script +=
            StrCat("UPDATE t ", at, " SET v = '", index, "', s = {'", index, "'} WHERE ", row, ";");
    }
  }
  Result<std::string> const at_once = Load(kTable, script);
  ASSERT_TRUE(at_once.ok()) << at_once.status().ToString();
  ASSERT_GT(at_once->size(), 2000u);
  for (uint64_t const memory_bytes_max : {20'000, 4'000}) {
    Result<std::string> const spilled = Load(kTable, script, memory_bytes_max);
    ASSERT_TRUE(spilled.ok()) << spilled.status().ToString();
    EXPECT_EQ(testing::FirstDifference(*spilled, *at_once), "") << memory_bytes_max;
  }
}

struct RefusedCase {
  const char* name;
  const char* script;
  const char* message;
};

class CqlRefused : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(CqlRefused, WithItsReason) {
  Result<std::string> const text = Load(kTable, GetParam().script);
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(text.status().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, CqlRefused,
    ::testing::Values(
        RefusedCase{"other_table", "INSERT INTO other (k) VALUES ('a')", "is for table other"},
        RefusedCase{"unknown_column", "INSERT INTO t (k, nope) VALUES ('a', 'b')",
                    "Undefined column name nope"},
        RefusedCase{"missing_clustering", "INSERT INTO t (k, c, v) VALUES ('a', 'b', 'x')",
                    "Some clustering keys are missing"},
        RefusedCase{"missing_key", "INSERT INTO t (c, d) VALUES ('a', 'b')",
                    "Some partition key parts are missing: k"},
        RefusedCase{"empty_key", "DELETE FROM t WHERE k = ''", "Key may not be empty"},
        RefusedCase{"null_key", "INSERT INTO t (k, c, d) VALUES (null, 'b', 'c')",
                    "Invalid null value for column k"},
        RefusedCase{"condition",
                    "UPDATE t SET v = 'x' WHERE k = 'a' AND c = 'b' AND d = 'c' IF EXISTS",
                    "IF needs what is in the table"},
        RefusedCase{"if_not_exists", "INSERT INTO t (k, c, d) VALUES ('a', 'b', 'c') IF NOT EXISTS",
                    "cannot be written to files"},
        RefusedCase{"list_index", "UPDATE t SET l[0] = 'x' WHERE k = 'a' AND c = 'b' AND d = 'c'",
                    "by index needs what is in it"},
        RefusedCase{"list_values",
                    "UPDATE t SET l = l - ['x'] WHERE k = 'a' AND c = 'b' AND d = 'c'",
                    "needs what is in it"},
        RefusedCase{"regular_without_row", "UPDATE t SET v = 'x' WHERE k = 'a'",
                    "Some clustering keys are missing"},
        RefusedCase{"where_regular", "DELETE FROM t WHERE k = 'a' AND v = 'x'",
                    "Non PRIMARY KEY columns found in where clause: v"},
        RefusedCase{"skipped_clustering", "DELETE FROM t WHERE k = 'a' AND d = 'x'",
                    "preceding column \"c\" is not restricted"},
        RefusedCase{"mixed_order", "DELETE FROM t WHERE k = 'a' AND (c, d) > ('x', 'y')",
                    "different clustering orders"},
        RefusedCase{"cells_of_a_range", "DELETE v FROM t WHERE k = 'a' AND c = 'b'",
                    "Range deletions are not supported for specific columns"},
        RefusedCase{"long_ttl",
                    "INSERT INTO t (k, c, d) VALUES ('a', 'b', 'c') USING TTL 999999999",
                    "it must be 0 to 630720000 seconds"},
        RefusedCase{"add_to_text", "UPDATE t SET v = v + 'x' WHERE k = 'a' AND c = 'b' AND d = 'c'",
                    "only collections that are not frozen"},
        RefusedCase{"assigned_key", "UPDATE t SET c = 'x' WHERE k = 'a' AND c = 'b' AND d = 'c'",
                    "PRIMARY KEY part c found in SET part"}),
    [](auto const& info) { return std::string(info.param.name); });

TEST(CqlRefusedTest, Counters) {
  Result<std::string> const text = Load("CREATE TABLE ks.c (k int PRIMARY KEY, n counter);",
                                        "UPDATE c SET n = n + 1 WHERE k = 1");
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(text.status().message(), HasSubstr("counters cannot be written"));
}

}  // namespace
}  // namespace orochi::sstable
