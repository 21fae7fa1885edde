// Goal: schemas from CQL and from files agree, and what does not fit is refused by name.
// Method: scripts as DESCRIBE prints them; descriptions that must read back as themselves.
#include "sstable/schema/table_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/str_cat.h"
#include "sstable/types/java_type.h"

namespace orochi::sstable {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Names(const std::vector<SchemaColumn>& columns) {
  std::vector<std::string> names;
  for (const SchemaColumn& column : columns) {
    names.push_back(column.name);
  }
  return names;
}

TableSchema OneTable(std::string_view script) {
  Result<std::vector<TableSchema>> tables = TablesFromCql(script, "ks");
  EXPECT_TRUE(tables.ok()) << tables.status().ToString();
  if (!tables.ok() || tables->size() != 1) {
    ADD_FAILURE() << "expected one table";
    return {};
  }
  return (*tables)[0];
}

constexpr std::string_view kEverything =
    "CREATE TYPE ks.addr (street text, tags set<text>);"
    "CREATE TABLE ks.t (b text, a int, c timeuuid, d int, z int, m map<text, frozen<addr>>, l "
    "list<int>, home addr, \"Old\" text static, f frozen<list<addr>>, PRIMARY KEY ((b, a), c, d)) "
    "WITH CLUSTERING ORDER BY (c DESC, d ASC) AND gc_grace_seconds = 60 AND comment = 'it''s' "
    "AND compression = {'class': 'org.apache.cassandra.io.compress.ZstdCompressor'};"
    "ALTER TABLE ks.t DROP z USING TIMESTAMP 1700000000000000;"
    "ALTER TABLE ks.t ADD y varint;";

TEST(TableSchemaTest, ScriptsMakeTables) {
  TableSchema const table = OneTable(kEverything);
  EXPECT_THAT(Names(table.partition_key), ElementsAre("b", "a"));
  EXPECT_THAT(Names(table.clustering), ElementsAre("c", "d"));
  EXPECT_TRUE(table.clustering[0].type->reversed);
  EXPECT_FALSE(table.clustering[1].type->reversed);
  EXPECT_THAT(Names(table.statics), ElementsAre("Old"));
  // One-cell columns first, then the others, each by name.
  EXPECT_THAT(Names(table.regulars), ElementsAre("f", "y", "home", "l", "m"));
  ASSERT_EQ(table.dropped.size(), 1u);
  EXPECT_EQ(table.dropped[0].dropped_at_micros, 1'700'000'000'000'000);
  EXPECT_EQ(table.options.gc_grace_s, 60);
  EXPECT_EQ(table.options.compression.at("class"), "ZstdCompressor");
  EXPECT_EQ(CqlName(*table.PartitionKeyType()->parameters[0]), "text");
  EXPECT_EQ(CqlName(*table.Find("home")->column->type), "addr");
  EXPECT_EQ(CqlName(*table.Find("f")->column->type), "frozen<list<frozen<addr>>>");
}

TEST(TableSchemaTest, DescriptionsReadBackAsThemselves) {
  TableSchema const table = OneTable(kEverything);
  std::string const described = DescribeTable(table);
  EXPECT_EQ(DescribeTable(OneTable(described)), described);
  EXPECT_THAT(described, HasSubstr("CLUSTERING ORDER BY (c DESC, d ASC)"));
  EXPECT_THAT(described, HasSubstr("ALTER TABLE ks.t DROP z USING TIMESTAMP 1700000000000000;"));
  EXPECT_THAT(described, HasSubstr("comment = 'it''s'"));
}

// As a snapshot of Cassandra 5 has it: with the id of the table, options that say nothing about
// files, a dropped column and an index.
TEST(TableSchemaTest, TheSchemaOfASnapshotIsRead) {
  TableSchema const table = OneTable(
      "CREATE TYPE IF NOT EXISTS shop.address (\n    street text,\n    city text\n);\n"
      "CREATE TABLE IF NOT EXISTS shop.orders (\n    customer text,\n    placed timestamp,\n"
      "    delivery frozen<address>,\n    old_total decimal,\n    PRIMARY KEY (customer, placed)\n"
      ") WITH ID = 5a1c395e-b41f-11e5-9f22-ba0be0483c18\n"
      "    AND CLUSTERING ORDER BY (placed DESC)\n    AND additional_write_policy = '99p'\n"
      "    AND allow_auto_snapshot = true\n    AND bloom_filter_fp_chance = 0.02\n"
      "    AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'}\n    AND cdc = false\n"
      "    AND compression = {'chunk_length_in_kb': '16', "
      "'class': 'org.apache.cassandra.io.compress.LZ4Compressor'}\n"
      "    AND memtable = 'default'\n    AND extensions = {}\n    AND gc_grace_seconds = 7200\n"
      "    AND incremental_backups = true\n    AND speculative_retry = '99p';\n"
      "ALTER TABLE shop.orders DROP old_total USING TIMESTAMP 1455937221199050;\n"
      "CREATE CUSTOM INDEX IF NOT EXISTS by_delivery ON shop.orders (delivery) "
      "USING 'StorageAttachedIndex';");
  EXPECT_EQ(table.QualifiedName(), "shop.orders");
  EXPECT_EQ(table.options.gc_grace_s, 7200);
  ASSERT_EQ(table.dropped.size(), 1u);
  EXPECT_EQ(table.dropped[0].dropped_at_micros, 1'455'937'221'199'050);
  EXPECT_THAT(DescribeTable(table), HasSubstr("CLUSTERING ORDER BY (placed DESC)"));
}

TEST(TableSchemaTest, TypesMayGrowAfterTheirTables) {
  TableSchema const table = OneTable(
      "CREATE TYPE a (x int); CREATE TYPE b (inner frozen<a>);"
      "CREATE TABLE t (k int PRIMARY KEY, v frozen<list<b>>);"
      "ALTER TYPE a ADD y text; ALTER TYPE a RENAME x TO z;");
  const Type& inner = *table.regulars[0].type->element().parameters[0];
  EXPECT_THAT(inner.field_names, ElementsAre("z", "y"));
}

TEST(TableSchemaTest, TablesChange) {
  TableSchema const table = OneTable(
      "CREATE TYPE IF NOT EXISTS a (x int); CREATE TYPE IF NOT EXISTS a (y int);"
      "CREATE TABLE t (k int, c ascii, s int STATIC, u int, v int, w tuple<int, frozen<a>>, "
      "PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC);"
      "ALTER TABLE t RENAME k TO key AND c TO ck; ALTER TABLE t ALTER ck TYPE text;"
      "ALTER TABLE t ALTER s TYPE blob; ALTER TABLE t ALTER v TYPE varint;"
      "ALTER TABLE t DROP u USING TIMESTAMP 7; ALTER TABLE t ADD u text;"
      "ALTER TABLE t DROP s;"
      "ALTER TABLE t WITH default_time_to_live = 9 AND min_index_interval = 64 "
      "AND bloom_filter_fp_chance = 0.5 AND compaction = {'class': 'X', 'n': 4} "
      "AND compression = {'sstable_compression': 'a.b.SnappyCompressor', 'chunk_length_kb': 4} "
      "AND speculative_retry = '99p';");
  EXPECT_EQ(table.partition_key[0].name, "key");
  EXPECT_EQ(table.clustering[0].name, "ck");
  EXPECT_TRUE(table.clustering[0].type->reversed);
  EXPECT_EQ(CqlName(*table.clustering[0].type), "text");
  EXPECT_EQ(CqlName(*table.Find("v")->column->type), "varint");
  EXPECT_EQ(CqlName(*table.Find("u")->column->type), "text");
  EXPECT_THAT(Names(table.statics), ElementsAre());
  ASSERT_EQ(table.dropped.size(), 2u);
  EXPECT_TRUE(table.dropped[1].is_static);
  EXPECT_EQ(table.dropped[1].dropped_at_micros, INT64_MAX);
  EXPECT_EQ(table.options.default_ttl_s, 9);
  EXPECT_EQ(table.options.compression.at("class"), "SnappyCompressor");
  EXPECT_EQ(table.options.compression.at("chunk_length_in_kb"), "4");
  std::string const described = DescribeTable(table);
  EXPECT_EQ(DescribeTable(OneTable(described)), described);
  for (const char* const part :
       {"default_time_to_live = 9", "min_index_interval = 64", "bloom_filter_fp_chance = 0.5",
        "compaction = {'class': 'X', 'n': '4'}", "DROP u USING TIMESTAMP 7", "ADD u text"}) {
    EXPECT_THAT(described, HasSubstr(part));
  }
  TableSchema const plain =
      OneTable("CREATE TABLE t (k int PRIMARY KEY) WITH compression = {'enabled': 'false'}");
  EXPECT_TRUE(plain.options.compression.empty());
  EXPECT_THAT(DescribeTable(plain), HasSubstr("compression = {'enabled': 'false'}"));
}

TEST(TableSchemaTest, NamesWithoutKeyspaceBelongToUse) {
  Result<std::vector<TableSchema>> const tables = TablesFromCql(
      "USE one; CREATE TABLE t (k int PRIMARY KEY); USE two; "
      "CREATE TABLE t (k int PRIMARY KEY); CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)",
      "");
  ASSERT_TRUE(tables.ok());
  ASSERT_EQ(tables->size(), 2u);
  EXPECT_EQ((*tables)[1].QualifiedName(), "two.t");
  EXPECT_TRUE(PickTable(*tables, "two.t").ok());
  EXPECT_EQ(PickTable(*tables, "t").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(PickTable(*tables, "x").status().code(), StatusCode::kNotFound);
}

TEST(TableSchemaTest, WrongDefinitionsAreRefused) {
  struct Bad {
    std::string_view script;
    std::string_view message;
  };
  for (const Bad& bad : std::initializer_list<Bad>{
           {"CREATE TABLE t (k list<int> PRIMARY KEY)", "Invalid non-frozen collection type"},
           {"CREATE TABLE t (k counter PRIMARY KEY)", "not supported for PRIMARY KEY"},
           {"CREATE TABLE t (k nope PRIMARY KEY)", "line 1:18 Unknown type nope"},
           {"CREATE TABLE t (k int, PRIMARY KEY (x))", "Unknown column 'x' referenced"},
           {"CREATE TABLE t (k int, PRIMARY KEY (k, k))", "Duplicate column 'k'"},
           {"CREATE TABLE t (k int PRIMARY KEY, k int)", "Duplicate column 'k'"},
           {"CREATE TABLE t (k int PRIMARY KEY, s int STATIC)", "Static columns are only useful"},
           {"CREATE TABLE t (k int PRIMARY KEY); CREATE TABLE t (k int PRIMARY KEY)",
            "already exists"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH CLUSTERING ORDER BY (k DESC)",
            "must exactly match"},
           {"CREATE TABLE t (k int PRIMARY KEY, v map<int>)", "expected 2"},
           {"ALTER TABLE t ADD x int", "doesn't exist"},
           {"CREATE TABLE t (k int PRIMARY KEY); ALTER TABLE t DROP k", "Cannot drop PRIMARY KEY"},
           {"CREATE TABLE t (k int PRIMARY KEY, v int); ALTER TABLE t DROP v; ALTER TABLE t ADD v "
            "int",
            "USING TIMESTAMP"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH COMPACT STORAGE", "COMPACT STORAGE"},
           {"CREATE TYPE a (x int); CREATE TYPE a (x int)", "'a' already exists"},
           {"CREATE TYPE a (x int, x text)", "Duplicate field name 'x'"},
           {"ALTER TYPE a ADD y int", "Type a does not exist"},
           {"CREATE TYPE a (x int); ALTER TYPE a RENAME z TO y", "Unknown field z"},
           {"CREATE TYPE a (x int); ALTER TYPE a ADD y nope", "Unknown type nope"},
           {"CREATE TYPE a (x nope)", "Unknown type nope"},
           {"CREATE TABLE t (k int, s int STATIC, PRIMARY KEY (k, s))",
            "Static column 's' cannot be part"},
           {"CREATE TABLE t (k int, c 'ReversedType(Int32Type)', PRIMARY KEY (k, c))",
            "CLUSTERING ORDER BY"},
           {"CREATE TABLE t (k int PRIMARY KEY); ALTER TABLE t ADD k int", "'k' already exists"},
           {"CREATE TABLE t (k int PRIMARY KEY); ALTER TABLE t ADD v nope", "Unknown type nope"},
           {"CREATE TABLE t (k int PRIMARY KEY); ALTER TABLE t DROP v", "Column v was not found"},
           {"CREATE TABLE t (k int PRIMARY KEY, v int); ALTER TABLE t DROP v USING TIMESTAMP 'x'",
            "USING TIMESTAMP must be a whole number"},
           {"CREATE TABLE t (k int PRIMARY KEY, v int); ALTER TABLE t RENAME v TO w",
            "Cannot rename non PRIMARY KEY column v"},
           {"CREATE TABLE t (k int PRIMARY KEY, v int); ALTER TABLE t RENAME k TO v",
            "Cannot rename column k to v"},
           {"CREATE TABLE t (k int PRIMARY KEY); ALTER TABLE t RENAME x TO y",
            "Cannot rename column x"},
           {"CREATE TABLE t (k int PRIMARY KEY); ALTER TABLE t ALTER v TYPE int",
            "Unknown column 'v'"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH min_index_interval = 0", "at least 1"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH bloom_filter_fp_chance = 2", "larger than 0"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH bloom_filter_fp_chance = 1e-999",
            "larger than 0"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH gc_grace_seconds = 'x'", "whole number"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH default_time_to_live = 'x'", "whole number"},
           {"CREATE TABLE t (k int PRIMARY KEY) WITH min_index_interval = 'x'", "whole number"},
       }) {
    Result<std::vector<TableSchema>> const tables = TablesFromCql(bad.script, "ks");
    ASSERT_FALSE(tables.ok()) << bad.script;
    EXPECT_THAT(tables.status().message(), HasSubstr(bad.message)) << bad.script;
  }
}

TEST(TableSchemaTest, FilesAndSchemasAreCheckedAgainstEachOther) {
  TableSchema const table = OneTable(
      "CREATE TABLE t (k int, c text, v varint, w int, PRIMARY KEY (k, c)) "
      "WITH CLUSTERING ORDER BY (c DESC)");
  Layout const own = LayoutOf(table, Partitioner::kMurmur3);
  EXPECT_TRUE(CheckLayout(table, own, "f").ok());

  Layout narrower = own;  // v was an int when the file was written; an unknown column was dropped
  narrower.regulars = {Column::Of("gone", SimpleType(TypeKind::kText)),
                       Column::Of("v", SimpleType(TypeKind::kInt))};
  EXPECT_TRUE(CheckLayout(table, narrower, "f").ok());

  Layout other_key = own;
  other_key.key_type = SimpleType(TypeKind::kText);
  EXPECT_THAT(CheckLayout(table, other_key, "f").message(),
              HasSubstr("f: the partition key has type text, but int"));
  Layout ascending = own;
  ascending.clustering = ClusteringFormat({SimpleType(TypeKind::kText)});
  EXPECT_THAT(CheckLayout(table, ascending, "f").message(),
              HasSubstr("the clustering column c has type text, but text in descending order"));
  Layout none = own;
  none.clustering = ClusteringFormat();
  EXPECT_THAT(CheckLayout(table, none, "f").message(), HasSubstr("0 clustering columns, but 1"));
  Layout wrong = own;
  wrong.regulars = {Column::Of("w", SimpleType(TypeKind::kText))};
  EXPECT_THAT(CheckLayout(table, wrong, "f").message(),
              HasSubstr("the column w has type text, but int"));
}

TEST(TableSchemaTest, FilesAloneGiveATableWithMadeUpKeyNames) {
  Layout layout;
  layout.key_type = *ParseJavaType("CompositeType(Int32Type,UTF8Type)");
  layout.clustering = ClusteringFormat({*ParseJavaType("ReversedType(TimestampType)")});
  layout.regulars = {Column::Of("ck0", *ParseJavaType("FrozenType(UserType(ks,61,62:Int32Type))"))};
  TableSchema const table = SchemaFromLayout("ks", "t", layout);
  EXPECT_THAT(Names(table.partition_key), ElementsAre("key0", "key1"));
  EXPECT_THAT(Names(table.clustering), ElementsAre("ck0_"));  // a column has the name already
  EXPECT_TRUE(table.user_types.contains("a"));
  TableSchema const again = OneTable(DescribeTable(table));
  EXPECT_TRUE(CheckLayout(again, layout, "f").ok());
}

}  // namespace
}  // namespace orochi::sstable
