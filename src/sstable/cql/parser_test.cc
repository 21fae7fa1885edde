// Goal: CQL text is read as Cassandra reads it, and what does not fit is named with its position.
// Method: statements as people write them, with the parts that were read; and broken ones.
#include "sstable/cql/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/str_cat.h"

namespace orochi::sstable::cql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class T>
T Parse(std::string_view text) {
  Result<Statement> statement = ParseStatement(text);
  EXPECT_TRUE(statement.ok()) << text << "\n" << statement.status().ToString();
  if (!statement.ok() || !std::holds_alternative<T>(*statement)) {
    ADD_FAILURE() << "not the kind of statement expected: " << text;
    return T{};
  }
  return std::get<T>(*std::move(statement));
}

TEST(ParserTest, CreateTableWithEverything) {
  auto const table = Parse<CreateTable>(
      "CREATE TABLE IF NOT EXISTS ks.\"T\" (a int, b text, \"C\" frozen<map<text, list<int>>>, "
      "s ks.addr STATIC, v vector<float, 3>, PRIMARY KEY ((a, b), \"C\")) "
      "WITH CLUSTERING ORDER BY (\"C\" DESC) AND gc_grace_seconds = 5 "
      "AND compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 16} -- end\n;");
  EXPECT_TRUE(table.if_not_exists);
  EXPECT_EQ(table.name.keyspace, "ks");
  EXPECT_EQ(table.name.table, "T");
  ASSERT_EQ(table.columns.size(), 5u);
  EXPECT_EQ(table.columns[2].name, "C");
  EXPECT_EQ(table.columns[2].type.name, "frozen");
  EXPECT_EQ(table.columns[2].type.parameters[0].parameters[1].name, "list");
  EXPECT_TRUE(table.columns[3].is_static);
  EXPECT_EQ(table.columns[3].type.keyspace, "ks");
  EXPECT_EQ(table.columns[4].type.dimension, 3u);
  EXPECT_THAT(table.partition_key, ElementsAre("a", "b"));
  EXPECT_THAT(table.clustering, ElementsAre("C"));
  ASSERT_EQ(table.clustering_order.size(), 1u);
  EXPECT_TRUE(table.clustering_order[0].descending);
  ASSERT_EQ(table.options.size(), 2u);
  EXPECT_EQ(table.options[1].value.kind, Term::Kind::kMap);
}

TEST(ParserTest, PrimaryKeyOfOneColumn) {
  EXPECT_THAT(Parse<CreateTable>("create table t (k int primary key, v int)").partition_key,
              ElementsAre("k"));
  EXPECT_THAT(Parse<CreateTable>("create table t (k int, v int, primary key (k))").clustering,
              IsEmpty());
}

TEST(ParserTest, AlterTable) {
  auto const drop = Parse<AlterTable>("ALTER TABLE ks.t DROP v USING TIMESTAMP 1700000000000000");
  EXPECT_EQ(drop.action, AlterTable::Action::kDrop);
  EXPECT_THAT(drop.dropped, ElementsAre("v"));
  EXPECT_EQ(drop.dropped_at_micros->text, "1700000000000000");
  auto const add = Parse<AlterTable>("ALTER TABLE t ADD (a int, b text STATIC)");
  ASSERT_EQ(add.columns.size(), 2u);
  EXPECT_TRUE(add.columns[1].is_static);
  EXPECT_THAT(Parse<AlterTable>("ALTER TABLE t RENAME a TO b AND c TO d").renames,
              ElementsAre(std::pair("a", "b"), std::pair("c", "d")));
}

TEST(ParserTest, SelectWithEveryClause) {
  auto const select = Parse<Select>(
      "SELECT a, b AS bee, count(*), writetime(v), CAST(x AS bigint), m['k'], u.street, l[0..2], "
      "token(a) FROM ks.t WHERE a = 1 AND (c, d) >= (1, 'x') AND e IN (1, 2, 3) AND "
      "token(a) > -9223372036854775808 AND l CONTAINS 5 AND m CONTAINS KEY 'k' AND m['z'] = 4 "
      "GROUP BY a, c ORDER BY c DESC, d PER PARTITION LIMIT 2 LIMIT 10 ALLOW FILTERING");
  ASSERT_EQ(select.selectors.size(), 9u);
  EXPECT_EQ(select.selectors[1].alias, "bee");
  EXPECT_EQ(select.selectors[2].name, "countrows");
  EXPECT_EQ(select.selectors[3].name, "writetime");
  EXPECT_EQ(select.selectors[4].kind, Selector::Kind::kCast);
  EXPECT_EQ(select.selectors[5].kind, Selector::Kind::kElement);
  EXPECT_EQ(select.selectors[5].text, "m['k']");
  EXPECT_EQ(select.selectors[6].kind, Selector::Kind::kField);
  EXPECT_EQ(select.selectors[7].kind, Selector::Kind::kSlice);
  EXPECT_EQ(select.selectors[8].name, "token");
  ASSERT_EQ(select.where.size(), 7u);
  EXPECT_TRUE(select.where[1].is_tuple);
  EXPECT_EQ(select.where[2].values.size(), 3u);
  EXPECT_TRUE(select.where[3].is_token);
  EXPECT_EQ(select.where[3].values[0].text, "-9223372036854775808");
  EXPECT_EQ(select.where[4].op, Operator::kContains);
  EXPECT_EQ(select.where[5].op, Operator::kContainsKey);
  EXPECT_TRUE(select.where[6].element.has_value());
  EXPECT_EQ(select.group_by.size(), 2u);
  EXPECT_TRUE(select.order_by[0].descending);
  EXPECT_FALSE(select.order_by[1].descending);
  EXPECT_EQ(select.per_partition_limit->text, "2");
  EXPECT_EQ(select.limit->text, "10");
  EXPECT_TRUE(select.allow_filtering);
}

TEST(ParserTest, WordsThatMayBeNamesOrKeywords) {
  EXPECT_TRUE(Parse<Select>("select json * from t").json);
  auto const names = Parse<Select>("select json, distinct from t");
  EXPECT_FALSE(names.json);
  EXPECT_EQ(names.selectors.size(), 2u);
  EXPECT_TRUE(Parse<Select>("select distinct a from t").distinct);
  EXPECT_EQ(Parse<Select>("select key, type, ttl from t").selectors.size(), 3u);
  EXPECT_TRUE(Parse<Select>("EXPLAIN SELECT * FROM t").explain);
}

TEST(ParserTest, TermsOfAllKinds) {
  auto const kind = [](std::string_view text) {
    Result<Term> const term = ParseTerm(text);
    EXPECT_TRUE(term.ok()) << text << term.status().ToString();
    return term.ok() ? term->kind : Term::Kind::kMarker;
  };
  EXPECT_EQ(kind("null"), Term::Kind::kNull);
  EXPECT_EQ(kind("TRUE"), Term::Kind::kBoolean);
  EXPECT_EQ(kind("-5"), Term::Kind::kInteger);
  EXPECT_EQ(kind("1.5e-3"), Term::Kind::kFloat);
  EXPECT_EQ(kind("1e5"), Term::Kind::kFloat);
  EXPECT_EQ(kind("-Infinity"), Term::Kind::kFloat);
  EXPECT_EQ(kind("'it''s'"), Term::Kind::kString);
  EXPECT_EQ(kind("$$it's$$"), Term::Kind::kString);
  EXPECT_EQ(kind("12345678-90ab-cdef-1234-567890abcdef"), Term::Kind::kUuid);
  EXPECT_EQ(kind("f2345678-90ab-cdef-1234-567890abcdef"), Term::Kind::kUuid);
  EXPECT_EQ(kind("0xCAFE"), Term::Kind::kHex);
  EXPECT_EQ(kind("1y2mo3d"), Term::Kind::kDuration);
  EXPECT_EQ(kind("-12h30m"), Term::Kind::kDuration);
  EXPECT_EQ(kind("P1Y2M"), Term::Kind::kDuration);
  EXPECT_EQ(kind("[1, 2]"), Term::Kind::kList);
  EXPECT_EQ(kind("{}"), Term::Kind::kSet);
  EXPECT_EQ(kind("{1, 2}"), Term::Kind::kSet);
  EXPECT_EQ(kind("{'a': 1, 'b': 2}"), Term::Kind::kMap);
  EXPECT_EQ(kind("{street: 'x', \"Zip\": null}"), Term::Kind::kUserType);
  EXPECT_EQ(kind("{true: 1, false: 2}"), Term::Kind::kMap);
  EXPECT_EQ(kind("{\"true\": 1}"), Term::Kind::kUserType);
  EXPECT_EQ(kind("(1, 'a')"), Term::Kind::kTuple);
  EXPECT_EQ(kind("(int) 5"), Term::Kind::kCast);
  EXPECT_EQ(kind("now()"), Term::Kind::kFunction);
}

TEST(ParserTest, ChangesOfAllKinds) {
  auto const insert = Parse<Insert>(
      "INSERT INTO t (a, b) VALUES (1, {1: 'x'}) IF NOT EXISTS USING TTL 60 AND TIMESTAMP 5");
  EXPECT_EQ(insert.values[1].kind, Term::Kind::kMap);
  EXPECT_EQ(insert.using_clause.ttl->text, "60");
  EXPECT_EQ(insert.using_clause.timestamp->text, "5");
  EXPECT_EQ(Parse<Insert>("INSERT INTO t JSON '{\"a\": 1}' DEFAULT UNSET").json->text,
            "{\"a\": 1}");
  auto const update = Parse<Update>(
      "UPDATE t USING TTL 5 SET a = 1, c = c + 1, d = d -1, l = [1] + l, m['k'] = 2, u.f = 3, "
      "s += {1}, s -= {2} WHERE k = 1 IF EXISTS");
  std::vector<Assignment::Kind> kinds;
  for (const Assignment& assignment : update.assignments) {
    kinds.push_back(assignment.kind);
  }
  using Kind = Assignment::Kind;
  EXPECT_THAT(kinds, ElementsAre(Kind::kSet, Kind::kAdd, Kind::kSubtract, Kind::kPrepend,
                                 Kind::kElement, Kind::kField, Kind::kAdd, Kind::kSubtract));
  EXPECT_TRUE(update.conditional);
  auto const deletion =
      Parse<Delete>("DELETE a, m['x'], u.f FROM t USING TIMESTAMP 9 WHERE k = 1 AND c > 5");
  EXPECT_EQ(deletion.targets.size(), 3u);
  EXPECT_EQ(deletion.where.size(), 2u);
  EXPECT_THAT(Parse<Delete>("DELETE FROM t WHERE k = 1").targets, IsEmpty());
  auto const batch = Parse<Batch>(
      "BEGIN UNLOGGED BATCH USING TIMESTAMP 4 INSERT INTO t (a) VALUES (1); "
      "DELETE FROM t WHERE a = 2 APPLY BATCH");
  EXPECT_EQ(batch.changes.size(), 2u);
}

TEST(ParserTest, ScriptsSkipWhatSaysNothingAboutTables) {
  Result<std::vector<Statement>> const script = ParseScript(
      "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy'};\n"
      "USE ks; /* a comment; with a semicolon */\n"
      "CREATE TYPE addr (street text, zip int);;\n"
      "CREATE TABLE t (k int PRIMARY KEY);\n"
      "CREATE CUSTOM INDEX ON t (k) USING 'x' WITH OPTIONS = {'a': 'b'};\n"
      "CREATE FUNCTION f (a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ return "
      "1; $$;\n");
  ASSERT_TRUE(script.ok()) << script.status().ToString();
  ASSERT_EQ(script->size(), 6u);
  EXPECT_TRUE(std::holds_alternative<Use>((*script)[1]));
  EXPECT_TRUE(std::holds_alternative<CreateType>((*script)[2]));
  EXPECT_TRUE(std::holds_alternative<OtherStatement>((*script)[5]));
}

TEST(ParserTest, FormsThatFewPeopleWrite) {
  EXPECT_THAT(Parse<AlterTable>("ALTER TABLE t DROP (a, b) USING TIMESTAMP 5").dropped,
              ElementsAre("a", "b"));
  EXPECT_EQ(Parse<AlterTable>("ALTER TABLE t RENAME IF EXISTS a TO b AND c TO d").renames.size(),
            2u);
  EXPECT_EQ(Parse<AlterTable>("ALTER TABLE t ALTER a TYPE list<int>").columns[0].type.name, "list");
  EXPECT_EQ(
      Parse<AlterTable>("ALTER TABLE t WITH comment = 'x' AND gc_grace_seconds = 1").options.size(),
      2u);
  Parse<OtherStatement>("ALTER TABLE t DROP COMPACT STORAGE");
  Parse<OtherStatement>("ALTER TABLE t ALTER a DROP MASKED");
  Parse<OtherStatement>("ALTER KEYSPACE ks WITH durable_writes = false");
  Parse<OtherStatement>("GRANT SELECT ON ks.t TO role");
  Parse<OtherStatement>("TRUNCATE t");
  EXPECT_EQ(Parse<CreateTable>("CREATE TABLE t (a int PRIMARY KEY, b text MASKED WITH "
                               "system.mask_inner(1, null), c int MASKED WITH DEFAULT)")
                .columns.size(),
            3u);
  auto const select = Parse<Select>(
      "SELECT system.f(a), count(1), f() FROM t WHERE (a = 1 AND b IS NOT NULL) AND c LIKE 'x%' "
      "AND d CONTAINS KEY 5 AND e = ? AND g = :name AND h != -Infinity AND i > P1Y2MT3H ");
  EXPECT_EQ(select.selectors[0].name, "f");
  ASSERT_EQ(select.where.size(), 8u);
  EXPECT_EQ(select.where[1].op, Operator::kIsNotNull);
  EXPECT_EQ(select.where[2].op, Operator::kLike);
  EXPECT_EQ(select.where[3].op, Operator::kContainsKey);
  EXPECT_EQ(select.where[5].values[0].text, "name");
  EXPECT_EQ(select.where[6].values[0].text, "-Infinity");
  EXPECT_EQ(select.where[7].values[0].kind, Term::Kind::kDuration);
  EXPECT_TRUE(Parse<Insert>("INSERT INTO t JSON '{}' DEFAULT UNSET").json_default_unset);
  EXPECT_FALSE(Parse<Insert>("INSERT INTO t JSON '{}' DEFAULT NULL").json_default_unset);
  EXPECT_TRUE(Parse<Update>("UPDATE t SET a = 1 WHERE k = 1 IF b = 2 AND c > 3").conditional);
  EXPECT_TRUE(Parse<Delete>("DELETE FROM t WHERE k = 1 IF EXISTS").conditional);
  Result<TypeSyntax> const type = ParseType("map<text, 'com.example.Odd'>");
  ASSERT_TRUE(type.ok());
  EXPECT_TRUE(type->parameters[1].custom);
  EXPECT_EQ(ParseType("int int").status().code(), StatusCode::kInvalidArgument);
}

TEST(ParserTest, ErrorsNameLineAndColumn) {
  struct Bad {
    std::string text;
    std::string_view message;
  };
  for (const Bad& bad : std::initializer_list<Bad>{
           {"SELECT * FORM t", "line 1:9 mismatched input 'FORM' expecting FROM"},
           {"SELECT\n  FROM t", "line 2:2 mismatched input 'FROM' expecting a column"},
           {"SELECT * FROM t WHERE", "line 1:21 mismatched input '<EOF>'"},
           {"SELECT * FROM t WHERE a ~ 1", "line 1:24 no viable alternative at character '~'"},
           {"SELECT * FROM t LIMIT", "expecting a value"},
           {"SELECT * FROM t x", "line 1:16 mismatched input 'x' expecting the end"},
           {"SELECT a FROM select", "mismatched input 'select' expecting a name"},
           {"SELECT 'abc FROM t", "line 1:7 string without its end"},
           {"SELECT a /* FROM t", "line 1:9 comment without its end"},
           {"SELECT a FROM t WHERE a = 12ab", "line 1:26 no viable alternative at input '12a'"},
           {"CREATE TABLE t (a int)", "No PRIMARY KEY specified"},
           {"CREATE TABLE t (a int PRIMARY KEY, b int PRIMARY KEY)", "Multiple PRIMARY KEY"},
           {"CREATE TABLE t (a vector<float, 0> PRIMARY KEY)", "dimension"},
           {"INSERT INTO t (a, b) VALUES (1)", "Unmatched column names/values"},
           {"SELECT * FROM t WHERE a = " + std::string(100, '['), "nested deeper"},
           {"SELECT $$abc FROM t", "line 1:7 string without its end"},
           {"CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a))", "Multiple PRIMARY KEY"},
           {"CREATE TABLE t (a int MASKED WITH 5, PRIMARY KEY (a))", "a masking function"},
           {"CREATE TABLE t (a int MASKED BY x, PRIMARY KEY (a))", "expecting WITH"},
           {"ALTER TABLE t ALTER a x int", "expecting TYPE"},
           {"ALTER TABLE t RENAME a b", "expecting TO"},
           {"ALTER TABLE t DROP (a", "expecting"},
           {"ALTER TABLE t WITH", "expecting"},
           {"ALTER TYPE t DROP x", "expecting"},
           {"SELECT * FROM t WHERE a 5", "expecting an operator"},
           {"SELECT * FROM t WHERE a IS NULL", "expecting NOT"},
           {"SELECT * FROM t WHERE (a = 1", "expecting ')'"},
           {"SELECT * FROM t WHERE a = -x", "expecting a number"},
           {"SELECT * FROM t WHERE a = select", "expecting a value"},
           {"SELECT * FROM t WHERE a = :", "expecting a name"},
           {"SELECT count( FROM t", "mismatched input 'FROM'"},
           {"UPDATE t SET a = 1 + b WHERE k = 1", "expecting the assigned column"},
           {"UPDATE t SET a = 1 WHERE k = 1 IF", "expecting"},
           {"INSERT INTO t JSON '{}' DEFAULT x", "expecting NULL"},
           {"BEGIN BATCH SELECT * FROM t; APPLY BATCH", "expecting INSERT, UPDATE or DELETE"},
           {"EXPLODE", "expecting a statement"},
           {"", "expecting a statement"},
       }) {
    Result<Statement> const statement = ParseStatement(bad.text);
    ASSERT_FALSE(statement.ok()) << bad.text;
    EXPECT_EQ(statement.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(statement.status().message(), HasSubstr(bad.message)) << bad.text;
  }
}

}  // namespace
}  // namespace orochi::sstable::cql
