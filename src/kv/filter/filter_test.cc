// Goal: filters mean what Expression's comment says, over stored bytes; errors name field, expected
// and found; key bounds never lose a record that passes; the bytes of a filter give it back.
// Method: written cases for every rule; random schemas, records and filters beside the plainest
// evaluation; every cut of encoded filters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/filter/bound_filter.h"
#include "kv/filter/filter_codec.h"
#include "kv/filter/key_bounds.h"
#include "kv/filter/testing/random_filter.h"
#include "kv/record/testing/random_record.h"

namespace orochi::kv {
namespace {

using orochi::testing::TestSeed;
using ::testing::HasSubstr;
using testing::PlainEvaluate;
using testing::RandomFilter;

constexpr KeySpace kSpace{CollectionId(4), Distribution::kRange};

FieldReference F(std::string name) {
  return {std::move(name)};
}
Literal Int(int64_t value) {
  return {FieldType::kInt64, value};
}
Literal Text(std::string value) {
  return {FieldType::kText, std::move(value)};
}
Expression Op(Operation operation, std::vector<Operand> operands,
              std::vector<Expression> children = {}) {
  return {operation, std::move(operands), std::move(children)};
}

class FilterTest : public ::testing::Test {
 protected:
  FilterTest()
      : schema_(*Schema::Make(
            SchemaId(2), {.name = "t",
                          .version = SchemaVersion(1),
                          .fields = {{.name = "k", .order = {FieldType::kText}},
                                     {.name = "r", .order = {FieldType::kInt32, true}},
                                     {.name = "n", .order = {FieldType::kInt32}},
                                     {.name = "last", .order = {FieldType::kInt32, false, true}},
                                     {.name = "u", .order = {FieldType::kUint32}},
                                     {.name = "d", .order = {FieldType::kDouble}},
                                     {.name = "s", .order = {FieldType::kText}},
                                     {.name = "b", .order = {FieldType::kBool}},
                                     {.name = "c", .order = {FieldType::kBool}}},
                          .partition_key = {0},
                          .range_key = {1}})),
        record_(schema_.field_count()) {
    record_[0] = std::string("key");
    record_[1] = int64_t{1};
  }

  void Set(const std::string& name, Value value) {
    record_[*schema_.FindField(name)] = std::move(value);
  }

  bool Passes(const Expression& filter) {
    auto const bound = BoundFilter::Bind(filter, schema_);
    EXPECT_TRUE(bound.ok()) << bound.status().ToString();
    auto const key = EncodeStorageKey(kSpace, schema_, record_);
    auto const row = EncodeRow(schema_, record_);
    EXPECT_TRUE(key.ok() && row.ok());
    EncodedRecord record;
    EXPECT_TRUE(record.Open(kSpace, schema_, *key, *row).ok());
    auto const passes = bound->Evaluate(record);
    EXPECT_TRUE(passes.ok());
    EXPECT_EQ(PlainEvaluate(filter, schema_, record_), *passes);
    return *passes;
  }

  std::string BindError(const Expression& filter) {
    auto const bound = BoundFilter::Bind(filter, schema_);
    EXPECT_FALSE(bound.ok());
    return StrCat(StatusCodeName(bound.status().code()), ": ", bound.status().message());
  }

  Schema schema_;
  std::vector<Value> record_;
};

TEST_F(FilterTest, NullIsLessThanLiteralsAndEqualToNull) {
  EXPECT_TRUE(Passes(Op(Operation::kLess, {F("n"), Int(-5)})));
  EXPECT_TRUE(Passes(Op(Operation::kLessOrEqual, {F("n"), Int(-5)})));
  EXPECT_TRUE(Passes(Op(Operation::kGreater, {Int(-5), F("n")})));
  EXPECT_FALSE(Passes(Op(Operation::kEqual, {F("n"), Int(0)})));
  EXPECT_FALSE(Passes(Op(Operation::kGreater, {F("n"), Int(-5)})));
  EXPECT_TRUE(Passes(Op(Operation::kEqual, {F("n"), F("last")})));
  EXPECT_TRUE(Passes(Op(Operation::kLess, {F("last"), Int(0)})));  // beside a literal, too
  Set("last", int64_t{3});
  EXPECT_TRUE(Passes(Op(Operation::kGreater, {F("n"), F("last")})));  // the other puts NULLs last
  EXPECT_TRUE(Passes(Op(Operation::kIsNull, {F("n")})));
  EXPECT_FALSE(Passes(Op(Operation::kIsNull, {F("k")})));
}

TEST_F(FilterTest, NumbersCompareByValueAcrossTypes) {
  Set("n", int64_t{-1});
  Set("u", uint64_t{1});
  EXPECT_TRUE(Passes(Op(Operation::kLess, {F("n"), F("u")})));
  Set("d", 9007199254740992.0);
  EXPECT_TRUE(Passes(Op(Operation::kLess, {F("d"), Int(9007199254740993)})));
  EXPECT_TRUE(
      Passes(Op(Operation::kEqual,
                {F("d"), Literal{FieldType::kDecimal50, *Decimal::Parse("9007199254740992.00")}})));
  Set("d", -0.0);
  EXPECT_TRUE(Passes(Op(Operation::kEqual, {F("d"), Int(0)})));
  Set("d", std::nan(""));
  EXPECT_TRUE(Passes(Op(Operation::kEqual, {F("d"), F("d")})));
  EXPECT_TRUE(Passes(Op(Operation::kGreater, {F("d"), Int(INT64_MAX)})));
  Set("b", true);
  EXPECT_TRUE(Passes(Op(Operation::kEqual, {F("b"), F("u")})));
}

TEST_F(FilterTest, TextsSearch) {
  Set("s", std::string("abcabc"));
  EXPECT_TRUE(Passes(Op(Operation::kStartsWith, {F("s"), Text("abc")})));
  EXPECT_FALSE(Passes(Op(Operation::kStartsWith, {F("s"), Text("bc")})));
  EXPECT_TRUE(Passes(Op(Operation::kContains, {F("s"), Text("ca")})));
  EXPECT_TRUE(Passes(Op(Operation::kEndsWith, {F("s"), Text("")})));
  EXPECT_FALSE(Passes(Op(Operation::kEndsWith, {F("s"), Text("xabcabc")})));
  Set("s", Null());
  EXPECT_FALSE(Passes(Op(Operation::kStartsWith, {F("s"), Text("")})));
  EXPECT_TRUE(Passes(Op(Operation::kContains, {F("k"), F("s")})));
}

TEST_F(FilterTest, NullBools) {
  Set("b", true);
  EXPECT_FALSE(Passes(Op(Operation::kAnd, {F("b"), F("c")})));
  EXPECT_FALSE(Passes(Op(Operation::kOr, {F("b"), F("c")})));
  EXPECT_FALSE(Passes(Op(Operation::kXor, {F("b"), F("c")})));
  EXPECT_TRUE(Passes(Op(Operation::kNot, {F("c")})));
  EXPECT_FALSE(Passes(Op(Operation::kOr, {F("c")}, {Op(Operation::kIsNull, {F("c")})})));
  Set("c", true);
  EXPECT_TRUE(Passes(Op(Operation::kAnd, {F("b"), F("c")})));
  EXPECT_FALSE(Passes(Op(Operation::kXor, {F("b"), F("c")})));
  EXPECT_TRUE(
      Passes(Op(Operation::kXor, {F("b"), F("c")}, {Op(Operation::kEqual, {F("b"), F("c")})})));
}

TEST_F(FilterTest, ExactTypeAsksForTheSchemasType) {
  auto const asks = [](std::string field, FieldType type) {
    return Op(Operation::kIsExactType,
              {F(std::move(field)), Literal{FieldType::kFieldType, uint64_t{FieldTypeCode(type)}}});
  };
  EXPECT_TRUE(Passes(asks("n", FieldType::kInt32)));  // NULL has its field's type
  EXPECT_FALSE(Passes(asks("n", FieldType::kInt64)));
}

TEST_F(FilterTest, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(BindError(Op(Operation::kEqual, {F("n"), Text("5")})),
            "failed precondition: filter on schema 't' version 1: EQ: a literal is text, expected "
            "what compares with int32, the type of field 'n'");
  EXPECT_EQ(BindError(Op(Operation::kNot, {}, {Op(Operation::kIsNull, {F("gone")})})),
            "failed precondition: filter on schema 't' version 1: there is no field 'gone'");
  EXPECT_THAT(BindError(Op(Operation::kStartsWith, {F("n"), Text("5")})),
              HasSubstr("STARTS_WITH: field 'n' is int32, expected text or bytes"));
  EXPECT_THAT(BindError(Op(Operation::kAnd, {F("n")})),
              HasSubstr("AND: field 'n' is int32, expected bool"));
}

TEST_F(FilterTest, WrongShapesSayWhere) {
  EXPECT_EQ(BindError(Op(Operation::kAnd, {}, {Op(Operation::kEqual, {F("n")})})),
            "invalid argument: filter AND: child 0: EQ: has 1 operands, expected 2");
  EXPECT_THAT(BindError(Op(Operation::kOr, {})), HasSubstr("has no operands"));
  EXPECT_THAT(BindError(Op(Operation::kIsNull, {Int(5)})), HasSubstr("expected a field"));
  EXPECT_THAT(
      BindError(Op(Operation::kEqual, {F("n"), Literal{FieldType::kInt16, int64_t{1} << 20}})),
      HasSubstr("does not fit int16"));
  EXPECT_THAT(BindError(Op(Operation::kEqual, {F("n"), Literal{FieldType::kInt16, Null()}})),
              HasSubstr("a literal is NULL"));
  Expression deep = Op(Operation::kIsNull, {F("n")});
  for (size_t depth = 0; depth < kFilterDepthMax; ++depth) {
    deep = Op(Operation::kNot, {}, {deep});
  }
  EXPECT_THAT(BindError(deep), HasSubstr("is nested deeper than 32"));
  EXPECT_THAT(BindError(Op(Operation::kAnd, std::vector<Operand>(kFilterNodeCountMax, F("b")))),
              HasSubstr("has more than 1024 nodes"));
}

TEST(RandomFilterTest, EncodedRecordsPassAsThePlainMeaningSays) {
  SeededRandom random(TestSeed(41));
  size_t passed = 0;
  size_t failed = 0;
  size_t rejected = 0;
  for (int round = 0; round < 1500; ++round) {
    auto const schema = Schema::Make(SchemaId(2), testing::RandomDefinition(random, 5));
    ASSERT_TRUE(schema.ok());
    Expression const filter = RandomFilter(*schema, random);
    auto const bound = BoundFilter::Bind(filter, *schema);
    for (int count = 0; count < 4; ++count) {
      auto const record = testing::RandomRecord(*schema, random);
      auto const expected = PlainEvaluate(filter, *schema, record);
      ASSERT_EQ(expected.has_value(), bound.ok());
      if (!bound.ok()) {
        ASSERT_EQ(bound.status().code(), StatusCode::kFailedPrecondition);
        ++rejected;
        continue;
      }
      auto const key = EncodeStorageKey(kSpace, *schema, record);
      auto const row = EncodeRow(*schema, record);
      ASSERT_TRUE(key.ok() && row.ok());
      EncodedRecord encoded;
      ASSERT_TRUE(encoded.Open(kSpace, *schema, *key, *row).ok());
      auto const found = bound->Evaluate(encoded);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      ASSERT_EQ(*found, *expected);
      (*found ? passed : failed)++;
    }
  }
  EXPECT_GT(passed, 1000u);
  EXPECT_GT(failed, 1000u);
  EXPECT_GT(rejected, 100u);
}

TEST(RandomFilterTest, KeyBoundsHoldEveryRecordThatPasses) {
  SeededRandom random(TestSeed(42));
  size_t inside = 0;
  size_t kept_out = 0;
  for (int round = 0; round < 2000; ++round) {
    auto const schema = Schema::Make(SchemaId(2), testing::RandomDefinition(random, 1));
    ASSERT_TRUE(schema.ok());
    Expression const filter = RandomFilter(*schema, random);
    KeySpace const space{CollectionId(4),
                         random.OneIn(4) ? Distribution::kHash : Distribution::kRange};
    auto const bounds = KeyBoundsOf(filter, space, *schema);
    auto const spans = KeySpansOf(filter, space, *schema);
    if (!spans) {
      ASSERT_FALSE(bounds.has_value());
      continue;
    }
    for (int count = 0; count < 10; ++count) {
      auto const record = testing::RandomRecord(*schema, random);
      auto const key = EncodeStorageKey(space, *schema, record);
      ASSERT_TRUE(key.ok());
      bool const in_span = std::any_of(spans->begin(), spans->end(),
                                       [&](const ByteRange& span) { return span.Contains(*key); });
      if (in_span) {
        ASSERT_TRUE(!bounds || bounds->Contains(*key));  // spans are never wider
        ++inside;
        continue;
      }
      ++kept_out;
      ASSERT_NE(PlainEvaluate(filter, *schema, record), std::optional<bool>(true));
    }
  }
  EXPECT_GT(inside, 500u);
  EXPECT_GT(kept_out, 1500u);  // bounds that keep nothing out would pass the test above
}

TEST(KeySpansTest, AnOrOfKeysIsARangeEach) {
  auto const schema =
      Schema::Make(SchemaId(2), {.name = "t",
                                 .version = SchemaVersion(1),
                                 .fields = {{.name = "a", .order = {FieldType::kInt64}},
                                            {.name = "v", .order = {FieldType::kInt64}}},
                                 .partition_key = {0}});
  ASSERT_TRUE(schema.ok());
  KeySpace const hash{CollectionId(4), Distribution::kHash};
  auto const equal = [](int64_t value) { return Op(Operation::kEqual, {F("a"), Int(value)}); };
  auto spans = KeySpansOf(Op(Operation::kOr, {}, {equal(7), equal(3), equal(7)}), hash, *schema);
  ASSERT_TRUE(spans.has_value());
  EXPECT_EQ(spans->size(), 2u);
  EXPECT_LT((*spans)[0].end, (*spans)[1].begin);
  spans = KeySpansOf(Op(Operation::kAnd, {}, {equal(3), equal(7)}), kSpace, *schema);
  ASSERT_TRUE(spans.has_value());
  EXPECT_EQ(KeySpansOf(Op(Operation::kOr, {}, {equal(7), Op(Operation::kEqual, {F("v"), Int(1)})}),
                       hash, *schema),
            std::nullopt);
  std::vector<Expression> many;
  for (int64_t value = 0; value < 300; ++value) {
    many.push_back(equal(value));
  }
  spans = KeySpansOf(Op(Operation::kOr, {}, many), hash, *schema);
  ASSERT_TRUE(spans.has_value());
  EXPECT_EQ(spans->size(), 1u);
}

class KeyBoundsTest : public ::testing::TestWithParam<int> {};

// For every operation, direction and place of NULL: the bounds of one condition hold exactly the
// records that pass, but where NULL lies at the far end.
TEST_P(KeyBoundsTest, OneConditionIsExact) {
  SeededRandom random(TestSeed(43));
  int const bits = GetParam() % 4;
  auto const operation = static_cast<Operation>(GetParam() / 4);
  FieldOrder const order{FieldType::kInt16, (bits & 1) != 0, (bits & 2) != 0};
  auto const schema = Schema::Make(SchemaId(2), {.name = "t",
                                                 .version = SchemaVersion(1),
                                                 .fields = {{.name = "k", .order = order}},
                                                 .partition_key = {0}});
  ASSERT_TRUE(schema.ok());
  for (int count = 0; count < 500; ++count) {
    Literal const literal{FieldType::kInt16, testing::RandomValue(FieldType::kInt16, random)};
    Expression const filter = operation == Operation::kIsNull ? Op(operation, {F("k")})
                                                              : Op(operation, {F("k"), literal});
    auto const bounds = KeyBoundsOf(filter, kSpace, *schema);
    ASSERT_TRUE(bounds.has_value());
    std::vector<Value> const record = {testing::RandomValueOrNull(FieldType::kInt16, random)};
    auto const key = EncodeStorageKey(kSpace, *schema, record);
    bool const passes = *PlainEvaluate(filter, *schema, record);
    bool const less = operation == Operation::kLess || operation == Operation::kLessOrEqual;
    if (passes || !less || order.descending == order.nulls_last) {
      ASSERT_EQ(bounds->Contains(*key), passes);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, KeyBoundsTest, ::testing::Range(0, 24));

TEST(KeyBoundsOfTest, AnAndNarrowsToPrefixAndRange) {
  auto const schema =
      Schema::Make(SchemaId(2), {.name = "t",
                                 .version = SchemaVersion(1),
                                 .fields = {{.name = "a", .order = {FieldType::kInt32}},
                                            {.name = "b", .order = {FieldType::kInt32}},
                                            {.name = "v", .order = {FieldType::kInt32}}},
                                 .partition_key = {0},
                                 .range_key = {1}});
  ASSERT_TRUE(schema.ok());
  auto const key = [&](int64_t a, int64_t b) {
    std::vector<Value> const values = {a, b};
    return **EncodeStorageKeyPrefix(kSpace, *schema, values);
  };
  Expression const filter =
      Op(Operation::kAnd, {},
         {Op(Operation::kGreaterOrEqual, {F("b"), Int(3)}), Op(Operation::kEqual, {Int(7), F("a")}),
          Op(Operation::kLess, {F("b"), Int(9)}), Op(Operation::kGreater, {F("b"), Int(-1)}),
          Op(Operation::kEqual, {F("v"), Int(1)})});
  auto const bounds = KeyBoundsOf(filter, kSpace, *schema);
  ASSERT_TRUE(bounds.has_value());
  EXPECT_EQ(bounds->begin, key(7, 3));
  EXPECT_EQ(bounds->end, key(7, 9));
  EXPECT_FALSE(KeyBoundsOf(Op(Operation::kOr, {}, {filter, filter}), kSpace, *schema));
  EXPECT_FALSE(KeyBoundsOf(Op(Operation::kGreater, {F("a"), Int(3)}),
                           {CollectionId(4), Distribution::kHash}, *schema));
  EXPECT_TRUE(KeyBoundsOf(filter, {CollectionId(4), Distribution::kHash}, *schema));
}

TEST(FilterCodecTest, BytesGiveTheFilterBack) {
  SeededRandom random(TestSeed(44));
  for (int round = 0; round < 1000; ++round) {
    auto const schema = Schema::Make(SchemaId(2), testing::RandomDefinition(random, 3));
    ASSERT_TRUE(schema.ok());
    Expression const filter = RandomFilter(*schema, random);
    auto const bytes = EncodeFilter(filter);
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    auto const decoded = DecodeFilter(*bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    auto const again = EncodeFilter(*decoded);
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(*again, *bytes);
    auto const record = testing::RandomRecord(*schema, random);
    ASSERT_EQ(PlainEvaluate(*decoded, *schema, record), PlainEvaluate(filter, *schema, record));
    for (size_t cut = 0; cut < bytes->size(); ++cut) {
      ASSERT_EQ(DecodeFilter(bytes->substr(0, cut)).status().code(), StatusCode::kCorruption);
    }
  }
}

TEST(FilterCodecTest, GoldenBytes) {  // those of docs/formats/kv-filters.md
  Expression const filter =
      Op(Operation::kAnd, {},
         {Op(Operation::kEqual, {F("id"), Literal{FieldType::kInt32, int64_t{5}}}),
          Op(Operation::kNot, {}, {Op(Operation::kIsNull, {F("note")})})});
  auto const bytes = EncodeFilter(filter);
  ASSERT_TRUE(bytes.ok());
  constexpr uint8_t kExpected[] = {0x01, 0x0a, 0x00, 0x02, 0x00, 0x02, 0x00, 0x02, 'i',  'd',
                                   0x01, 0x03, 0x02, 0x80, 0x00, 0x00, 0x05, 0x00, 0x0d, 0x00,
                                   0x01, 0x05, 0x01, 0x00, 0x04, 'n',  'o',  't',  'e',  0x00};
  EXPECT_EQ(*bytes, std::string(std::begin(kExpected), std::end(kExpected)));
  auto const decoded = DecodeFilter(*bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, filter);
}

TEST(FilterCodecTest, DeepBytesAreRefusedNotFollowed) {
  std::string bytes(1, 1);
  for (int depth = 0; depth < 20000; ++depth) {
    bytes += std::string("\x0d\x00\x01", 3);
  }
  EXPECT_THAT(DecodeFilter(bytes).status().message(), HasSubstr("is nested deeper than 32"));
}

}  // namespace
}  // namespace orochi::kv
