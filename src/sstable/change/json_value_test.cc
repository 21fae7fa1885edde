// Goal: JSON becomes the values that Cassandra's INSERT JSON makes of it, and nothing else.
// Method: values of each type from JSON and back to text; JSON that is wrong, and what is said.
#include "sstable/change/json_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sstable/cql/bind.h"
#include "sstable/cql/parser.h"
#include "sstable/types/value_text.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;

TypeRef TypeOf(std::string_view text) {
  cql::UserTypes const types = {
      {"pair", UserTypeOf("ks", "pair", {"x", "Y"},
                          {SimpleType(TypeKind::kText), SimpleType(TypeKind::kInt)})}};
  Result<cql::TypeSyntax> const syntax = cql::ParseType(text);
  EXPECT_TRUE(syntax.ok());
  Result<TypeRef> const type = cql::ResolveType(*syntax, types);
  EXPECT_TRUE(type.ok()) << type.status().ToString();
  return Frozen(*type);
}

/// The value as a CQL literal, or what is wrong.
std::string Read(std::string_view type_text, std::string_view json) {
  TypeRef const type = TypeOf(type_text);
  Result<JsonValue> const parsed = ParseJson(json);
  if (!parsed.ok()) {
    return parsed.status().message();
  }
  Result<std::optional<std::string>> const value = ValueFromJson(*type, *parsed);
  if (!value.ok()) {
    return value.status().message();
  }
  if (!value->has_value()) {
    return "null";
  }
  std::string text;
  Status const status = AppendCqlLiteral(*type, AsBytes(**value), text);
  return status.ok() ? text : status.message();
}

TEST(JsonValueTest, NumbersAndStringsForNumbers) {
  EXPECT_EQ(Read("int", "-7"), "-7");
  EXPECT_EQ(Read("int", "\"-7\""), "-7");
  EXPECT_EQ(Read("varint", "123456789012345678901234567890"), "123456789012345678901234567890");
  EXPECT_EQ(Read("decimal", "1.10"), "1.10");
  EXPECT_EQ(Read("decimal", "0.1234567890123456789012345"), "0.1234567890123456789012345");
  EXPECT_EQ(Read("double", "1e3"), "1000.0");
  EXPECT_EQ(Read("double", "\"NaN\""), "NaN");
  EXPECT_EQ(Read("boolean", "true"), "true");
  EXPECT_EQ(Read("boolean", "\"false\""), "false");
}

TEST(JsonValueTest, TextTimesAndBytes) {
  EXPECT_EQ(Read("text", R"("it's ü \u00fc")"), "'it''s ü ü'");
  EXPECT_EQ(Read("blob", "\"0xCAFE\""), "0xcafe");
  EXPECT_EQ(Read("timestamp", "0"), Read("timestamp", "\"1970-01-01 00:00:00Z\""));
  EXPECT_EQ(Read("date", "\"2024-02-29\""), "'2024-02-29'");
  EXPECT_EQ(Read("uuid", "\"123e4567-e89b-12d3-a456-426614174000\""),
            "123e4567-e89b-12d3-a456-426614174000");
  EXPECT_EQ(Read("text", "null"), "null");
}

TEST(JsonValueTest, Collections) {
  EXPECT_EQ(Read("list<int>", "[3, \"1\"]"), "[3, 1]");
  EXPECT_EQ(Read("set<text>", R"(["b", "a", "b"])"), "{'a', 'b'}");
  EXPECT_EQ(Read("map<int, boolean>", R"({"2": true, "1": false})"), "{1: false, 2: true}");
  EXPECT_EQ(Read("tuple<int, text>", R"([1, null])"), "(1, null)");
  EXPECT_EQ(Read("vector<float, 2>", "[1, 2.5]"), "[1.0, 2.5]");
  EXPECT_EQ(Read("pair", R"({"X": "a", "\"Y\"": 2})"), "{x: 'a', \"Y\": 2}");
  EXPECT_EQ(Read("map<frozen<list<int>>, int>", R"({"[1, 2]": 3})"), "{[1, 2]: 3}");
  EXPECT_EQ(Read("list<int>", "\"[1]\""), "[1]");
}

TEST(JsonValueTest, SaysWhatIsWrong) {
  EXPECT_THAT(Read("int", "1.5"), HasSubstr("Expected a value of type int, but got a number: 1.5"));
  EXPECT_THAT(Read("text", "5"), HasSubstr("Expected a value of type text, but got a number: 5"));
  EXPECT_THAT(Read("int", "\"x\""), HasSubstr("x"));
  EXPECT_THAT(Read("tinyint", "200"), HasSubstr("200"));
  EXPECT_THAT(Read("blob", "\"cafe\""), HasSubstr("0x"));
  EXPECT_THAT(Read("list<int>", "[null]"), HasSubstr("null"));
  EXPECT_THAT(Read("list<int>", "{}"), HasSubstr("but got a map"));
  EXPECT_THAT(Read("pair", R"({"z": 1})"), HasSubstr("unexpected field 'z'"));
  EXPECT_THAT(Read("tuple<int>", "[1, 2]"), HasSubstr("expected 1, got 2"));
  EXPECT_THAT(Read("vector<float, 2>", "[1]"), HasSubstr("2"));
  EXPECT_THAT(Read("int", "{"), HasSubstr("this is no JSON"));
  EXPECT_THAT(Read("int", "1 2"), HasSubstr("character 3"));
  EXPECT_THAT(Read("int", std::string(100, '[')), HasSubstr("nested"));
}

TEST(JsonValueTest, NamesOfColumns) {
  EXPECT_EQ(ColumnFromJsonName("Total"), "total");
  EXPECT_EQ(ColumnFromJsonName("\"Total\""), "Total");
}

}  // namespace
}  // namespace orochi::sstable
