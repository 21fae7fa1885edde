// Goal: rows give back what was written, field by field and whole; a row of an older version reads
// as the newer one means it; partial updates make whole rows; damage is found and named.
// Method: random schemas and records; chains of random schema changes beside a model by field id;
// every cut of a row.
#include "kv/record/row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/record/schema_history.h"
#include "kv/record/testing/random_record.h"
#include "kv/record/utf8.h"

namespace orochi::kv {
namespace {

using orochi::testing::TestSeed;
using ::testing::HasSubstr;
using testing::RandomDefinition;
using testing::RandomRecord;
using testing::SameValue;

constexpr KeySpace kSpace{CollectionId(9), Distribution::kHash};

bool SameRecord(std::span<const Value> left, std::span<const Value> right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), SameValue);
}

TEST(RowTest, RandomRecordsSurvive) {
  SeededRandom random(TestSeed(21));
  for (int round = 0; round < 500; ++round) {
    auto const schema = Schema::Make(SchemaId(1), RandomDefinition(random, 20));
    ASSERT_TRUE(schema.ok());
    auto const record = RandomRecord(*schema, random);
    auto const key = EncodeStorageKey(kSpace, *schema, record);
    auto const row = EncodeRow(*schema, record);
    ASSERT_TRUE(key.ok() && row.ok());
    ASSERT_FALSE(row->empty());
    auto const decoded = DecodeRecord(kSpace, *schema, *key, *row);
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ASSERT_TRUE(SameRecord(*decoded, record));
    auto const again = EncodeRow(*schema, *decoded);
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(*again, *row);

    RowReader reader;
    ASSERT_TRUE(reader.Open(*schema, *row).ok());
    for (uint32_t const index : schema->value_fields()) {
      Value value;
      ASSERT_EQ(reader.IsNull(index), IsNull(record[index]));
      ASSERT_TRUE(reader.Read(index, value).ok());
      ASSERT_TRUE(SameValue(value, record[index]));
    }
    for (size_t cut = 0; cut < row->size(); ++cut) {
      ASSERT_EQ(reader.Open(*schema, row->substr(0, cut)).code(), StatusCode::kCorruption);
    }
    ASSERT_EQ(reader.Open(*schema, *row + "x").code(), StatusCode::kCorruption);
  }
}

TEST(RowTest, FloatsKeepTheirBits) {
  auto const schema =
      Schema::Make(SchemaId(1), {.name = "s",
                                 .version = SchemaVersion(1),
                                 .fields = {{.name = "k", .order = {FieldType::kBool}},
                                            {.name = "v", .order = {FieldType::kDouble}}},
                                 .partition_key = {0}});
  ASSERT_TRUE(schema.ok());
  for (uint64_t const bits : {0x8000000000000000u, 0x7FF8000000000123u, 0x7FF0000000000001u}) {
    auto const row = EncodeRow(*schema, std::vector<Value>{true, std::bit_cast<double>(bits)});
    ASSERT_TRUE(row.ok());
    RowReader reader;
    ASSERT_TRUE(reader.Open(*schema, *row).ok());
    Value value;
    ASSERT_TRUE(reader.Read(1, value).ok());
    EXPECT_EQ(std::bit_cast<uint64_t>(std::get<double>(value)), bits);
  }
}

TEST(RowTest, ARecordThatDoesNotFitNamesItsField) {
  auto const schema =
      Schema::Make(SchemaId(1), {.name = "orders",
                                 .version = SchemaVersion(4),
                                 .fields = {{.name = "k", .order = {FieldType::kBool}},
                                            {.name = "size", .order = {FieldType::kInt16}},
                                            {.name = "sum", .order = {FieldType::kDecimal25}}},
                                 .partition_key = {0}});
  ASSERT_TRUE(schema.ok());
  auto const message = [&](Value size, Value sum) {
    return EncodeRow(*schema, std::vector<Value>{true, std::move(size), std::move(sum)})
        .status()
        .message();
  };
  EXPECT_EQ(message(int64_t{70000}, Null()),
            "schema 'orders' version 4: field 'size': found 70000, which does not fit int16");
  EXPECT_EQ(message(std::string("7"), Null()),
            "schema 'orders' version 4: field 'size': found a string, expected int16");
  EXPECT_THAT(message(Null(), *Decimal::Parse("1.23456789012345678901234567")),
              HasSubstr("found 27 significant digits, decimal25 has at most 25"));
  EXPECT_THAT(EncodeRow(*schema, std::vector<Value>{true}).status().message(),
              HasSubstr("record has 1 fields, expected 3"));
}

TEST(RowTest, AnotherVersionIsRefusedNotMisread) {
  SchemaDefinition definition{.name = "s",
                              .version = SchemaVersion(1),
                              .fields = {{.name = "k", .order = {FieldType::kBool}},
                                         {.name = "v", .order = {FieldType::kInt64}}},
                              .partition_key = {0}};
  auto const first = Schema::Make(SchemaId(1), definition);
  definition.version = SchemaVersion(300);
  auto const other = Schema::Make(SchemaId(1), definition);
  auto const row = EncodeRow(*other, std::vector<Value>{true, int64_t{5}});
  ASSERT_TRUE(row.ok());
  auto const version = ReadRowVersion(*row);
  ASSERT_TRUE(version.ok());
  EXPECT_EQ(*version, SchemaVersion(300));
  RowReader reader;
  EXPECT_THAT(reader.Open(*first, *row).message(), HasSubstr("row is of version 300"));
}

// Adds, drops, renames and retypes value fields of the newest version.
SchemaDefinition RandomChange(const Schema& base, SchemaHistory::Change& change, Random& random) {
  SchemaDefinition definition = base.definition();
  definition.version = base.version().Next();
  for (size_t index = definition.fields.size(); index-- > base.key_fields().size();) {
    Field& field = definition.fields[index];
    switch (random.Below(5)) {
      case 0:
        definition.fields.erase(definition.fields.begin() + static_cast<int64_t>(index));
        break;
      case 1:
        change.renames.push_back({field.name, StrCat("r", definition.version.value(), "_", index)});
        field.name = change.renames.back().to;
        break;
      case 2:
        field.order.type = testing::RandomType(random);
        break;
      default:
        break;
    }
  }
  for (uint64_t count = random.Below(3); count > 0; --count) {
    definition.fields.push_back({.name = StrCat("n", definition.version.value(), "_", count),
                                 .order = {testing::RandomType(random)}});
  }
  return definition;
}

TEST(SchemaHistoryTest, OldRowsReadAsTheNewVersionMeans) {
  SeededRandom random(TestSeed(22));
  for (int round = 0; round < 100; ++round) {
    SchemaHistory history(SchemaId(1));
    ASSERT_TRUE(history.Add(RandomDefinition(random, 6), {}).ok());
    for (int step = 0; step < 5; ++step) {
      SchemaHistory::Change change;
      SchemaDefinition const definition = RandomChange(*history.Newest(), change, random);
      auto const added = history.Add(definition, change);
      ASSERT_TRUE(added.ok()) << added.status().ToString();
    }
    auto const restored = [&] {
      std::vector<SchemaDefinition> definitions;
      for (const auto& version : history.versions()) {
        definitions.insert(definitions.begin(), version->definition());
      }
      return SchemaHistory::Restore(SchemaId(1), definitions);
    }();
    ASSERT_TRUE(restored.ok()) << restored.status().ToString();
    for (const auto& from : history.versions()) {
      EXPECT_EQ(restored->Find(from->version())->definition(), from->definition());
      auto const record = RandomRecord(*from, random);
      std::map<FieldId, Value> by_id;
      for (uint32_t const index : from->value_fields()) {
        by_id[from->field(index).id] = record[index];
      }
      for (const auto& to : history.versions()) {
        auto const converted = ConvertRecord(*from, *to, record);
        ASSERT_TRUE(to->CheckRecord(converted).ok());
        for (uint32_t const index : to->value_fields()) {
          auto const found = by_id.find(to->field(index).id);
          Value const expected = found == by_id.end() ? Value(Null()) : found->second;
          ASSERT_TRUE(SameValue(converted[index], expected));
        }
        auto const old_key = EncodeStorageKey(kSpace, *from, record);
        auto const new_key = EncodeStorageKey(kSpace, *to, converted);
        ASSERT_TRUE(old_key.ok() && new_key.ok());
        ASSERT_EQ(*old_key, *new_key);
      }
    }
  }
}

SchemaDefinition Orders(uint32_t version, std::vector<std::pair<std::string, FieldType>> values) {
  SchemaDefinition definition{.name = "orders",
                              .version = SchemaVersion(version),
                              .fields = {{.name = "id", .order = {FieldType::kInt64}},
                                         {.name = "line", .order = {FieldType::kInt32, true}}},
                              .partition_key = {0},
                              .range_key = {1}};
  for (auto& [name, type] : values) {
    definition.fields.push_back({.name = name, .order = {type}});
  }
  return definition;
}

TEST(SchemaHistoryTest, ANameThatComesBackIsANewField) {
  SchemaHistory history(SchemaId(1));
  ASSERT_TRUE(history.Add(Orders(1, {{"note", FieldType::kText}}), {}).ok());
  ASSERT_TRUE(history.Add(Orders(2, {}), {}).ok());
  ASSERT_TRUE(history.Add(Orders(3, {{"note", FieldType::kText}}), {}).ok());
  ASSERT_TRUE(history.Add(Orders(4, {{"note", FieldType::kBytes}}), {}).ok());
  ASSERT_TRUE(
      history.Add(Orders(5, {{"note", FieldType::kText}}), {.base = SchemaVersion(1)}).ok());
  auto const id = [&](uint32_t version) {
    return history.Find(SchemaVersion(version))->field(2).id.value();
  };
  EXPECT_EQ(id(1), 3u);
  EXPECT_EQ(id(3), 4u);
  EXPECT_EQ(id(4), 5u);
  EXPECT_EQ(id(5), 3u);  // continues version 1
}

TEST(SchemaHistoryTest, RenamesMaySwap) {
  SchemaHistory history(SchemaId(1));
  ASSERT_TRUE(history.Add(Orders(1, {{"a", FieldType::kText}, {"b", FieldType::kText}}), {}).ok());
  auto const swapped = history.Add(Orders(2, {{"a", FieldType::kText}, {"b", FieldType::kText}}),
                                   {.renames = {{"a", "b"}, {"b", "a"}}});
  ASSERT_TRUE(swapped.ok());
  std::vector<Value> const record = {int64_t{1}, int64_t{1}, std::string("A"), std::string("B")};
  auto const converted = ConvertRecord(*history.Find(SchemaVersion(1)), **swapped, record);
  EXPECT_EQ(std::get<std::string>(converted[2]), "B");
  EXPECT_EQ(std::get<std::string>(converted[3]), "A");
}

TEST(SchemaHistoryTest, WhatMayNotChangeIsRefusedByCode) {
  SchemaHistory history(SchemaId(1));
  ASSERT_TRUE(history.Add(Orders(1, {{"note", FieldType::kText}}), {}).ok());
  EXPECT_EQ(history.Add(Orders(1, {}), {}).status().code(), StatusCode::kAlreadyExists);
  SchemaDefinition other_key = Orders(2, {});
  other_key.fields[1].order.descending = false;
  EXPECT_EQ(history.Add(other_key, {}).status().code(), StatusCode::kFailedPrecondition);
  other_key = Orders(2, {});
  other_key.fields[0].name = "key";
  EXPECT_EQ(history.Add(other_key, {}).status().code(), StatusCode::kFailedPrecondition);
  other_key = Orders(2, {});
  other_key.range_key.clear();
  other_key.partition_key = {0, 1};
  EXPECT_EQ(history.Add(other_key, {}).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(history.Add(Orders(2, {}), {.base = SchemaVersion(9)}).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(history.Add(Orders(2, {}), {.renames = {{"note", "gone"}}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(history.Add(Orders(2, {}), {.renames = {{"id", "key"}}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(history.versions().size(), 1u);
}

TEST(SchemaTest, RulesAreNamed) {
  auto const message = [](SchemaDefinition definition) {
    auto const schema = Schema::Make(SchemaId(1), std::move(definition));
    EXPECT_EQ(schema.status().code(), StatusCode::kInvalidArgument);
    return schema.status().message();
  };
  SchemaDefinition definition = Orders(1, {{"note", FieldType::kText}});
  definition.partition_key.clear();
  EXPECT_THAT(message(definition), HasSubstr("no partition key field"));
  definition = Orders(1, {{"id", FieldType::kText}});
  EXPECT_THAT(message(definition), HasSubstr("field 2 has the name 'id'"));
  definition = Orders(1, {{"note", FieldType::kText}});
  definition.range_key = {2};
  EXPECT_THAT(message(definition), HasSubstr("key field 'note' comes after a field"));
  definition.range_key = {0};
  EXPECT_THAT(message(definition), HasSubstr("field 'id' is in the key twice"));
  definition.range_key = {9};
  EXPECT_THAT(message(definition), HasSubstr("the key names field 9, there are 3"));
  definition = {.name = "empty", .version = SchemaVersion(1)};
  EXPECT_THAT(message(definition), HasSubstr("found 0 fields"));
  definition = Orders(1, {});
  definition.name = "";
  EXPECT_THAT(message(definition), HasSubstr("name of 0 bytes"));
  definition.name = "\xff";
  EXPECT_THAT(message(definition), HasSubstr("is not UTF-8"));
  definition = Orders(1, {{"\xc3", FieldType::kText}});
  EXPECT_THAT(message(definition), HasSubstr("the name of field 2 is not UTF-8"));
}

TEST(Utf8Test, RefusesWhatUnicodeRefuses) {
  for (const char* const text : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                 "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(IsUtf8(text));
  }
  for (const char* const text :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(UpdateTest, ChangesWhatIsGivenAndKeepsTheRest) {
  SchemaHistory history(SchemaId(1));
  auto const first =
      history.Add(Orders(1, {{"note", FieldType::kText}, {"sum", FieldType::kInt64}}), {});
  auto const second =
      history.Add(Orders(2, {{"text", FieldType::kText}, {"paid", FieldType::kBool}}),
                  {.renames = {{"note", "text"}}});
  ASSERT_TRUE(first.ok() && second.ok());
  std::vector<Value> const stored = {int64_t{1}, int64_t{2}, std::string("n"), int64_t{5}};
  std::vector<FieldUpdate> const updates = {{3, true}};
  auto const updated = ApplyUpdate(**first, stored, **second, updates);
  ASSERT_TRUE(updated.ok()) << updated.status().ToString();
  std::vector<Value> const expected = {int64_t{1}, int64_t{2}, std::string("n"), true};
  EXPECT_EQ(*updated, expected);

  auto const refused = [&](std::vector<FieldUpdate> wrong) {
    return ApplyUpdate(**first, stored, **second, wrong).status().message();
  };
  EXPECT_THAT(refused({{0, int64_t{7}}}), HasSubstr("update of field 0, expected a value field"));
  EXPECT_THAT(refused({{9, true}}), HasSubstr("update of field 9"));
  EXPECT_THAT(refused({{3, true}, {3, false}}), HasSubstr("'paid': it is given twice"));
  EXPECT_THAT(refused({{3, int64_t{7}}}), HasSubstr("found a signed integer, expected bool"));
}

}  // namespace
}  // namespace orochi::kv
