// Goal: a query read page by page through tokens gives exactly the records, in order, that the
// plainest evaluation over values gives, whatever the schemas, distribution, bounds, filters, page
// sizes and splits of partitions in between; tokens of other queries and damaged ones are refused.
// Method: random schemas with several versions, records of all of them, random queries, beside a
// model that sorts and filters lists of values and knows nothing of bytes but tokens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/filter/testing/random_filter.h"
#include "kv/query/page.h"
#include "kv/record/key_codec.h"
#include "kv/record/testing/random_record.h"

namespace orochi::kv {
namespace {

using orochi::testing::TestSeed;
using ::testing::HasSubstr;
using testing::PlainEvaluate;
using testing::RandomFilter;
using testing::SameValue;

constexpr Timestamp kNow{77};
constexpr std::string_view kSecret = "the cluster's";

// A collection cut into partitions at any keys, which may change at any time.
class Partitions final : public OrderedRecords {
 public:
  void Put(std::string key, std::string row) { all_[std::move(key)] = std::move(row); }

  void Split(Random& random) {
    starts_ = {""};
    for (const auto& [key, row] : all_) {
      if (random.OneIn(4)) {
        starts_.push_back(key.substr(0, random.Below(key.size() + 1)));
      }
    }
    std::sort(starts_.begin(), starts_.end());
  }

  Status Scan(const ByteRange& range, bool reverse, Timestamp timestamp,
              const Visit& visit) override {
    EXPECT_EQ(timestamp, kNow);
    for (size_t step = 0; step < starts_.size(); ++step) {
      size_t const index = reverse ? starts_.size() - 1 - step : step;
      ByteRange part = range;
      part.begin = std::max(part.begin, starts_[index]);
      if (index + 1 < starts_.size()) {
        part.end = std::min(part.end, starts_[index + 1]);
      }
      if (part.empty()) {
        continue;
      }
      auto const begin = all_.lower_bound(part.begin);
      auto const end = all_.lower_bound(part.end);
      for (auto at = reverse ? end : begin; at != (reverse ? begin : end);) {
        auto const here = reverse ? std::prev(at) : at;
        ASSIGN_OR_RETURN(bool const more, visit(here->first, here->second));
        if (!more) {
          return Status::Ok();
        }
        at = reverse ? here : std::next(at);
      }
    }
    return Status::Ok();
  }

 private:
  std::map<std::string, std::string> all_;
  std::vector<std::string> starts_ = {""};
};

struct Stored {
  std::shared_ptr<const Schema> schema;
  std::vector<Value> values;
  uint64_t token = 0;
};

class RandomCollection {
 public:
  explicit RandomCollection(Random& random) : random_(random), history_(SchemaId(5)) {
    space_ = {CollectionId(6), random.OneIn(2) ? Distribution::kHash : Distribution::kRange};
    SchemaDefinition definition = testing::RandomDefinition(random, 4);
    EXPECT_TRUE(history_.Add(definition, {}).ok());
    for (uint32_t version = 2; version <= 3; ++version) {
      definition = history_.Newest()->definition();
      definition.version = SchemaVersion(version);
      if (definition.fields.size() > history_.Newest()->key_fields().size() && random.OneIn(2)) {
        definition.fields.pop_back();
      }
      definition.fields.push_back(
          {.name = StrCat("v", version), .order = {testing::RandomType(random)}});
      EXPECT_TRUE(history_.Add(definition, {}).ok());
    }
    uint64_t const count = random.Below(40);
    for (uint64_t index = 0; index < count; ++index) {
      AddRecord();
    }
  }

  const KeySpace& space() const { return space_; }
  const SchemaHistory& history() const { return history_; }
  Partitions& partitions() { return partitions_; }

  std::vector<Value> SomeKeyFields(size_t count) {
    const Schema& schema = *history_.Newest();
    std::vector<Value> fields;
    const Stored* const like =
        records_.empty() || random_.OneIn(4) ? nullptr : &records_[random_.Below(records_.size())];
    for (size_t position = 0; position < count; ++position) {
      uint32_t const index = schema.key_fields()[position];
      fields.push_back(like != nullptr && !random_.OneIn(6)
                           ? like->values[index]
                           : testing::RandomValueOrNull(schema.field(index).type(), random_));
    }
    return fields;
  }

  Query RandomQuery() {
    const Schema& schema = *history_.Newest();
    Query query{.space = space_,
                .version = SchemaVersion(static_cast<uint32_t>(1 + random_.Below(3)))};
    query.version_rule = static_cast<VersionRule>(random_.Below(3));
    size_t const key_count = schema.key_fields().size();
    if (random_.OneIn(3)) {
      query.prefix = SomeKeyFields(random_.Below(key_count + 1));
    }
    if (random_.OneIn(3)) {
      query.from = KeyBound{SomeKeyFields(random_.Below(key_count + 1)), random_.OneIn(2)};
    }
    if (random_.OneIn(3)) {
      query.to = KeyBound{SomeKeyFields(random_.Below(key_count + 1)), random_.OneIn(2)};
      if (query.from && random_.OneIn(2)) {  // often within one partition key
        for (size_t at = 0; at < std::min(query.from->fields.size(), query.to->fields.size());
             ++at) {
          query.to->fields[at] = random_.OneIn(4) ? query.to->fields[at] : query.from->fields[at];
        }
      }
    }
    query.reverse = random_.OneIn(2);
    if (random_.OneIn(3)) {
      query.limit = random_.Below(12);
    }
    const Schema& asked = *history_.Find(query.version);
    while (random_.OneIn(3)) {
      query.projection.push_back(asked.field(random_.Below(asked.field_count())).name);
    }
    if (random_.OneIn(2)) {
      query.filter = RandomFilter(asked, random_);
    }
    return query;
  }

  // nullopt: the query is refused.
  std::optional<std::vector<QueryRecord>> PlainAnswer(const Query& query) const {
    std::shared_ptr<const Schema> const asked = history_.Find(query.version);
    bool const convert = query.version_rule == VersionRule::kConvert;
    if (query.filter && convert &&
        !PlainEvaluate(*query.filter, *asked, std::vector<Value>(asked->field_count()))) {
      return std::nullopt;
    }
    std::vector<const Stored*> in_order;
    for (const Stored& record : records_) {
      if (InBounds(query, record)) {
        in_order.push_back(&record);
      }
    }
    std::sort(in_order.begin(), in_order.end(), [&](const Stored* left, const Stored* right) {
      if (left->token != right->token) {
        return (left->token < right->token) != query.reverse;
      }
      auto const order = CompareKey(*left->schema, left->values, KeyOf(*right));
      return query.reverse ? order > 0 : order < 0;
    });
    std::vector<QueryRecord> answer;
    for (const Stored* const record : in_order) {
      if (query.limit && answer.size() >= *query.limit) {
        break;
      }
      if (query.version_rule == VersionRule::kOnly && record->schema != asked) {
        continue;
      }
      QueryRecord found{
          convert ? asked : record->schema,
          convert ? ConvertRecord(*record->schema, *asked, record->values) : record->values};
      if (query.filter &&
          PlainEvaluate(*query.filter, *found.schema, found.values) != std::optional<bool>(true)) {
        continue;
      }
      for (size_t index = 0; index < found.values.size(); ++index) {
        const auto& names = query.projection;
        bool const named =
            std::find(names.begin(), names.end(), found.schema->field(index).name) != names.end();
        if (!names.empty() && !named) {
          found.values[index] = Null();
        }
      }
      answer.push_back(std::move(found));
    }
    return answer;
  }

 private:
  static std::vector<Value> KeyOf(const Stored& record) {
    std::vector<Value> key;
    for (uint32_t const index : record.schema->key_fields()) {
      key.push_back(record.values[index]);
    }
    return key;
  }

  // A record's key with the first fields of another.
  static std::strong_ordering CompareKey(const Schema& schema, const std::vector<Value>& values,
                                         const std::vector<Value>& other) {
    for (size_t position = 0; position < other.size(); ++position) {
      uint32_t const index = schema.key_fields()[position];
      auto const order = CompareInOrder(schema.field(index).order, values[index], other[position]);
      if (order != 0) {
        return order;
      }
    }
    return std::strong_ordering::equal;
  }

  static bool InBounds(const Query& query, const Stored& record) {
    auto const compare = [&](const std::vector<Value>& fields) {
      return CompareKey(*record.schema, record.values, fields);
    };
    if (compare(query.prefix) != 0) {
      return false;
    }
    if (query.from && !query.from->fields.empty()) {
      auto const order = compare(query.from->fields);
      if (order < 0 || (order == 0 && !query.from->inclusive)) {
        return false;
      }
    }
    if (query.to && !query.to->fields.empty()) {
      auto const order = compare(query.to->fields);
      if (order > 0 || (order == 0 && !query.to->inclusive)) {
        return false;
      }
    }
    return true;
  }

  void AddRecord() {
    const auto& versions = history_.versions();
    Stored record{versions[random_.Below(versions.size())], {}};
    record.values = testing::RandomRecord(*record.schema, random_);
    if (!records_.empty()) {  // often near another key
      std::vector<Value> const key =
          SomeKeyFields(random_.Below(record.schema->key_fields().size() + 1));
      for (size_t position = 0; position < key.size(); ++position) {
        record.values[record.schema->key_fields()[position]] = key[position];
      }
    }
    for (const Stored& other : records_) {
      if (CompareKey(*record.schema, record.values, KeyOf(other)) == 0) {
        return;
      }
    }
    auto key = EncodeStorageKey(space_, *record.schema, record.values);
    auto row = EncodeRow(*record.schema, record.values);
    EXPECT_TRUE(key.ok() && row.ok());
    record.token = ReadStorageKeyHeader(space_.distribution, *key)->token.value_or(0);
    // A neighbour of another schema, which no query must return.
    std::string foreign = *key;
    foreign[space_.distribution == Distribution::kHash ? 15 : 7] ^= 1;
    partitions_.Put(foreign, "not a row");
    partitions_.Put(*std::move(key), *std::move(row));
    records_.push_back(std::move(record));
  }

  Random& random_;
  KeySpace space_;
  SchemaHistory history_;
  std::vector<Stored> records_;
  Partitions partitions_;
};

TEST(QueryTest, PagesGiveWhatPlainEvaluationGives) {
  SeededRandom random(TestSeed(51));
  size_t record_count = 0;
  size_t page_count = 0;
  for (int round = 0; round < 300; ++round) {
    RandomCollection collection(random);
    for (int count = 0; count < 4; ++count) {
      Query const query = collection.RandomQuery();
      auto const compiled = CompiledQuery::Make(query, collection.history());
      auto const expected = collection.PlainAnswer(query);
      ASSERT_EQ(compiled.ok(), expected.has_value()) << compiled.status().ToString();
      if (!expected) {
        ASSERT_EQ(compiled.status().code(), StatusCode::kFailedPrecondition);
        continue;
      }
      std::vector<QueryRecord> found;
      std::optional<std::string> token =
          EncodeContinuation(*compiled, FirstPage(*compiled, kNow), kSecret);
      PageBounds const bounds{.record_count_max = 1 + random.Below(10),
                              .scanned_count_max = 1 + random.Below(20),
                              .size_bytes_max = 1 + random.Below(500)};
      while (token) {
        collection.partitions().Split(random);
        auto const from = DecodeContinuation(*compiled, *token, kSecret);
        ASSERT_TRUE(from.ok()) << from.status().ToString();
        auto page = ReadPage(*compiled, collection.partitions(), *from, bounds);
        ASSERT_TRUE(page.ok()) << page.status().ToString();
        ASSERT_LE(page->records.size(), bounds.record_count_max);
        ASSERT_LE(page->scanned_count, bounds.scanned_count_max);
        found.insert(found.end(), page->records.begin(), page->records.end());
        token = page->next ? std::optional(EncodeContinuation(*compiled, *page->next, kSecret))
                           : std::nullopt;
        ++page_count;
      }
      ASSERT_EQ(found.size(), expected->size());
      for (size_t index = 0; index < found.size(); ++index) {
        ASSERT_EQ(found[index].schema, (*expected)[index].schema);
        ASSERT_TRUE(std::equal(found[index].values.begin(), found[index].values.end(),
                               (*expected)[index].values.begin(), (*expected)[index].values.end(),
                               SameValue));
      }
      record_count += found.size();
    }
  }
  EXPECT_GT(record_count, 2500u);
  EXPECT_GT(page_count, 2000u);
}

SchemaHistory Orders() {
  SchemaHistory history(SchemaId(1));
  EXPECT_TRUE(history
                  .Add({.name = "orders",
                        .version = SchemaVersion(1),
                        .fields = {{.name = "id", .order = {FieldType::kInt64}},
                                   {.name = "line", .order = {FieldType::kInt32}},
                                   {.name = "note", .order = {FieldType::kText}}},
                        .partition_key = {0},
                        .range_key = {1}},
                       {})
                  .ok());
  return history;
}

Query AllOrders(Distribution distribution) {
  return {.space = {CollectionId(6), distribution}, .version = SchemaVersion(1)};
}

TEST(QueryTest, SpansAreAsNarrowAsTheKeyAllows) {
  SchemaHistory const history = Orders();
  auto const spans = [&](const Query& query) {
    return CompiledQuery::Make(query, history)->spans();
  };
  Query query = AllOrders(Distribution::kHash);
  EXPECT_EQ(spans(query)[0], PrefixRange(CollectionPrefix(CollectionId(6))));
  query.from = KeyBound{{int64_t{5}, int64_t{1}}};
  EXPECT_EQ(spans(query)[0], PrefixRange(CollectionPrefix(CollectionId(6))));  // any token
  query.to = KeyBound{{int64_t{5}, int64_t{9}}, false};
  auto const key = [&](int64_t line) {
    std::vector<Value> const fields = {int64_t{5}, line};
    return **EncodeStorageKeyPrefix(query.space, *history.Newest(), fields);
  };
  EXPECT_EQ(spans(query)[0], (ByteRange{key(1), key(9)}));
  query.to->inclusive = true;
  EXPECT_EQ(spans(query)[0], (ByteRange{key(1), PrefixRange(key(9)).end}));
  query.to = KeyBound{{int64_t{5}, int64_t{1}}, false};
  EXPECT_TRUE(spans(query).empty());
  query = AllOrders(Distribution::kHash);
  auto const equal = [](int64_t id) {
    return Expression{
        Operation::kEqual, {FieldReference{"id"}, Literal{FieldType::kInt64, id}}, {}};
  };
  query.filter = Expression{Operation::kOr, {}, {equal(1), equal(2), equal(3)}};
  EXPECT_EQ(spans(query).size(), 3u);
}

TEST(QueryTest, WhatDoesNotFitIsNamed) {
  SchemaHistory const history = Orders();
  auto const message = [&](const Query& query) {
    return CompiledQuery::Make(query, history).status().message();
  };
  Query query = AllOrders(Distribution::kHash);
  query.prefix = {std::string("five")};
  EXPECT_EQ(message(query),
            "schema 'orders' version 1: the prefix of the query: key field 'id': found a string, "
            "expected int64");
  query.prefix = {int64_t{1}, int64_t{1}, int64_t{1}};
  EXPECT_THAT(message(query), HasSubstr("has 3 fields, the key has 2"));
  query = AllOrders(Distribution::kHash);
  query.projection = {"gone"};
  EXPECT_THAT(message(query), HasSubstr("projection of 'gone'"));
  query = AllOrders(Distribution::kHash);
  query.version = SchemaVersion(4);
  EXPECT_THAT(message(query), HasSubstr("schema version 4 does not exist"));
}

TEST(QueryTest, ARecordOfAnUnknownVersionSaysSo) {
  SchemaHistory history = Orders();
  auto const query = CompiledQuery::Make(AllOrders(Distribution::kRange), history);
  SchemaDefinition newer = history.Newest()->definition();
  newer.version = SchemaVersion(2);
  ASSERT_TRUE(history.Add(newer, {}).ok());
  std::vector<Value> const record = {int64_t{1}, int64_t{2}, Null()};
  auto const key = EncodeStorageKey(query->query().space, *history.Newest(), record);
  auto const row = EncodeRow(*history.Newest(), record);
  CompiledQuery::RecordReader reader;
  auto const found = query->Evaluate(*key, *row, reader);
  EXPECT_EQ(found.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(found.status().message(), HasSubstr("schema version 2"));
}

TEST(ContinuationTest, OnlyTheQueryItBelongsToTakesIt) {
  SchemaHistory const history = Orders();
  Query const query = AllOrders(Distribution::kRange);
  auto const compiled = CompiledQuery::Make(query, history);
  std::vector<Value> const record = {int64_t{1}, int64_t{2}, Null()};
  Continuation const next{*EncodeStorageKey(query.space, *history.Newest(), record), {}, kNow};
  std::string const token = EncodeContinuation(*compiled, next, kSecret);
  auto const same = DecodeContinuation(*compiled, token, kSecret);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(*same, next);

  std::vector<Query> others(8, query);
  others[0].reverse = true;
  others[1].limit = 5;
  others[2].projection = {"note"};
  others[3].filter = Expression{Operation::kIsNull, {FieldReference{"note"}}, {}};
  others[4].from = KeyBound{{int64_t{1}}};
  others[5].to = KeyBound{{int64_t{9}}};
  others[6].space.collection = CollectionId(7);
  others[7].version_rule = VersionRule::kOnly;
  for (const Query& other : others) {
    auto const refused = DecodeContinuation(*CompiledQuery::Make(other, history), token, kSecret);
    EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(refused.status().message(), "continuation token belongs to another query");
  }
}

TEST(ContinuationTest, DamageForgeryAndOtherFormatsAreRefused) {
  SchemaHistory const history = Orders();
  auto const query = CompiledQuery::Make(AllOrders(Distribution::kRange), history);
  for (std::string_view const secret : {kSecret, std::string_view()}) {
    std::string const token = EncodeContinuation(*query, FirstPage(*query, kNow), secret);
    auto const message = [&](std::string_view bytes) {
      auto const decoded = DecodeContinuation(*query, bytes, secret);
      EXPECT_EQ(decoded.status().code(), StatusCode::kInvalidArgument);
      return decoded.status().message();
    };
    for (size_t at = 0; at < token.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = token;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        EXPECT_THAT(
            message(damaged),
            HasSubstr(at == 0 ? "expected 1" : "is damaged or was made by another cluster"));
      }
      message(token.substr(0, at));
    }
    message(std::string(kTokenSizeBytesMax + 1, '\1'));
  }
  std::string const other = EncodeContinuation(*query, FirstPage(*query, kNow), "another secret");
  EXPECT_THAT(DecodeContinuation(*query, other, kSecret).status().message(),
              HasSubstr("was made by another cluster"));
}

}  // namespace
}  // namespace orochi::kv
