// Any text as a SELECT over a table in memory of all kinds of columns: refused, or run to its end
// with values of the types that its columns say. Reading less, by LIMIT, gives no other rows.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "sstable/cql/parser.h"
#include "sstable/query/query.h"
#include "sstable/query/testing/memory_table.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

namespace {

using namespace orochi;
using namespace orochi::sstable;

constexpr int64_t kNow_s = 1'700'000'000;
constexpr std::string_view kTables =
    "CREATE TYPE ks.u (x int, y text);"
    "CREATE TABLE ks.t (k int, k2 text, c int, d timestamp, s text static, a int, b text, "
    "e double, f decimal, g varint, h date, i uuid, l list<int>, m map<text, int>, n set<text>, "
    "o frozen<u>, p u, q tuple<int, text>, r vector<float, 2>, v boolean, w blob, x inet, "
    "y duration, z time, PRIMARY KEY ((k, k2), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC);";
constexpr std::string_view kRows =
    "INSERT INTO t (k, k2, c, d, s, a, b, e, f, g, h, i, l, m, n, o, p, q, r, v, w, x, y, z) "
    "VALUES (1, 'a', 1, 0, 'st', 5, 'text', 1.5, 2.25, 77, '2024-02-29', "
    "123e4567-e89b-12d3-a456-426614174000, [1, 2], {'x': 1, 'y': 2}, {'p', 'q'}, {x: 1, y: 'z'}, "
    "{x: 2}, (1, 'one'), [0.5, 1], true, 0xcafe, '10.0.0.1', 1mo2d3h, '01:02:03');"
    "INSERT INTO t (k, k2, c, d, a) VALUES (1, 'a', 2, 1, -1) USING TTL 60;"
    "INSERT INTO t (k, k2, c, d, b) VALUES (1, 'b', 2, 2, '');"
    "INSERT INTO t (k, k2, c, d, a, e) VALUES (2, 'a', 3, 3, 2147483647, NaN);"
    "INSERT INTO t (k, k2, s) VALUES (3, 'c', 'alone');";

struct Fixture {
  TableSchema schema;
  std::unique_ptr<sstable::testing::MemoryTable> table;

  Fixture() {
    auto tables = TablesFromCql(kTables, "ks");
    ASSERT(tables.ok());
    schema = tables->front();
    table = std::make_unique<sstable::testing::MemoryTable>(schema, Partitioner::kMurmur3);
    auto const rows = cql::ParseScript(kRows);
    ASSERT(rows.ok());
    for (const cql::Statement& row : *rows) {
      ASSERT(table->Insert(std::get<cql::Insert>(row), kNow_s).ok());
    }
  }
};

void Run(Fixture& fixture, const cql::Select& select) {
  auto const query =
      Query::Plan(select, fixture.schema, *fixture.table, {.now_s = kNow_s, .sorted_rows_max = 3});
  if (!query.ok()) {
    StatusCode const code = query.status().code();
    ASSERT(code == StatusCode::kInvalidArgument || code == StatusCode::kUnsupported ||
           code == StatusCode::kOutOfRange);
    return;
  }
  std::vector<Value> row;
  std::string text;
  for (int rows = 0; rows < 100; ++rows) {
    Result<bool> const found = (*query)->Next(row);
    if (!found.ok()) {
      ASSERT(found.status().code() != StatusCode::kInternal);
      return;
    }
    if (!*found) {
      break;
    }
    ASSERT(row.size() == (*query)->columns().size());
    for (size_t index = 0; index < row.size(); ++index) {
      const Type& type = *(*query)->columns()[index].type;
      if (row[index].has_value()) {
        ASSERT(ValidateValue(type, AsBytes(*row[index])).ok());
        ASSERT(AppendCqlshText(type, AsBytes(*row[index]), text).ok());
      }
    }
  }
  ASSERT(!(*query)->Explain().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  static Fixture fixture;
  auto const statement =
      cql::ParseStatement(std::string_view(reinterpret_cast<const char*>(data), size_bytes));
  if (!statement.ok()) {
    return 0;
  }
  if (const auto* const select = std::get_if<cql::Select>(&*statement)) {
    Run(fixture, *select);
  }
  return 0;
}
