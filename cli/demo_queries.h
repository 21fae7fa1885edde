#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/status.h"
#include "cli/connection.h"
#include "cli/terminal.h"

namespace orochi::cli {

/// A question of the demo. Where the SQL says TABLE, the name of the table is put.
struct DemoQuery {
  std::string title;
  std::string sql;
};

/// The two tables with the same rows that the demo compares.
struct DemoTables {
  std::string heap;
  std::string columnar;
};

/// Five typical questions about the metrics of demo_data.h, the last day of which is `last_day`
/// ("2024-01-28").
std::vector<DemoQuery> DemoQueries(const std::string& last_day);

/// Asks each question of both tables in turn, five times after one unmeasured round, and prints the
/// medians side by side. kInternal when the answers differ: no timing is worth that.
Status CompareQueries(const std::vector<DemoQuery>& queries, const DemoTables& tables,
                      Connection& connection, const Terminal& terminal);

/// Runs EXPLAIN ANALYZE of one question on the columnar table and prints its lines about what was
/// left out: chunks that the planner pruned, row groups that the scans skipped.
Status ShowPruning(const DemoQuery& query, const std::string& table, Connection& connection,
                   const Terminal& terminal);

/// What an EXPLAIN ANALYZE in text says about work avoided.
struct PruningFacts {
  int64_t chunks_scanned = 0;
  int64_t row_groups_total = 0;
  int64_t row_groups_skipped = 0;
  std::vector<std::string> lines;  // those that say so, with their indentation
};
PruningFacts FindPruningFacts(const std::vector<std::string>& explain_lines);

}  // namespace orochi::cli
