// Goal: the demo's data is what its documentation says, the same on every run, and its reading of
// EXPLAIN counts right. Method: rows at chosen places against literals; a plan with known numbers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/str_cat.h"
#include "cli/demo_data.h"
#include "cli/demo_queries.h"

namespace orochi::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Row(int64_t index) {
  CopyTextWriter writer;
  AddDemoRow(index, writer);
  return std::string(writer.text());
}

constexpr int64_t kRowsPerDay = kDemoHostCount * 1440;

TEST(DemoData, HostsTakeTurnsMinuteByMinute) {
  EXPECT_THAT(Row(0), StartsWith("2024-01-01 00:00:00+00\thost_00\teu-west\t"));
  EXPECT_THAT(Row(49), StartsWith("2024-01-01 00:00:00+00\thost_49\teu-north\t"));
  EXPECT_THAT(Row(50), StartsWith("2024-01-01 00:01:00+00\thost_00\t"));
  EXPECT_THAT(Row(59 * kRowsPerDay), StartsWith("2024-02-29 00:00:00+00\thost_00\t"));
  EXPECT_THAT(Row(366 * kRowsPerDay), StartsWith("2025-01-01 00:00:00+00\thost_00\t"));
}

TEST(DemoData, EveryRunMakesTheSameRows) {
  EXPECT_EQ(Row(1234567), Row(1234567));
  EXPECT_NE(Row(1234567), Row(1234617));
}

TEST(DemoData, ErrorsAreRareAndOfOneHost) {
  int64_t const second_day_14h = kRowsPerDay + 14 * 60 * kDemoHostCount;
  EXPECT_THAT(Row(second_day_14h + 7), testing::ContainsRegex("\t0\t[6-9][0-9]\n$"));
  EXPECT_THAT(Row(second_day_14h + 8), testing::EndsWith("\t0\n"));
  EXPECT_THAT(Row(14 * 60 * kDemoHostCount + 7), testing::EndsWith("\t0\n"));
}

TEST(DemoQueries, AskTheTableTheyAreGiven) {
  std::vector<DemoQuery> const queries = DemoQueries("2024-01-28");
  EXPECT_EQ(queries.size(), 5u);
  for (const DemoQuery& query : queries) {
    EXPECT_THAT(query.sql, HasSubstr(" FROM TABLE"));
    EXPECT_THAT(query.sql, Not(HasSubstr("TABLESPACE")));
  }
}

TEST(FindPruningFacts, CountsScansAndRowGroups) {
  PruningFacts const facts = FindPruningFacts(
      {"Append (actual rows=3 loops=1)", "  Subplans Removed: 2",
       "  ->  Custom Scan (ColumnarScan) on metrics_1 (actual rows=3 loops=1)",
       "        Skip Filter: (errors > 95)", "        Row Groups Total: 9",
       "        Row Groups Read: 2", "        Row Groups Skipped: 7",
       "  ->  Seq Scan on metrics_2 (actual rows=0 loops=1)", "        Filter: (errors > 95)",
       "  ->  Seq Scan on metrics_3 (never executed)",
       "  ->  Custom Scan (ColumnarScan) on metrics_4 (actual rows=0 loops=1)",
       "        Row Groups Total: 10", "        Row Groups Skipped: 10", "Planning Time: 1 ms"});
  EXPECT_EQ(facts.chunks_scanned, 3);
  EXPECT_EQ(facts.row_groups_total, 19);
  EXPECT_EQ(facts.row_groups_skipped, 17);
  EXPECT_THAT(facts.lines,
              ElementsAre("  Subplans Removed: 2",
                          "  ->  Custom Scan (ColumnarScan) on metrics_1 (actual rows=3 loops=1)",
                          "        Skip Filter: (errors > 95)", "        Row Groups Total: 9",
                          "        Row Groups Read: 2", "        Row Groups Skipped: 7",
                          "  ->  Seq Scan on metrics_2 (actual rows=0 loops=1)",
                          "  ->  Custom Scan (ColumnarScan) on metrics_4 (actual rows=0 loops=1)",
                          "        Row Groups Total: 10", "        Row Groups Skipped: 10"));
}

}  // namespace
}  // namespace orochi::cli
