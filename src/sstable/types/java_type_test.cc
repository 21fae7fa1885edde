// Goal: class strings of Cassandra's types are read, and written back byte for byte; broken ones
// are refused with their position. Method: strings as Statistics.db headers hold them, and the CQL
// they stand for.
#include "sstable/types/java_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/str_cat.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;

/// "@" stands for the package.
std::string Expand(std::string_view text) {
  std::string out;
  for (char const c : text) {
    out += c == '@' ? std::string("org.apache.cassandra.db.marshal.") : std::string(1, c);
  }
  return out;
}

struct Case {
  std::string_view java;
  std::string_view cql;
};

TEST(JavaTypeTest, ReadsAndWritesTheSameString) {
  for (const Case& c : std::initializer_list<Case>{
           {"@UTF8Type", "text"},
           {"@Int32Type", "int"},
           {"@ByteType", "tinyint"},
           {"@ShortType", "smallint"},
           {"@BytesType", "blob"},
           {"@SimpleDateType", "date"},
           {"@CounterColumnType", "counter"},
           {"@TimeUUIDType", "timeuuid"},
           {"@ListType(@Int32Type)", "list<int>"},
           {"@FrozenType(@ListType(@Int32Type))", "frozen<list<int>>"},
           {"@MapType(@UTF8Type,@FrozenType(@ListType(@Int32Type)))",
            "map<text, frozen<list<int>>>"},
           {"@FrozenType(@MapType(@UTF8Type,@ListType(@Int32Type)))",
            "frozen<map<text, frozen<list<int>>>>"},
           {"@SetType(@FrozenType(@SetType(@UTF8Type)))", "set<frozen<set<text>>>"},
           {"@TupleType(@Int32Type,@ListType(@UTF8Type))",
            "frozen<tuple<int, frozen<list<text>>>>"},
           {"@VectorType(@FloatType , 3)", "vector<float, 3>"},
           {"@VectorType(@FrozenType(@ListType(@Int32Type)) , 2)", "vector<frozen<list<int>>, 2>"},
           {"@UserType(ks,61646472,737472656574:@UTF8Type,7a697073:@FrozenType(@SetType(@Int32Type)"
            "))",
            "addr"},
           {"@FrozenType(@UserType(ks,41,78:@UTF8Type,79:@SetType(@Int32Type)))", "frozen<\"A\">"},
           {"com.example.Odd(with,(things))", "'com.example.Odd(with,(things))'"},
       }) {
    std::string const java = Expand(c.java);
    Result<TypeRef> const type = ParseJavaType(java);
    ASSERT_TRUE(type.ok()) << type.status().ToString();
    EXPECT_EQ(JavaTypeName(**type), java);
    EXPECT_EQ(CqlName(**type), c.cql);
  }
  std::string const reversed = Expand("@ReversedType(@FrozenType(@ListType(@Int32Type)))");
  Result<TypeRef> const type = ParseJavaType(reversed);
  ASSERT_TRUE(type.ok());
  EXPECT_TRUE((*type)->reversed);
  EXPECT_EQ(JavaTypeName(**type), reversed);
}

TEST(JavaTypeTest, AcceptsOldSpellings) {
  for (const Case& c : std::initializer_list<Case>{
           {"UTF8Type", "text"},
           {" MapType( UTF8Type , Int32Type ) ", "map<text, int>"},
           {"VectorType(FloatType,3)", "vector<float, 3>"},
           // Inside a frozen collection, without FrozenType of its own.
           {"FrozenType(ListType(UserType(ks,61,62:Int32Type)))", "frozen<list<frozen<a>>>"},
       }) {
    Result<TypeRef> const type = ParseJavaType(c.java);
    ASSERT_TRUE(type.ok()) << type.status().ToString();
    EXPECT_EQ(CqlName(**type), c.cql);
  }
}

TEST(JavaTypeTest, RefusesWhatIsBrokenWithItsPosition) {
  struct Bad {
    std::string text;
    std::string_view message;
  };
  std::string deep;
  for (int index = 0; index < 100; ++index) {
    deep += "ListType(";
  }
  for (const Bad& bad : std::initializer_list<Bad>{
           {"", "character 0: found the end, expected the name of a type"},
           {"ListType", "expected '('"},
           {"ListType(", "found the end"},
           {"ListType()", "expected the name of a type"},
           {"ListType(Int32Type", "expected ')'"},
           {"ListType(Int32Type,Int32Type)", "1 type(s) inside ListType"},
           {"MapType(Int32Type)", "2 type(s) inside MapType"},
           {"Int32Type)", "found ')', expected the end"},
           {"VectorType(FloatType , 0)", "dimension"},
           {"VectorType(FloatType , 99999999999)", "dimension"},
           {"UserType(ks,6g)", "hexadecimal"},
           {"UserType(ks,616)", "hexadecimal"},
           {"UserType(ks,61,62)", "expected ':'"},
           {"com.example.Odd(", "expected ')'"},
           {deep, "nested types"},
       }) {
    Result<TypeRef> const type = ParseJavaType(bad.text);
    ASSERT_FALSE(type.ok()) << bad.text;
    EXPECT_EQ(type.status().code(), StatusCode::kCorruption);
    EXPECT_THAT(type.status().message(), HasSubstr(bad.message)) << bad.text;
  }
}

TEST(TypeTest, FixedLengthsAreThoseOfCassandra) {
  EXPECT_EQ(FixedLengthBytes(*SimpleType(TypeKind::kInt)), 4u);
  EXPECT_EQ(FixedLengthBytes(*SimpleType(TypeKind::kTimestamp)), 8u);
  EXPECT_EQ(FixedLengthBytes(*SimpleType(TypeKind::kUuid)), 16u);
  EXPECT_EQ(FixedLengthBytes(*VectorOf(SimpleType(TypeKind::kFloat), 3)), 12u);
  for (TypeKind const kind : {TypeKind::kTinyint, TypeKind::kSmallint, TypeKind::kDate,
                              TypeKind::kTime, TypeKind::kText, TypeKind::kVarint}) {
    EXPECT_EQ(FixedLengthBytes(*SimpleType(kind)), std::nullopt);
  }
  EXPECT_EQ(FixedLengthBytes(*SimpleType(TypeKind::kEmpty)), 0u);
  EXPECT_EQ(FixedLengthBytes(*SimpleType(TypeKind::kLexicalUuid)), 16u);
  EXPECT_EQ(FixedLengthBytes(**ParseJavaType("LegacyTimeUUIDType")), 16u);
  EXPECT_EQ(FixedLengthBytes(*CustomType("com.example.Odd")), std::nullopt);
  EXPECT_EQ(FixedLengthBytes(*VectorOf(SimpleType(TypeKind::kText), 3)), std::nullopt);
  EXPECT_EQ(FixedLengthBytes(*VectorOf(SimpleType(TypeKind::kInt), 2'000'000'000)), std::nullopt);
}

TEST(TypeTest, ReversingTwiceIsReversingOnce) {
  TypeRef const once = Reversed(SimpleType(TypeKind::kInt));
  EXPECT_EQ(Reversed(once), once);
  EXPECT_FALSE(Unreversed(once)->reversed);
}

TEST(TypeTest, NamesOfTypesThatOnlyFilesHave) {
  for (auto const& [type, name] : std::initializer_list<std::pair<const char*, const char*>>{
           {"EmptyType", "'org.apache.cassandra.db.marshal.EmptyType'"},
           {"LexicalUUIDType", "'org.apache.cassandra.db.marshal.LexicalUUIDType'"},
           {"CompositeType(Int32Type,UTF8Type)",
            "'org.apache.cassandra.db.marshal.CompositeType(org.apache.cassandra.db.marshal."
            "Int32Type,org.apache.cassandra.db.marshal.UTF8Type)'"},
           {"com.example.Odd", "'com.example.Odd'"}}) {
    EXPECT_EQ(CqlName(**ParseJavaType(type)), name);
  }
}

TEST(TypeTest, NamesAreQuotedWhereCqlNeedsIt) {
  EXPECT_EQ(QuoteIdentifier("plain_1"), "plain_1");
  EXPECT_EQ(QuoteIdentifier("Mixed"), "\"Mixed\"");
  EXPECT_EQ(QuoteIdentifier("select"), "\"select\"");
  EXPECT_EQ(QuoteIdentifier("1st"), "\"1st\"");
  EXPECT_EQ(QuoteIdentifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteIdentifier(""), "\"\"");
}

TEST(TypeTest, WideningIsWhatAlterAllowed) {
  auto const can = [](std::string_view from, std::string_view to) {
    return CanReadAs(**ParseJavaType(from), **ParseJavaType(to));
  };
  EXPECT_TRUE(can("AsciiType", "UTF8Type"));
  EXPECT_FALSE(can("UTF8Type", "AsciiType"));
  EXPECT_TRUE(can("Int32Type", "BytesType"));
  EXPECT_TRUE(can("Int32Type", "IntegerType"));
  EXPECT_FALSE(can("Int32Type", "LongType"));
  EXPECT_TRUE(can("FrozenType(UserType(a,61,62:Int32Type))",
                  "FrozenType(UserType(b,61,62:Int32Type,63:UTF8Type))"));
  EXPECT_FALSE(can("FrozenType(UserType(b,61,62:Int32Type,63:UTF8Type))",
                   "FrozenType(UserType(a,61,62:Int32Type))"));
  EXPECT_TRUE(can("TimeUUIDType", "UUIDType"));
  EXPECT_FALSE(can("Int32Type", "UUIDType"));
  EXPECT_TRUE(can("DateType", "TimestampType"));
  EXPECT_TRUE(can("com.example.Odd", "com.example.Odd"));
  EXPECT_FALSE(can("ListType(Int32Type)", "SetType(Int32Type)"));
  EXPECT_FALSE(can("ListType(Int32Type)", "FrozenType(ListType(Int32Type))"));
}

}  // namespace
}  // namespace orochi::sstable
