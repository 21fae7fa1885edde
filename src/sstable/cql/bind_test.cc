// Goal: literals become values of their receiver's type, or are refused as Cassandra words it.
// Method: types and literals with the bytes or the message that they make.
#include "sstable/cql/bind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/str_cat.h"
#include "sstable/cql/parser.h"
#include "sstable/types/scalar_text.h"

namespace orochi::sstable::cql {
namespace {

using ::testing::HasSubstr;

UserTypes Types() {
  UserTypes types;
  types["pair"] = UserTypeOf("ks", "pair", {"x", "y"},
                             {SimpleType(TypeKind::kInt), SimpleType(TypeKind::kText)});
  return types;
}

/// The value in hexadecimal, "null", or the message.
std::string Bind(std::string_view type_text, std::string_view literal) {
  Result<TypeSyntax> const syntax = ParseType(type_text);
  EXPECT_TRUE(syntax.ok()) << type_text;
  Result<TypeRef> const type = ResolveType(*syntax, Types());
  if (!type.ok()) {
    return type.status().message();
  }
  Result<Term> const term = ParseTerm(literal);
  EXPECT_TRUE(term.ok()) << literal;
  auto const value = BindTerm(*term, *Frozen(*type), "v");
  return !value.ok()          ? value.status().message()
         : value->has_value() ? HexText(AsBytes(**value))
                              : "null";
}

TEST(BindTest, LiteralsBecomeValues) {
  struct Case {
    std::string_view type;
    std::string_view literal;
    std::string_view expected;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"int", "-1", "ffffffff"},
           {"int", "null", "null"},
           {"int", "(int) 5", "00000005"},
           {"blob", "0xCAFE", "cafe"},
           {"blob", "int_as_blob(258)", "00000102"},
           {"blob", "textAsBlob('a')", "61"},
           {"int", "blob_as_int(0x)", ""},
           {"int", "blobAsInt(0x00000007)", "00000007"},
           {"int", "blob_as_int(null)", "null"},
           {"set<int>", "{2, 1}",
            "00000002000000040000000100000004"
            "00000002"},
           {"list<int>", "[]", "00000000"},
           {"map<int, int>", "{}", "00000000"},
           {"map<int, text>", "{1: 'a'}", "0000000100000004000000010000000161"},
           {"vector<float, 1>", "[1]", "3f800000"},
           {"tuple<int, text>", "(1, null)", "0000000400000001ffffffff"},
           {"pair", "{y: 'b'}", "ffffffff0000000162"},
           {"frozen<pair>", "{}", "ffffffffffffffff"},
           {"'com.example.Odd'", "0x01", "01"},
           {"ks.pair", "{x: 1}", "0000000400000001"},
       }) {
    EXPECT_EQ(Bind(c.type, c.literal).substr(0, c.expected.size()), c.expected)
        << c.type << " " << c.literal;
  }
}

TEST(BindTest, WrongLiteralsAreRefusedWithTheirPosition) {
  struct Case {
    std::string_view type;
    std::string_view literal;
    std::string_view message;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"int", "'x'", "line 1:0 Invalid STRING constant (x) for \"v\" of type int"},
           {"text", "5", "Invalid INTEGER constant (5)"},
           {"text", "1.5", "Invalid FLOAT constant"},
           {"int", "true", "Invalid BOOLEAN constant"},
           {"int", "0x01", "Invalid HEX constant"},
           {"int", "123e4567-e89b-12d3-a456-426614174000", "Invalid UUID constant"},
           {"int", "1h", "Invalid DURATION constant"},
           {"int", "[1]", "Invalid literal for v of type int"},
           {"list<int>", "{1}", "Invalid literal for v"},
           {"set<int>", "[1]", "Invalid literal for v"},
           {"map<int, int>", "[1]", "Invalid literal for v"},
           {"vector<float, 2>", "{1}", "Invalid literal for v"},
           {"vector<float, 2>", "[1]", "expected 2"},
           {"tuple<int>", "[1]", "Invalid literal for v"},
           {"tuple<int, int>", "(1, 2, 3)", "too many elements"},
           {"pair", "[1]", "Invalid literal for v"},
           {"pair", "{z: 1}", "Unknown field 'z' in value of user defined type pair"},
           {"list<int>", "[null]", "null is not supported inside collections"},
           {"map<int, int>", "{1: null}", "null is not supported inside collections"},
           {"list<int>", "['x']", "line 1:1 Invalid STRING constant"},
           {"int", "2147483648", "line 1:0"},
           {"int", "?", "bind markers"},
           {"int", ":name", "bind markers"},
           {"int", "blob_as_int(0x01)", "the bytes of blob_as_int are no value of type int"},
           {"timeuuid", "now()", "function now is not supported"},
           {"text", "(int) 5", "Cannot cast value to int"},
           {"list<int, int>", "[]", "line 1:0"},
           {"map<int>", "{}", "line 1:0"},
           {"frozen<int, int>", "1", "line 1:0"},
           {"nope", "1", "line 1:0 Unknown type nope"},
           {"odd<int>", "1", "line 1:0 Unknown type odd"},
           {"other.nope", "1", "Unknown type other.nope"},
           {"'MapType('", "1", "line 1:0 "},
           {"'ReversedType(Int32Type)'", "1", "CLUSTERING ORDER BY"},
           {"counter", "'x'", "Invalid STRING constant"},
       }) {
    EXPECT_THAT(Bind(c.type, c.literal), HasSubstr(c.message)) << c.type << " " << c.literal;
  }
}

TEST(BindTest, SerialisedValuesAreChecked) {
  Term term;
  term.kind = Term::Kind::kBytes;
  term.text = std::string("\0\0\0\5", 4);
  auto const value = BindTerm(term, *SimpleType(TypeKind::kInt), "v");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value, term.text);
  term.text = "abc";
  EXPECT_THAT(BindTerm(term, *SimpleType(TypeKind::kInt), "v").status().message(),
              HasSubstr("the bytes given for v are no value of type int: "));
}

TEST(BindTest, IntegersOfClauses) {
  EXPECT_EQ(*BindInteger(*ParseTerm("-5"), "TTL"), -5);
  EXPECT_THAT(BindInteger(*ParseTerm("'5'"), "TTL").status().message(),
              HasSubstr("TTL must be a whole number"));
  EXPECT_THAT(BindInteger(*ParseTerm("99999999999999999999"), "TTL").status().message(),
              HasSubstr("TTL is 99999999999999999999, which does not fit"));
}

}  // namespace
}  // namespace orochi::sstable::cql
