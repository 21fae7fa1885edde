// Goal: the chogori dialect's arrays mean what its servers take them for, byte by byte, and give
// back every schema, record and filter that it can have; what it cannot have is refused by name.
// Method: arrays written out by hand from the MessagePack specification; random ones there and
// back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/filter/testing/random_filter.h"
#include "kv/record/testing/random_record.h"
#include "kv/wire/chogori.h"
#include "kv/wire/chogori_decimal.h"
#include "kv/wire/message_pack.h"

namespace orochi::kv::chogori {
namespace {

using orochi::testing::TestSeed;
using ::testing::HasSubstr;

std::string Bytes(std::initializer_list<int> bytes) {
  std::string out;
  for (int const byte : bytes) {
    out.push_back(static_cast<char>(byte));
  }
  return out;
}

Document Parse(const std::string& bytes) {
  auto document = ParseMessagePack(bytes, {});
  EXPECT_TRUE(document.ok()) << document.status().ToString();
  return document.ok() ? *std::move(document) : Document();
}

SchemaDefinition Example() {
  return {.name = "s",
          .version = SchemaVersion(1),
          .fields = {{.name = "k", .order = {FieldType::kText}},
                     {.name = "r", .order = {FieldType::kInt32, true, false}},
                     {.name = "v", .order = {FieldType::kDouble, false, true}}},
          .partition_key = {0},
          .range_key = {1}};
}

const std::string kExampleBytes = Bytes({0x95,                               // five:
                                         0xc4, 1, 's',                       // bin "s"
                                         1,                                  // version
                                         0x93,                               // fields
                                         0x94, 1, 0xc4, 1, 'k', 0xc2, 0xc2,  // STRING
                                         0x94, 3, 0xc4, 1, 'r', 0xc3, 0xc2,  // INT32T
                                         0x94, 9, 0xc4, 1, 'v', 0xc2, 0xc3,  // DOUBLE
                                         0x91, 0,                            // partition key
                                         0x91, 1});                          // range key

TEST(ChogoriTest, SchemaBytes) {
  auto const document = SchemaToDocument(Example());
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(WriteMessagePack(*document), kExampleBytes);
  Document const parsed = Parse(kExampleBytes);
  auto const schema = SchemaFromDocument(Place(parsed));
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  EXPECT_EQ(*schema, Example());
}

TEST(ChogoriTest, StorageBytes) {
  auto const schema = Schema::Make(SchemaId(1), Example());
  ASSERT_TRUE(schema.ok());
  std::string const full = Bytes({0x94, 0x90, 3, 0xc4, 13,  //
                                  0xc4, 1, 'x',             // bin
                                  0xfb,                     // -5
                                  0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0, 1});
  Document const parsed = Parse(full);
  auto const storage = StorageFromDocument(*schema, Place(parsed));
  ASSERT_TRUE(storage.ok()) << storage.status().ToString();
  std::vector<Value> const expected = {std::string("x"), int64_t{-5}, 0.5};
  EXPECT_EQ(storage->values, expected);
  EXPECT_EQ(WriteMessagePack(*StorageToDocument(*schema, expected)), full);

  // A NULL: all fields have their flag. A key: the cursor says how many fields there are.
  std::vector<Value> const with_null = {std::string("x"), int64_t{-5}, Null()};
  EXPECT_EQ(WriteMessagePack(*StorageToDocument(*schema, with_null)),
            Bytes({0x94, 0x93, 0xc2, 0xc2, 0xc3, 3, 0xc4, 4, 0xc4, 1, 'x', 0xfb, 1}));
  std::string const key = Bytes({0x94, 0x90, 1, 0xc4, 2, 0xa1, 'x', 1});  // str is taken, too
  Document const key_document = Parse(key);
  auto const prefix = StorageFromDocument(*schema, Place(key_document));
  ASSERT_TRUE(prefix.ok());
  EXPECT_EQ(prefix->values, std::vector<Value>{std::string("x")});
  std::string const nothing = Bytes({0x94, 0x90, 0, 0xc4, 0, 1});
  Document const nothing_document = Parse(nothing);
  EXPECT_TRUE(StorageFromDocument(*schema, Place(nothing_document))->values.empty());
}

TEST(ChogoriTest, FilterBytes) {
  // AND with the expressions r GT int32 7 and NOT with the value b.
  std::string const bytes =
      Bytes({0x93, 10,   0x90, 0x92,                      //
             0x93, 1,    0x92,                            //
             0x93, 0xc4, 1,    'r',  0xcc, 254, 0xc4, 0,  //
             0x93, 0xc4, 0,    3,    0xc4, 1,   7,        //
             0x90,                                        //
             0x93, 13,   0x91, 0x93, 0xc4, 1,   'b',  0xcc, 254, 0xc4, 0, 0x90});
  Expression const expected{
      Operation::kAnd,
      {},
      {{Operation::kGreater, {FieldReference{"r"}, Literal{FieldType::kInt32, int64_t{7}}}, {}},
       {Operation::kNot, {FieldReference{"b"}}, {}}}};
  Document const parsed = Parse(bytes);
  auto const filter = FilterFromDocument(Place(parsed));
  ASSERT_TRUE(filter.ok()) << filter.status().ToString();
  EXPECT_EQ(**filter, expected);
  EXPECT_EQ(WriteMessagePack(*FilterToDocument(expected)), bytes);
  std::string const none = Bytes({0x93, 14, 0x90, 0x90});
  Document const none_document = Parse(none);
  EXPECT_FALSE(FilterFromDocument(Place(none_document))->has_value());
  EXPECT_EQ(WriteMessagePack(*FilterToDocument(std::nullopt)), none);
}

bool InDialect(FieldType type) {
  return FieldTypeCode(type) <= 14;
}

bool HasForm(const Value& value) {
  const auto* narrow = std::get_if<float>(&value);
  const auto* wide = std::get_if<double>(&value);
  return !(narrow != nullptr && std::isnan(*narrow)) && !(wide != nullptr && std::isnan(*wide));
}

TEST(ChogoriTest, RandomSchemasAndRecordsSurviveOrAreRefusedByName) {
  SeededRandom random(TestSeed(71));
  size_t survived = 0;
  for (int round = 0; round < 1000; ++round) {
    SchemaDefinition definition = testing::RandomDefinition(random, 3);
    auto const document = SchemaToDocument(definition);
    bool const in_dialect = std::all_of(definition.fields.begin(), definition.fields.end(),
                                        [](const Field& field) { return InDialect(field.type()); });
    ASSERT_EQ(document.ok(), in_dialect);
    if (!in_dialect) {
      ASSERT_EQ(document.status().code(), StatusCode::kUnsupported);
      ASSERT_THAT(document.status().message(), HasSubstr("field 'f"));
      continue;
    }
    Document const parsed = Parse(WriteMessagePack(*document));
    ASSERT_EQ(*SchemaFromDocument(Place(parsed)), definition);
    auto const schema = Schema::Make(SchemaId(1), definition);
    auto const record = testing::RandomRecord(*schema, random);
    auto const storage = StorageToDocument(*schema, record);
    ASSERT_TRUE(storage.ok()) << storage.status().ToString();
    Document const stored = Parse(WriteMessagePack(*storage));
    auto const found = StorageFromDocument(*schema, Place(stored));
    ASSERT_EQ(found.ok(), std::all_of(record.begin(), record.end(), HasForm))
        << found.status().ToString();
    if (found.ok()) {
      ASSERT_TRUE(std::equal(found->values.begin(), found->values.end(), record.begin(),
                             record.end(), testing::SameValue));
      ++survived;
    }
  }
  EXPECT_GT(survived, 50u);
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

// What Boost 1.74 wrote: `boost::archive::binary_oarchive(stream, boost::archive::no_header) << x`
// for x = number<cpp_dec_float<25>>(text), cpp_dec_float_50 and cpp_dec_float_100, g++ 12, x86-64.
TEST(ChogoriDecimalTest, BytesAreThoseOfBoost) {
  struct Case {
    FieldType type;
    const char* text;
    std::string hex;
  };
  std::string const zeros(200, '0');
  auto const limbs = [&](std::string used, size_t count) {
    return std::string(20, '0') + used + zeros.substr(0, count * 8 - used.size());
  };
  const Case cases[] = {
      {FieldType::kDecimal25, "0", limbs("", 7) + "000000000000000000" + "07000000"},
      {FieldType::kDecimal50, "-1", limbs("01000000", 10) + "000000000100000000" + "0a000000"},
      {FieldType::kDecimal100, "123.45",
       limbs("7b00000040a5ae02", 16) + "000000000000000000" + "10000000"},
      {FieldType::kDecimal25, "0.001", limbs("a0860100", 7) + "f8ffffff0000000000" + "07000000"},
      {FieldType::kDecimal50, "1e20", limbs("10270000", 10) + "100000000000000000" + "0a000000"},
      {FieldType::kDecimal100, "12345678",
       limbs("4e61bc00", 16) + "000000000000000000" + "10000000"},
      {FieldType::kDecimal25, "123456789",
       limbs("0100000015ec6501", 7) + "080000000000000000" + "07000000"},
      {FieldType::kDecimal50, "-98765.4321e-30",
       limbs("3fb49600406f4001", 10) + "e0ffffff0100000000" + "0a000000"},
      {FieldType::kDecimal100, "1e7777", limbs("0a000000", 16) + "601e00000000000000" + "10000000"},
      {FieldType::kDecimal25, "1.234567890123456789012345",
       limbs("0100000015ec650187d6120079384e05", 7) + "000000000000000000" + "07000000"},
      {FieldType::kDecimal50, "1.2345678901234567890123456789012345678901234567890",
       limbs("0100000015ec650187d6120079384e05cbeb0b043501b90215ec6501", 10) +
           "000000000000000000" + "0a000000"},
  };
  for (const auto& [type, text, hex] : cases) {
    auto const number = Decimal::Parse(text);
    ASSERT_TRUE(number.ok());
    auto const bytes = EncodeDecimal(type, *number);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(*bytes, FromHex(hex)) << text;
    auto const decoded = DecodeDecimal(type, FromHex(hex));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ(*decoded, *number) << text;
  }
}

TEST(ChogoriDecimalTest, DigitsPastTheTypeAreRounded) {
  // 2/3 as Boost computes it fills all limbs.
  auto const archive = [](const std::string& used) {
    return FromHex(std::string(20, '0') + used + "f8ffffff000000000007000000");
  };
  std::string sixes;
  std::string nines;
  for (int limb = 0; limb < 7; ++limb) {
    sixes += "aa40f903";  // 66666666
    nines += "ffe0f505";  // 99999999
  }
  EXPECT_EQ(DecodeDecimal(FieldType::kDecimal25, archive(sixes))->ToText(),
            "0.6666666666666666666666667");
  EXPECT_EQ(DecodeDecimal(FieldType::kDecimal25, archive(nines))->ToText(), "1");
}

TEST(ChogoriDecimalTest, OtherBytesAreRefused) {
  std::string const good = *EncodeDecimal(FieldType::kDecimal25, *Decimal::Parse("1.5"));
  auto const message = [](std::string bytes) {
    return DecodeDecimal(FieldType::kDecimal25, bytes).status().message();
  };
  auto const with = [&](size_t at, int byte) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(byte);
    return message(bytes);
  };
  EXPECT_EQ(message("x"), "decimal25 has 1 bytes, expected 51");
  EXPECT_THAT(with(0, 1), HasSubstr("ten zero bytes"));
  EXPECT_THAT(with(13, 0xff), HasSubstr("has a limb"));
  EXPECT_THAT(with(38, 4), HasSubstr("is damaged"));
  EXPECT_THAT(with(42, 2), HasSubstr("is damaged"));
  EXPECT_THAT(with(43, 2), HasSubstr("is an infinity or NaN"));
  EXPECT_THAT(with(47, 8), HasSubstr("is damaged"));
  EXPECT_EQ(EncodeDecimal(FieldType::kDecimal25, *Decimal::Parse("1e90000000")).status().code(),
            StatusCode::kUnsupported);
}

TEST(ChogoriTest, WrongArraysSayWhere) {
  auto const schema = Schema::Make(SchemaId(1), Example());
  auto const storage_error = [&](std::initializer_list<int> bytes) {
    Document const document = Parse(Bytes(bytes));
    return StorageFromDocument(*schema, Place(document)).status().message();
  };
  EXPECT_EQ(storage_error({0x93, 0x90, 0, 0xc4, 0}), "$: has 3 items, expected 4");
  EXPECT_EQ(storage_error({0x94, 0x90, 9, 0xc4, 0, 1}), "$[1]: found 9, expected 0 to 3");
  EXPECT_EQ(storage_error({0x94, 0x90, 0, 0xc4, 0, 2}), "$[3]: found version 2, expected 1");
  EXPECT_EQ(storage_error({0x94, 0x91, 0xc2, 2, 0xc4, 0, 1}),
            "$[0]: has 1 items, expected none or 2 to 3");
  EXPECT_THAT(storage_error({0x94, 0x90, 1, 0xc4, 0, 1}),
              HasSubstr("$[2]: field 'k': $: ends early"));
  EXPECT_EQ(storage_error({0x94, 0x90, 1, 0xc4, 1, 7, 1}),
            "$[2]: field 'k': $: found an integer, expected a string");
  EXPECT_EQ(storage_error({0x94, 0x90, 0, 0xc4, 1, 7, 1}),
            "$[2]: has 1 bytes after its last field");
  EXPECT_THAT(storage_error({0x94, 0x90, 2, 0xc4, 7, 0xa0, 0xce, 0xff, 0xff, 0xff, 0xff, 0xc0, 1}),
              HasSubstr("field 'r': found 4294967295, which does not fit int32"));

  auto const filter_error = [&](std::initializer_list<int> bytes) {
    Document const document = Parse(Bytes(bytes));
    return FilterFromDocument(Place(document)).status().message();
  };
  EXPECT_EQ(filter_error({0x93, 99, 0x90, 0x90}), "$[0]: found 99, expected 0 to 14");
  EXPECT_EQ(filter_error({0x93, 14, 0x90, 0x91, 0}), "$[2]: has 1 items, expected 0");
  EXPECT_EQ(filter_error({0x93, 0, 0x91, 0x93, 0xa0, 0, 0xc4, 0, 0x90}),
            "$[1][0][1]: found type 0, expected 1 to 14");
  EXPECT_EQ(filter_error({0x93, 0, 0x90, 0x90}), "$: filter EQ: has 0 operands, expected 2");
}

}  // namespace
}  // namespace orochi::kv::chogori
