#include "cli/demo_queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/text_table.h"

namespace orochi::cli {

namespace {

constexpr int kRounds = 5;

std::string OnTable(const DemoQuery& query, const std::string& table) {
  std::string sql = query.sql;
  constexpr std::string_view kPlaceholder = "TABLE";
  for (size_t at = sql.find(kPlaceholder); at != std::string::npos;
       at = sql.find(kPlaceholder, at)) {
    sql.replace(at, kPlaceholder.size(), table);
    at += table.size();
  }
  return sql;
}

std::string AllText(const QueryResult& result) {
  std::string text;
  for (int row = 0; row < result.row_count(); ++row) {
    for (int column = 0; column < result.column_count(); ++column) {
      text += StrCat(result.IsNull(row, column) ? "NULL" : result.Text(row, column), "|");
    }
    text += "\n";
  }
  return text;
}

struct TimedAnswer {
  std::string text;
  double seconds = 0;
};

Result<TimedAnswer> Ask(const DemoQuery& query, const std::string& table, Connection& connection) {
  auto const started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(QueryResult const result, connection.Query(OnTable(query, table)));
  std::chrono::duration<double> const elapsed = std::chrono::steady_clock::now() - started;
  return TimedAnswer{.text = AllText(result), .seconds = elapsed.count()};
}

double Median(std::array<double, kRounds> values) {
  std::sort(values.begin(), values.end());
  return values[kRounds / 2];
}

/// The number after `name` ("Row Groups Skipped: 12"), or 0.
int64_t NumberAfter(std::string_view line, std::string_view name) {
  size_t const at = line.find(name);
  int64_t value = 0;
  if (at != std::string_view::npos) {
    std::string_view const rest = line.substr(at + name.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), value);
  }
  return value;
}

bool Has(std::string_view line, std::string_view text) {
  return line.find(text) != std::string_view::npos;
}

}  // namespace

std::vector<DemoQuery> DemoQueries(const std::string& last_day) {
  std::string const last = StrCat("'", last_day, "'::timestamptz");
  return {
      {"one host, six hours, by 10 minutes",
       StrCat("SELECT orochi.time_bucket('10 minutes', time) AS bucket, round(avg(cpu)::numeric, 6)"
              " FROM TABLE WHERE host = 'host_07' AND time >= ",
              last,
              " - interval '6 hours'"
              " AND time < ",
              last, " GROUP BY 1 ORDER BY 1")},
      {"all hosts, one day, by hour",
       StrCat("SELECT orochi.time_bucket('1 hour', time) AS bucket, round(avg(cpu)::numeric, 6),"
              " max(memory_gb) FROM TABLE WHERE time >= ",
              last, " - interval '1 day' AND time < ", last, " GROUP BY 1 ORDER BY 1")},
      {"whole history, totals",
       "SELECT count(*), sum(requests), max(cpu), round(avg(memory_gb)::numeric, 6) FROM TABLE"},
      {"whole history, five busiest hosts",
       "SELECT host, sum(requests), max(cpu) FROM TABLE GROUP BY host ORDER BY 2 DESC, 1 LIMIT 5"},
      {"rare events: more than 95 errors a minute",
       "SELECT host, count(*), min(time), max(time) FROM TABLE WHERE errors > 95 GROUP BY host"},
  };
}

Status CompareQueries(const std::vector<DemoQuery>& queries, const DemoTables& tables,
                      Connection& connection, const Terminal& terminal) {
  TextTable text({{"question"},
                  {"heap", TextTable::Align::kRight},
                  {"columnar", TextTable::Align::kRight},
                  {"heap / columnar", TextTable::Align::kRight}});
  for (const DemoQuery& query : queries) {
    std::array<double, kRounds> heap_seconds = {};
    std::array<double, kRounds> columnar_seconds = {};
    for (size_t round = 0; round <= kRounds; ++round) {
      ASSIGN_OR_RETURN(TimedAnswer const heap, Ask(query, tables.heap, connection));
      ASSIGN_OR_RETURN(TimedAnswer const columnar, Ask(query, tables.columnar, connection));
      if (heap.text != columnar.text) {
        return Status::Internal(
                   StrCat("heap and columnar answer \"", query.title, "\" differently"))
            .WithDetail(StrCat("heap:\n", heap.text, "columnar:\n", columnar.text))
            .WithHint("please report this with the output of `orochi version`");
      }
      if (round > 0) {
        heap_seconds[round - 1] = heap.seconds;
        columnar_seconds[round - 1] = columnar.seconds;
      }
    }
    double const heap = Median(heap_seconds);
    double const columnar = Median(columnar_seconds);
    text.AddRow({query.title, FormatDuration(heap), FormatDuration(columnar),
                 fmt::format("{:.1f}x", heap / columnar)});
  }
  text.Print(terminal);
  return Status::Ok();
}

PruningFacts FindPruningFacts(const std::vector<std::string>& explain_lines) {
  PruningFacts facts;
  for (const std::string& line : explain_lines) {
    bool const is_scan = Has(line, " on ") && Has(line, "Scan") && Has(line, "(actual");
    bool const is_aside =
        Has(line, "Subplans Removed") || Has(line, "Skip Filter:") || Has(line, "Row Groups");
    facts.chunks_scanned += is_scan && !Has(line, "(never executed)") ? 1 : 0;
    facts.row_groups_total += NumberAfter(line, "Row Groups Total: ");
    facts.row_groups_skipped += NumberAfter(line, "Row Groups Skipped: ");
    if (is_scan || is_aside) {
      facts.lines.push_back(line);
    }
  }
  return facts;
}

Status ShowPruning(const DemoQuery& query, const std::string& table, Connection& connection,
                   const Terminal& terminal) {
  ASSIGN_OR_RETURN(QueryResult const plan,
                   connection.Query(StrCat("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ",
                                           OnTable(query, table))));
  ASSIGN_OR_RETURN(
      QueryResult const chunks,
      connection.Query("SELECT count(*) FROM orochi.show_chunks($1::regclass)", {table}));
  std::vector<std::string> lines;
  for (int row = 0; row < plan.row_count(); ++row) {
    lines.emplace_back(plan.Text(row, 0));
  }
  constexpr size_t kLinesShownMax = 12;
  PruningFacts const facts = FindPruningFacts(lines);
  size_t indent = std::string::npos;
  for (const std::string& line : facts.lines) {
    indent = std::min(indent, line.find_first_not_of(' '));
  }
  for (size_t index = 0; index < std::min(facts.lines.size(), kLinesShownMax); ++index) {
    std::string line = facts.lines[index].substr(indent);
    line.erase(std::min(line.size(), line.find(" (actual ")));  // the counters below say more
    terminal.Line(terminal.Paint(Ink::kDim, Shorten(line, terminal.width(), terminal.unicode())));
  }
  if (facts.lines.size() > kLinesShownMax) {
    auto const hidden = static_cast<int64_t>(facts.lines.size() - kLinesShownMax);
    terminal.Line(terminal.Paint(Ink::kDim, fmt::format("{} {}", terminal.Choose("\u2026", "..."),
                                                        FormatQuantity(hidden, "more line"))));
  }
  terminal.Line(fmt::format("{} of {} read; {} of their {} skipped", facts.chunks_scanned,
                            FormatQuantity(chunks.Int(0, 0), "chunk"), facts.row_groups_skipped,
                            FormatQuantity(facts.row_groups_total, "row group")));
  return Status::Ok();
}

}  // namespace orochi::cli
