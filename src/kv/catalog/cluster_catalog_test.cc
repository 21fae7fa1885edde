// Goal: collections and schemas are decided once, by the meta group, and known on every node.
// Method: catalogs on the nodes of a simulated cluster without faults, and with lost messages.
#include "kv/catalog/cluster_catalog.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "kv/node/simulation/process.h"

namespace orochi::kv {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

SchemaDefinition Orders(uint32_t version) {
  SchemaDefinition schema{.name = "orders", .version = SchemaVersion(version)};
  schema.fields = {{.name = "customer", .order = {.type = FieldType::kText}},
                   {.name = "number", .order = {.type = FieldType::kInt64, .descending = true}}};
  for (uint32_t more = 1; more < version; ++more) {
    schema.fields.push_back({.name = StrCat("more", more)});
  }
  schema.partition_key = {0};
  schema.range_key = {1};
  return schema;
}

class ClusterCatalogTest : public testing::Test {
 protected:
  ClusterCatalogTest() {
    std::vector<NodeRecord> nodes;
    for (uint32_t number = 1; number <= 4; ++number) {
      nodes.push_back(
          {.number = NodeNumber(number), .identity = StrCat("a node's identi", number)});
    }
    for (const NodeRecord& node : nodes) {
      processes_.push_back(std::make_unique<simulation::Process>(
          NodeOptions{.number = node.number},
          log::LogOptions{.segment_size_bytes = 1 << 20, .batch_size_bytes_max = 64 << 10},
          simulation::Pace(), queue_, random_, ever_,
          simulation::Process::Outside{
              .send = [this](NodeNumber from, NodeNumber to, std::vector<PeerMessage> messages) {
                if (random_.Below(100) < lost_percent_) {
                  return;
                }
                queue_.After(500, [this, from, to, messages = std::move(messages)] {
                  processes_[to.value() - 1]->Receive(from, messages);
                });
              }}));
      processes_.back()->Start(nodes);
      catalogs_.push_back(std::make_unique<ClusterCatalog>(processes_.back()->node(), random_));
    }
  }
  ~ClusterCatalogTest() override { catalogs_.clear(); }

  // Runs until `call`'s answer is there.
  template <class Answer, class Call>
  Answer Await(size_t at, Call call) {
    std::optional<Answer> got;
    processes_[at]->Do([&](Node&) { call(*catalogs_[at], [&](Answer answer) { got = answer; }); });
    int64_t const until_us = queue_.now_us() + 60 * kSecondUs;
    while (!got && queue_.now_us() < until_us) {
      queue_.RunNext();
    }
    EXPECT_TRUE(got.has_value()) << "no answer";
    return *got;
  }
  Result<Catalog::Collection> Create(size_t at, CollectionDefinition definition) {
    return Await<Result<Catalog::Collection>>(
        at, [&](Catalog& catalog, auto done) { catalog.CreateCollection(definition, done); });
  }
  Status Drop(size_t at, const std::string& name) {
    return Await<Status>(at,
                         [&](Catalog& catalog, auto done) { catalog.DropCollection(name, done); });
  }
  Result<std::shared_ptr<const Schema>> AddSchema(size_t at, const std::string& collection,
                                                  const SchemaDefinition& schema) {
    return Await<Result<std::shared_ptr<const Schema>>>(at, [&](Catalog& catalog, auto done) {
      catalog.CreateSchema(collection, schema, {}, done);
    });
  }
  void Refresh(size_t at) {
    Status const status =
        Await<Status>(at, [&](Catalog& catalog, auto done) { catalog.Refresh(done); });
    EXPECT_TRUE(status.ok()) << status.message();
  }

  SeededRandom random_{1};
  sim::EventQueue queue_;
  MapState ever_;
  uint64_t lost_percent_ = 0;
  std::vector<std::unique_ptr<simulation::Process>> processes_;
  std::vector<std::unique_ptr<ClusterCatalog>> catalogs_;
};

TEST_F(ClusterCatalogTest, WhatOneNodeDecidesAllKnow) {
  auto const made = Create(3, {.name = "shop"});
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ((*made)->definition.partition_count, 32U);
  ASSERT_TRUE(AddSchema(1, "shop", Orders(1)).ok());
  ASSERT_TRUE(AddSchema(2, "shop", Orders(2)).ok());
  for (size_t at = 0; at < 4; ++at) {
    Refresh(at);
    auto const collection = catalogs_[at]->Find("shop");
    ASSERT_NE(collection, nullptr);
    EXPECT_EQ(collection->id, (*made)->id);
    ASSERT_NE(collection->FindSchema("orders"), nullptr);
    EXPECT_EQ(collection->FindSchema("orders")->Newest()->version(), SchemaVersion(2));
    EXPECT_EQ(processes_[at]->node().map().partitions().size(), 33U);
  }
  EXPECT_EQ(Create(0, {.name = "shop"}).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(AddSchema(0, "shop", Orders(2)).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(AddSchema(0, "none", Orders(2)).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Create(0, {.name = ""}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ClusterCatalogTest, NumbersAreNotGivenTwice) {
  auto const first = Create(0, {.name = "one", .distribution = Distribution::kRange});
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(Drop(1, "one").ok());
  EXPECT_EQ(Drop(1, "one").code(), StatusCode::kNotFound);
  auto const second = Create(2, {.name = "one", .partition_count = 3});
  ASSERT_TRUE(second.ok());
  EXPECT_GT((*second)->id, (*first)->id);
  Refresh(0);
  EXPECT_EQ(processes_[0]->node().map().partitions().size(), 4U);
}

TEST_F(ClusterCatalogTest, ManyAtOnceAreAllDecided) {
  lost_percent_ = 10;
  std::vector<std::optional<Result<Catalog::Collection>>> made(8);
  for (size_t index = 0; index < made.size(); ++index) {
    size_t const at = index % 4;
    processes_[at]->Do([&](Node&) {
      catalogs_[at]->CreateCollection(
          {.name = StrCat("c", index), .partition_count = 1},
          [&, index](const Result<Catalog::Collection>& answer) { made[index] = answer; });
    });
  }
  int64_t const until_us = queue_.now_us() + 60 * kSecondUs;
  while (queue_.now_us() < until_us) {
    queue_.RunNext();
  }
  lost_percent_ = 0;
  Refresh(0);
  for (size_t index = 0; index < made.size(); ++index) {
    ASSERT_TRUE(made[index].has_value()) << index;
    bool const is_there = catalogs_[0]->Find(StrCat("c", index)) != nullptr;
    if (made[index]->ok()) {
      EXPECT_TRUE(is_there) << index;
    } else {
      EXPECT_NE(made[index]->status().code(), StatusCode::kAlreadyExists) << "its own";
    }
  }
}

TEST(CollectionCodec, SurvivesAndRefuses) {
  StoredCollection stored{
      .info = {.id = CollectionId(7), .definition = {.name = "shop", .partition_count = 16}},
      .changed_by = std::string(16, 'x')};
  auto& history = stored.info.schemas.try_emplace("orders", SchemaId(1)).first->second;
  ASSERT_TRUE(history.Add(Orders(1), {}).ok());
  ASSERT_TRUE(history.Add(Orders(3), {}).ok());
  std::string const bytes = EncodeCollection(stored);
  auto const decoded = DecodeCollection(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_EQ(EncodeCollection(*decoded), bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeCollection(bytes.substr(0, size)).status().code(), StatusCode::kCorruption);
  }
  std::vector<KeySpan> const spans = SpansOf(stored.info);
  ASSERT_EQ(spans.size(), 16U);
  for (size_t index = 1; index < spans.size(); ++index) {
    EXPECT_EQ(spans[index - 1].end, spans[index].begin);
    EXPECT_LT(spans[index].begin, spans[index].end);
  }
}

}  // namespace
}  // namespace orochi::kv
