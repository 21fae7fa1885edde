// Goal: SELECT gives the rows, columns and errors that Cassandra gives.
// Method: scripts of CREATE, INSERT and SELECT statements over a table in memory that keeps to the
// keys and slices it is asked for; what each SELECT answers is written next to it.
#include "sstable/query/query.h"

#include <gtest/gtest.h>

#include "base/str_cat.h"
#include "base/testing/data_driven.h"
#include "sstable/cql/parser.h"
#include "sstable/query/testing/memory_table.h"
#include "sstable/types/value_text.h"

namespace orochi::sstable {
namespace {

constexpr int64_t kNow = 1'700'000'000;

class Session {
 public:
  std::string Run(const orochi::testing::DataDrivenStep& step) {
    Result<std::string> answer = step.command == "tables"   ? Tables(step)
                                 : step.command == "insert" ? Inserts(step.input)
                                 : step.command == "select" ? Select(step.input)
                                                            : Status::Internal(step.command);
    return answer.ok() ? *answer : StrCat(answer.status().ToString(), "\n");
  }

 private:
  /// tables [PARTITIONER]
  Result<std::string> Tables(const orochi::testing::DataDrivenStep& step) {
    ASSIGN_OR_RETURN(std::vector<TableSchema> tables, TablesFromCql(step.input, "ks"));
    ASSIGN_OR_RETURN(
        Partitioner const partitioner,
        ParsePartitioner(step.arguments.empty() ? "Murmur3Partitioner" : step.arguments[0]));
    schema_ = std::make_unique<TableSchema>(std::move(tables.at(0)));
    table_ = std::make_unique<testing::MemoryTable>(*schema_, partitioner);
    return std::string();
  }

  Result<std::string> Inserts(const std::string& script) {
    ASSIGN_OR_RETURN(std::vector<cql::Statement> const statements, cql::ParseScript(script));
    for (const cql::Statement& statement : statements) {
      RETURN_IF_ERROR(table_->Insert(std::get<cql::Insert>(statement), kNow));
    }
    return std::string();
  }

  Result<std::string> Select(const std::string& text) {
    ASSIGN_OR_RETURN(cql::Statement const statement, cql::ParseStatement(text));
    const auto& select = std::get<cql::Select>(statement);
    ASSIGN_OR_RETURN(auto const query, Query::Plan(select, *schema_, *table_, {.now_s = kNow}));
    std::string out;
    for (const ResultColumn& column : query->columns()) {
      out += StrCat(out.empty() ? "" : " | ", column.name);
    }
    out += '\n';
    std::vector<Value> row;
    while (true) {
      ASSIGN_OR_RETURN(bool const found, query->Next(row));
      if (!found) {
        break;
      }
      for (size_t index = 0; index < row.size(); ++index) {
        out += index == 0 ? "" : " | ";
        if (!row[index].has_value()) {
          out += "null";
          continue;
        }
        RETURN_IF_ERROR(AppendCqlshText(*query->columns()[index].type, AsBytes(*row[index]), out));
      }
      out += '\n';
    }
    return select.explain ? query->Explain() : out;
  }

  std::unique_ptr<TableSchema> schema_;
  std::unique_ptr<testing::MemoryTable> table_;
};

void RunScript(const std::string& name) {
  Session session;
  std::string const differences = orochi::testing::RunDataDriven(
      StrCat(OROCHI_TESTDATA_DIR, "/", name),
      [&](const orochi::testing::DataDrivenStep& step) { return session.Run(step); });
  EXPECT_EQ(differences, "");
}

TEST(QueryTest, Rows) {
  RunScript("rows.txt");
}

TEST(QueryTest, Selectors) {
  RunScript("selectors.txt");
}

TEST(QueryTest, Operators) {
  RunScript("operators.txt");
}

TEST(QueryTest, Tokens) {
  RunScript("tokens.txt");
}

TEST(QueryTest, Errors) {
  RunScript("errors.txt");
}

}  // namespace
}  // namespace orochi::sstable
