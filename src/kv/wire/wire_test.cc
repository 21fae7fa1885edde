// Goal: schemas, records and filters survive JSON and MessagePack; what JSON cannot hold has the
// stated form; malformed, oversized and deep input is refused with the path of the place.
// Method: random ones of all types through the real bytes; testdata/wire.txt holds readable golden
// cases (OROCHI_REWRITE=1 rewrites it); written cases of bad input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/data_driven.h"
#include "base/testing/test_seed.h"
#include "kv/filter/testing/random_filter.h"
#include "kv/record/testing/random_record.h"
#include "kv/wire/chogori.h"
#include "kv/wire/filter_document.h"
#include "kv/wire/json.h"
#include "kv/wire/message_pack.h"
#include "kv/wire/record_document.h"
#include "kv/wire/schema_document.h"

namespace orochi::kv {
namespace {

using orochi::testing::DataDrivenStep;
using orochi::testing::TestSeed;
using ::testing::HasSubstr;
using testing::PlainEvaluate;
using testing::SameValue;

constexpr WireForm kForms[] = {WireForm::kJson, WireForm::kJsonIntegersAsStrings,
                               WireForm::kMessagePack};

// Through the bytes of the form and back.
Document Travel(const Document& document, WireForm form) {
  bool const json = form != WireForm::kMessagePack;
  std::string const bytes = json ? WriteJson(document) : WriteMessagePack(document);
  auto parsed = json ? ParseJson(bytes, {}) : ParseMessagePack(bytes, {});
  EXPECT_TRUE(parsed.ok()) << parsed.status().ToString() << " " << bytes;
  return parsed.ok() ? *std::move(parsed) : Document();
}

TEST(WireTest, RandomSchemasAndRecordsSurvive) {
  SeededRandom random(TestSeed(61));
  for (int round = 0; round < 100; ++round) {
    SchemaDefinition definition = testing::RandomDefinition(random, 20);
    if (random.OneIn(2)) {
      for (Field& field : definition.fields) {
        field.id = FieldId(static_cast<uint32_t>(1 + random.Below(100)));
      }
    }
    auto const schema = Schema::Make(SchemaId(1), definition);
    ASSERT_TRUE(schema.ok());
    for (WireForm const form : kForms) {
      Document const schema_document = Travel(SchemaToDocument(definition), form);
      auto const same = SchemaFromDocument(Place(schema_document));
      ASSERT_TRUE(same.ok()) << same.status().ToString();
      ASSERT_EQ(*same, definition);
      auto const record = testing::RandomRecord(*schema, random);
      Document const document = Travel(RecordToDocument(*schema, record, form), form);
      auto const found = RecordFromDocument(*schema, Place(document), form);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      ASSERT_TRUE(
          std::equal(found->begin(), found->end(), record.begin(), record.end(), SameValue));
    }
  }
}

TEST(WireTest, RandomFiltersSurvive) {
  SeededRandom random(TestSeed(62));
  for (int round = 0; round < 200; ++round) {
    auto const schema = Schema::Make(SchemaId(1), testing::RandomDefinition(random, 5));
    ASSERT_TRUE(schema.ok());
    Expression const filter = testing::RandomFilter(*schema, random);
    for (WireForm const form : kForms) {
      Document const document = Travel(FilterToDocument(filter, form), form);
      auto const found = FilterFromDocument(Place(document), nullptr, form);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      for (int count = 0; count < 5; ++count) {
        auto const record = testing::RandomRecord(*schema, random);
        ASSERT_EQ(PlainEvaluate(*found, *schema, record), PlainEvaluate(filter, *schema, record));
      }
      Document const again = FilterToDocument(*found, form);
      ASSERT_EQ(WriteMessagePack(again), WriteMessagePack(FilterToDocument(filter, form)));
    }
  }
}

TEST(WireTest, ZeroKeepsItsSign) {
  for (WireForm const form : kForms) {
    for (FieldType const type : {FieldType::kFloat, FieldType::kDouble}) {
      Value const zero = type == FieldType::kFloat ? Value(-0.0f) : Value(-0.0);
      Document const document = Travel(ValueToDocument(type, zero, form), form);
      auto const found = ValueFromDocument(type, Place(document), form);
      ASSERT_TRUE(found.ok());
      double const number =
          type == FieldType::kFloat ? double{std::get<float>(*found)} : std::get<double>(*found);
      EXPECT_TRUE(std::signbit(number));
    }
  }
}

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t index = 0; index < bytes.size(); ++index) {
    text += index == 0 ? "" : index % 32 == 0 ? "\n " : " ";
    text += kDigits[static_cast<uint8_t>(bytes[index]) >> 4];
    text += kDigits[static_cast<uint8_t>(bytes[index]) & 15];
  }
  return text;
}

// Scripts: `schema` remembers one for the `record` and `filter` steps after it.
class Script {
 public:
  std::string Run(const DataDrivenStep& step) {
    auto const document = ParseJson(step.input, {.size_bytes_max = 10'000, .depth_max = 40});
    if (!document.ok()) {
      return document.status().message();
    }
    Place const place(*document);
    if (step.command == "schema") {
      auto definition = SchemaFromDocument(place);
      if (!definition.ok()) {
        return definition.status().message();
      }
      auto schema = Schema::Make(SchemaId(1), *definition);
      if (!schema.ok()) {
        return schema.status().message();
      }
      schema_ = *std::move(schema);
      return Show(SchemaToDocument(*definition), SchemaToDocument(*definition),
                  chogori::SchemaToDocument(*definition));
    }
    if (step.command == "record") {
      auto const values = RecordFromDocument(*schema_, place, WireForm::kJson);
      if (!values.ok()) {
        return values.status().message();
      }
      return Show(RecordToDocument(*schema_, *values, WireForm::kJsonIntegersAsStrings),
                  RecordToDocument(*schema_, *values, WireForm::kMessagePack),
                  chogori::StorageToDocument(*schema_, *values));
    }
    auto const filter = FilterFromDocument(place, &*schema_, WireForm::kJson);
    if (!filter.ok()) {
      return filter.status().message();
    }
    return Show(FilterToDocument(*filter, WireForm::kJson),
                FilterToDocument(*filter, WireForm::kMessagePack),
                chogori::FilterToDocument(*filter));
  }

 private:
  static std::string Show(const Document& json, const Document& packed,
                          const Result<Document>& dialect) {
    return StrCat(
        "json: ", WriteJson(json), "\nmessagepack: ", Hex(WriteMessagePack(packed)),
        "\nchogori: ", dialect.ok() ? Hex(WriteMessagePack(*dialect)) : dialect.status().message());
  }

  std::optional<Schema> schema_;
};

TEST(WireTest, Golden) {
  Script script;
  EXPECT_EQ(
      orochi::testing::RunDataDriven(std::string(OROCHI_TESTDATA_DIR) + "/wire.txt",
                                     [&](const DataDrivenStep& step) { return script.Run(step); }),
      "");
}

TEST(BoundsTest, DeepLargeAndManyAreRefusedAsTheyAreRead) {
  auto const json = [](const std::string& text) { return ParseJson(text, {}).status().message(); };
  auto const packed = [](const std::string& bytes) {
    return ParseMessagePack(bytes, {}).status().message();
  };
  EXPECT_THAT(json(std::string(1'000'000, '[')), HasSubstr("is nested deeper than 64"));
  EXPECT_THAT(packed(std::string(1'000'000, '\x91')), HasSubstr("is nested deeper than 64"));
  EXPECT_THAT(packed(std::string("\xdd\xff\xff\xff\xff", 5)), HasSubstr("ends early"));
  EXPECT_THAT(packed(std::string("\xc6\xff\xff\xff\xff", 5)), HasSubstr("ends early"));
  std::string many = "[0";
  for (int count = 0; count < 200'000; ++count) {
    many += ",0";
  }
  EXPECT_THAT(json(many + "]"), HasSubstr("$[199998]: has more than 200000 values"));
  std::string members = "{\"x\":0";
  for (int count = 0; count < 1'100; ++count) {
    members += StrCat(",\"", count, "\":0");
  }
  EXPECT_THAT(json(members + "}"), HasSubstr("has more than 1100 members"));
  EXPECT_THAT(ParseJson("[1,2,3]", {.size_bytes_max = 5}).status().message(),
              HasSubstr("JSON has 7 bytes, at most 5"));
  EXPECT_THAT(ParseMessagePack("123456", {.size_bytes_max = 5}).status().message(),
              HasSubstr("MessagePack has 6 bytes, at most 5"));
}

TEST(MalformedTest, SaysWhere) {
  auto const json = [](std::string_view text) { return ParseJson(text, {}).status().message(); };
  auto const packed = [](std::string_view bytes) {
    return ParseMessagePack(bytes, {}).status().message();
  };
  EXPECT_EQ(json(R"({"a":[1,{"b":tru}]})"), "$.a[1].b: no JSON, at byte 17");
  EXPECT_EQ(json(""), "$: no JSON, at byte 1");
  EXPECT_EQ(json("1 2"), "$: no JSON, at byte 3");
  EXPECT_EQ(json(R"({"a":1,"a":2})"), "$.a: this name is there twice");
  EXPECT_THAT(json("\"\xff\""), HasSubstr("no JSON, at byte 2"));
  EXPECT_EQ(packed(""), "$: ends early, at byte 0");
  EXPECT_EQ(packed("\x93\x01\x02"), "$[1]: ends early, at byte 3");
  EXPECT_EQ(packed("\x01\x02"), "$: MessagePack has 1 bytes after its value");
  EXPECT_THAT(packed("\x92\x01\xc1"), HasSubstr("no MessagePack, at byte"));
  EXPECT_EQ(packed("\x92\x01\xd4\x05\x01"), "$[0]: is of an extension type");
  EXPECT_EQ(packed("\x81\x01\x02"), "$: a name in a map is neither string nor bytes");
}

TEST(Base64Test, OnlyTheOneFormIsTaken) {
  for (std::string const bytes : {"", "a", "ab", "abc", "abcd", "\xff\xfe"}) {
    auto const found = DecodeBase64(EncodeBase64(bytes));
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, bytes);
  }
  EXPECT_EQ(EncodeBase64("ab"), "YWI=");
  for (const char* const text : {"YWI", "YWJ=", " YWI=", "YWI=\n", "====", "Y===", "YW?="}) {
    EXPECT_FALSE(DecodeBase64(text).ok()) << text;
  }
}

}  // namespace
}  // namespace orochi::kv
