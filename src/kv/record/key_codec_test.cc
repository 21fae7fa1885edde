// Goal: the order of encoded keys is the order of values, for every type and direction, NULLs
// included, for single fields and whole keys; decoding gives the value back; no field's bytes begin
// another's; a prefix covers exactly the keys that begin with its values.
// Method: random values with many edge cases, each compared with its neighbours by value and by
// bytes; all pairs of the edges of each type.
#include "kv/record/key_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/record/storage_key.h"
#include "kv/record/testing/random_record.h"

namespace orochi::kv {
namespace {

using orochi::testing::TestSeed;
using testing::RandomDefinition;
using testing::RandomRecord;
using testing::RandomValueOrNull;
using testing::SameValue;

std::string Encode(const FieldOrder& order, const Value& value) {
  std::string bytes;
  AppendKeyField(bytes, order, value);
  return bytes;
}

std::vector<FieldOrder> AllOrders() {
  std::vector<FieldOrder> orders;
  for (uint64_t number = kFieldTypeMin; number <= kFieldTypeMax; ++number) {
    for (int bits = 0; bits < 4; ++bits) {
      orders.push_back({*FieldTypeFromNumber(number), (bits & 1) != 0, (bits & 2) != 0});
    }
  }
  return orders;
}

std::string Name(const FieldOrder& order) {
  return StrCat(FieldTypeName(order.type), order.descending ? " descending" : " ascending",
                order.nulls_last ? " nulls last" : " nulls first");
}

TEST(KeyCodecTest, BytesAreOrderedLikeValues) {
  SeededRandom random(TestSeed(11));
  for (const FieldOrder& order : AllOrders()) {
    SCOPED_TRACE(Name(order));
    std::vector<Value> values;
    for (int count = 0; count < 120; ++count) {
      values.push_back(RandomValueOrNull(order.type, random));
    }
    std::vector<std::string> bytes;
    for (const Value& value : values) {
      bytes.push_back(Encode(order, value));
    }
    for (size_t left = 0; left < values.size(); ++left) {
      for (size_t right = 0; right < values.size(); ++right) {
        ASSERT_EQ(CompareInOrder(order, values[left], values[right]), bytes[left] <=> bytes[right]);
        if (bytes[left] != bytes[right]) {
          ASSERT_FALSE(bytes[left].starts_with(bytes[right]));
        }
      }
    }
  }
}

TEST(KeyCodecTest, DecodingGivesTheValueAndTheRest) {
  SeededRandom random(TestSeed(12));
  for (const FieldOrder& order : AllOrders()) {
    SCOPED_TRACE(Name(order));
    for (int count = 0; count < 200; ++count) {
      Value const value = RandomValueOrNull(order.type, random);
      std::string const bytes = Encode(order, value);
      std::string const more = bytes + "rest";
      std::string_view rest = more;
      Value found;
      Status const status = ReadKeyField(rest, order, found);
      ASSERT_TRUE(status.ok()) << status.ToString();
      ASSERT_EQ(rest, "rest");
      ASSERT_TRUE(SameValue(found, value));
      ASSERT_EQ(Encode(order, found), bytes);
      ASSERT_TRUE(SameValue(CanonicalKeyValue(value), found));
      for (size_t cut = 0; cut < bytes.size(); ++cut) {  // no beginning is a field itself
        std::string_view part = std::string_view(bytes).substr(0, cut);
        ASSERT_EQ(ReadKeyField(part, order, found).code(), StatusCode::kCorruption);
      }
    }
  }
}

TEST(KeyCodecTest, BytesThatNoValueHasAreRefused) {
  const std::pair<FieldType, std::string> damaged[] = {
      {FieldType::kBool, std::string("\x02\x02", 2)},
      {FieldType::kText, std::string("\x02\x00\x02", 3)},
      {FieldType::kFloat, std::string("\x02\x7f\xff\xff\xff", 5)},  // -0
      {FieldType::kFloat, std::string("\x02\xff\xc0\x00\x01", 5)},  // a NaN's payload
      {FieldType::kDecimal25, std::string("\x02\xc0\x80\x00\x00\x01\x01\x00", 8)},  // digits 00
      {FieldType::kDecimal25, std::string("\x02\xc0\x80\x00\x00\x01\x66\x00", 8)},  // 101
      {FieldType::kInt16, std::string("\x04\x00\x00", 3)},
      {FieldType::kInt16, std::string("\x03", 1)},  // NULL at the other end
      {FieldType::kInt16, std::string()},
  };
  for (const auto& [type, bytes] : damaged) {
    std::string_view rest = bytes;
    Value value;
    EXPECT_EQ(ReadKeyField(rest, {.type = type}, value).code(), StatusCode::kCorruption)
        << FieldTypeName(type);
  }
}

TEST(KeyCodecTest, TextPrefixCoversExactlyItsTexts) {
  SeededRandom random(TestSeed(13));
  for (int bits = 0; bits < 4; ++bits) {
    FieldOrder const order{FieldType::kText, (bits & 1) != 0, (bits & 2) != 0};
    for (int count = 0; count < 5000; ++count) {
      auto const prefix = std::get<std::string>(testing::RandomValue(FieldType::kText, random));
      Value const value = RandomValueOrNull(FieldType::kText, random);
      std::string start;
      AppendKeyFieldPrefix(start, order, prefix);
      bool const expected = !IsNull(value) && std::get<std::string>(value).starts_with(prefix);
      ASSERT_EQ(PrefixRange(start).Contains(Encode(order, value)), expected);
    }
  }
}

// Order of whole keys by their values.
std::strong_ordering CompareKeys(const Schema& schema, const std::vector<Value>& left,
                                 const std::vector<Value>& right, size_t field_count) {
  for (size_t position = 0; position < field_count; ++position) {
    uint32_t const index = schema.key_fields()[position];
    auto const order = CompareInOrder(schema.field(index).order, left[index], right[index]);
    if (order != 0) {
      return order;
    }
  }
  return std::strong_ordering::equal;
}

TEST(StorageKeyTest, KeysOfRandomSchemasKeepOrderAndDecode) {
  SeededRandom random(TestSeed(14));
  KeySpace const space{CollectionId(7), Distribution::kRange};
  for (int round = 0; round < 100; ++round) {
    auto const schema = Schema::Make(SchemaId(3), RandomDefinition(random, 2));
    ASSERT_TRUE(schema.ok()) << schema.status().ToString();
    std::vector<std::vector<Value>> records;
    std::vector<std::string> keys;
    for (int count = 0; count < 20; ++count) {
      records.push_back(RandomRecord(*schema, random));
      if (count > 0 && random.OneIn(2)) {  // often the same beginning
        records.back() = records[random.Below(records.size())];
        uint32_t const last = schema->key_fields().back();
        records.back()[last] = RandomValueOrNull(schema->field(last).type(), random);
      }
      auto key = EncodeStorageKey(space, *schema, records.back());
      ASSERT_TRUE(key.ok()) << key.status().ToString();
      auto const decoded = DecodeStorageKey(space, *schema, *key);
      ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
      for (size_t position = 0; position < decoded->size(); ++position) {
        ASSERT_TRUE(
            SameValue((*decoded)[position], records.back()[schema->key_fields()[position]]));
      }
      keys.push_back(*std::move(key));
    }
    for (size_t left = 0; left < keys.size(); ++left) {
      for (size_t right = 0; right < keys.size(); ++right) {
        size_t const count = schema->key_fields().size();
        ASSERT_EQ(keys[left] <=> keys[right],
                  CompareKeys(*schema, records[left], records[right], count));
      }
    }
  }
}

TEST(StorageKeyTest, APrefixCoversExactlyTheKeysThatBeginWithItsValues) {
  SeededRandom random(TestSeed(15));
  for (int round = 0; round < 300; ++round) {
    KeySpace const space{CollectionId(random.OneIn(2) ? 7 : kCollectionIdMax),
                         random.OneIn(2) ? Distribution::kHash : Distribution::kRange};
    auto const schema =
        Schema::Make(SchemaId(random.OneIn(2) ? 3 : UINT32_MAX), RandomDefinition(random, 0));
    ASSERT_TRUE(schema.ok());
    auto const base = RandomRecord(*schema, random);
    std::vector<Value> base_key;
    for (uint32_t const index : schema->key_fields()) {
      base_key.push_back(base[index]);
    }
    for (size_t count = 0; count <= base_key.size(); ++count) {
      auto const prefix = EncodeStorageKeyPrefix(space, *schema, std::span(base_key).first(count));
      ASSERT_TRUE(prefix.ok()) << prefix.status().ToString();
      bool const whole = count >= schema->partition_key_count();
      ASSERT_EQ(prefix->has_value(), whole || space.distribution == Distribution::kRange);
      ByteRange const range =
          PrefixRange(prefix->has_value() ? **prefix : CollectionPrefix(space.collection));
      for (int tries = 0; tries < 10; ++tries) {
        auto other = RandomRecord(*schema, random);
        for (size_t position = 0; position < random.Below(base_key.size() + 1); ++position) {
          uint32_t const index = schema->key_fields()[position];
          other[index] = base[index];
        }
        auto const key = EncodeStorageKey(space, *schema, other);
        ASSERT_TRUE(key.ok());
        bool const expected = !prefix->has_value() || CompareKeys(*schema, base, other, count) == 0;
        ASSERT_EQ(range.Contains(*key), expected);
      }
    }
  }
}

TEST(StorageKeyTest, DamageIsNamed) {
  SchemaDefinition definition{.name = "orders",
                              .version = SchemaVersion(1),
                              .fields = {{.name = "id", .order = {FieldType::kInt64}},
                                         {.name = "at", .order = {FieldType::kText}}},
                              .partition_key = {0},
                              .range_key = {1}};
  auto const schema = Schema::Make(SchemaId(3), definition);
  ASSERT_TRUE(schema.ok());
  KeySpace const space{CollectionId(7), Distribution::kHash};
  std::vector<Value> const record = {int64_t{5}, std::string("x")};
  auto const key = EncodeStorageKey(space, *schema, record);
  ASSERT_TRUE(key.ok());
  std::string wrong_token = *key;
  wrong_token[4] ^= 1;
  EXPECT_THAT(DecodeStorageKey(space, *schema, wrong_token).status().message(),
              ::testing::HasSubstr("has token"));
  EXPECT_THAT(DecodeStorageKey(space, *schema, *key + "x").status().message(),
              ::testing::HasSubstr("1 bytes after its last field"));
  EXPECT_THAT(DecodeStorageKey(space, *schema, key->substr(0, 20)).status().message(),
              ::testing::HasSubstr("key field 'id'"));
  EXPECT_THAT(
      DecodeStorageKey({CollectionId(8), Distribution::kHash}, *schema, *key).status().message(),
      ::testing::HasSubstr("collection 7"));
  EXPECT_THAT(ReadStorageKeyHeader(Distribution::kHash, "short").status().message(),
              ::testing::HasSubstr("its header needs 16"));
  std::vector<Value> const mismatched = {std::string("five"), std::string("x")};
  EXPECT_THAT(EncodeStorageKey(space, *schema, mismatched).status().message(),
              ::testing::AllOf(::testing::HasSubstr("key field 'id'"),
                               ::testing::HasSubstr("found a string, expected int64")));
  std::vector<Value> const large = {int64_t{5}, std::string(kStorageKeySizeBytesMax, 'x')};
  EXPECT_EQ(EncodeStorageKey(space, *schema, large).status().code(), StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace orochi::kv
