// Goal: every call of the client does at a node what its header says.
// Method: the whole service on one node in memory, over TCP and over a Unix socket.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "kv/client/client.h"
#include "kv/http/testing/single_node_server.h"

namespace orochi::kv::client {
namespace {

const Target kItems{.collection = "shop", .schema = "item"};

SchemaDefinition ItemSchema() {
  return {.name = "item",
          .version = 1,
          .fields = {{.name = "shelf", .type = "text"},
                     {.name = "place", .type = "int64", .descending = true},
                     {.name = "count", .type = "int64"},
                     {.name = "data", .type = "bytes"}},
          .partition_key = {"shelf"},
          .range_key = {"place"}};
}

Object Item(const char* shelf, int place, int count) {
  return {{"shelf", shelf},
          {"place", place},
          {"count", count},
          {"data", Bytes{std::string("\0\xff", 2)}}};
}

Object KeyOf(const char* shelf, int place) {
  return {{"shelf", shelf}, {"place", place}};
}

class ClientTest : public ::testing::Test {
 protected:
  explicit ClientTest(bool by_socket = false) {
    http::testing::SingleNodeServer::Options options;
    options.server.thread_count = 24;
    std::string address;
    if (by_socket) {
      options.server.socket_path = StrCat(directory_.path(), "/kv.sock");
      address = StrCat("unix:", options.server.socket_path);
    }
    server_ = std::make_unique<http::testing::SingleNodeServer>(options);
    if (!by_socket) {
      address = StrCat("127.0.0.1:", server_->port());
    }
    auto client = Client::Create({.nodes = {address}});
    EXPECT_TRUE(client.ok());
    client_ = *std::move(client);
  }

  void MakeShop() {
    auto const made = client_->CreateCollection({.name = "shop", .partition_count = 2});
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    auto const schema = client_->CreateSchema("shop", ItemSchema());
    ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  }
  int64_t CountOf(const char* shelf, int place) {
    auto const read = client_->Read(kItems, KeyOf(shelf, place));
    EXPECT_TRUE(read.ok()) << read.status().ToString();
    const Value* const count = read->record.Find("count");
    return count != nullptr ? count->AsInt64().value_or(-1) : -2;
  }

  orochi::testing::TempDir directory_;
  std::unique_ptr<http::testing::SingleNodeServer> server_;
  std::unique_ptr<Client> client_;
};

class UnixSocketTest : public ClientTest {
 protected:
  UnixSocketTest() : ClientTest(true) {}
};

void UseKeys(Client& client) {
  std::string const key = "a key/with?all #of% it";
  std::string const value("\0\r\n\xff value", 10);
  EXPECT_EQ((*client.GetKey(key)).has_value(), false);
  ASSERT_TRUE(client.PutKey(key, value).ok());
  EXPECT_EQ(*client.GetKey(key), value);
  ASSERT_TRUE(client.PutKey(key, "").ok());
  EXPECT_EQ(*client.GetKey(key), "");
  EXPECT_TRUE(*client.DeleteKey(key));
  EXPECT_FALSE(*client.DeleteKey(key));
  EXPECT_EQ(client.PutKey("", "x").code(), StatusCode::kInvalidArgument);
}

TEST_F(ClientTest, SimpleKeys) {
  UseKeys(*client_);
}
TEST_F(UnixSocketTest, SimpleKeys) {
  UseKeys(*client_);
}

TEST_F(ClientTest, CollectionsAndSchemas) {
  MakeShop();
  EXPECT_EQ(client_->CreateCollection({.name = "shop"}).status().code(),
            StatusCode::kAlreadyExists);
  auto const found = client_->FindCollection("shop");
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->definition.by_range);
  ASSERT_EQ(found->schemas.size(), 1u);
  EXPECT_EQ(found->schemas[0].first, "item");
  EXPECT_EQ(found->schemas[0].second, std::vector<uint64_t>{1});
  EXPECT_EQ((*client_->ListCollections()).size(), 1u);
  auto const schema = client_->FindSchema("shop", "item", 1);
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(schema->KeyFields(), (std::vector<std::string>{"shelf", "place"}));
  EXPECT_TRUE(schema->FindField("place")->descending);
  EXPECT_EQ(schema->FindField("data")->type, "bytes");
  EXPECT_EQ((*client_->ListSchemas("shop")).size(), 1u);
  EXPECT_EQ(client_->FindSchema("shop", "other").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(client_->Read({"shop", "other"}, KeyOf("a", 1)).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(client_->DropCollection("shop").ok());
  EXPECT_EQ(client_->FindCollection("shop").status().code(), StatusCode::kNotFound);
}

TEST_F(ClientTest, WritesAndTheirConditions) {
  MakeShop();
  auto const put = client_->WriteOne(Write::Put(kItems, Item("a", 1, 5)).Returning());
  ASSERT_TRUE(put.ok()) << put.status().ToString();
  EXPECT_GT(put->timestamp, 0u);
  EXPECT_TRUE(put->records[0] == Value(Item("a", 1, 5)));
  auto const read = client_->Read(kItems, KeyOf("a", 1));
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->record == Value(Item("a", 1, 5)));
  EXPECT_EQ(read->version, 1u);
  EXPECT_TRUE((*client_->Read(kItems, KeyOf("a", 2))).record.is_null());

  auto const inserted = client_->WriteOne(Write::Insert(kItems, Item("a", 1, 6)));
  ASSERT_TRUE(inserted.ok());
  EXPECT_FALSE(inserted->done);
  EXPECT_EQ(inserted->reason, "present");

  Object const more_than_nine{
      {"op", "GT"}, {"args", Value::Array{Object{{"field", "count"}}, Object{{"literal", 9}}}}};
  auto const filtered = client_->WriteOne(
      Write::Update(kItems, KeyOf("a", 1), {{"count", 0}}).If({.filter = more_than_nine}));
  EXPECT_EQ(filtered->reason, "filter");
  EXPECT_EQ(CountOf("a", 1), 5);
  auto const unchanged =
      client_->WriteOne(Write::Update(kItems, KeyOf("a", 1), {{"count", 10}})
                            .If({.is_present = true, .unchanged_since = read->timestamp}));
  EXPECT_TRUE(unchanged->done);
  EXPECT_EQ(CountOf("a", 1), 10);
  auto const changed = client_->WriteOne(
      Write::Delete(kItems, KeyOf("a", 1)).If({.unchanged_since = read->timestamp}));
  EXPECT_EQ(changed->reason, "changed");
  EXPECT_TRUE((*client_->WriteOne(Write::Delete(kItems, KeyOf("a", 1)))).done);
  EXPECT_TRUE((*client_->Read(kItems, KeyOf("a", 1))).record.is_null());
}

TEST_F(ClientTest, BatchesAreAllOrNothing) {
  MakeShop();
  auto const wrote =
      client_->WriteAll({Write::Put(kItems, Item("a", 1, 1)), Write::Put(kItems, Item("b", 1, 2))});
  ASSERT_TRUE(wrote.ok() && wrote->done);
  auto const batch =
      client_->RunBatch({{kItems, KeyOf("a", 1)}, {kItems, KeyOf("c", 1)}},
                        {Write::Put(kItems, Item("a", 1, 9)),
                         Write::Check(kItems, KeyOf("b", 1), {.is_present = false})});
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  EXPECT_FALSE(batch->written.done);
  EXPECT_EQ(batch->written.failed, 1u);
  ASSERT_EQ(batch->records.size(), 2u);
  EXPECT_TRUE(batch->records[0] == Value(Item("a", 1, 1)));
  EXPECT_TRUE(batch->records[1].is_null());
  EXPECT_EQ(CountOf("a", 1), 1);
}

TEST_F(ClientTest, QueriesByPage) {
  MakeShop();
  for (int place = 0; place < 25; ++place) {
    ASSERT_TRUE(client_->WriteOne(Write::Put(kItems, Item("a", place, place))).ok());
  }
  Query query{.in = kItems, .prefix = {"a"}, .page_records = 10};
  std::vector<int64_t> places;
  ASSERT_TRUE(client_
                  ->Scan(query,
                         [&](const Value& record) {
                           places.push_back(*record.Find("place")->AsInt64());
                           return true;
                         })
                  .ok());
  ASSERT_EQ(places.size(), 25u);
  EXPECT_EQ(places.front(), 24) << "the field is descending";
  query.reverse = true;
  query.limit = 3;
  query.projection = {"count"};
  query.from = Query::Bound{.fields = {"a", 20}, .inclusive = false};
  auto const page = client_->RunQuery(query);
  ASSERT_TRUE(page.ok()) << page.status().ToString();
  EXPECT_EQ(page->records.size(), 3u);
  EXPECT_TRUE(page->records[0].Find("data")->is_null());
}

TEST_F(ClientTest, ATransactionIsSeenWhenItIsCommitted) {
  MakeShop();
  auto transaction = client_->Begin();
  ASSERT_TRUE(transaction.ok());
  EXPECT_TRUE(transaction->anchor().empty());
  ASSERT_TRUE(transaction->WriteAll({Write::Put(kItems, Item("a", 1, 1))}).ok());
  EXPECT_FALSE(transaction->anchor().empty());
  EXPECT_TRUE((*transaction->Read(kItems, KeyOf("a", 1))).record == Value(Item("a", 1, 1)));
  EXPECT_EQ((*transaction->RunQuery({.in = kItems})).records.size(), 1u);
  EXPECT_TRUE(transaction->Heartbeat().ok());
  EXPECT_EQ((*transaction->Ask()).kind, Outcome::Kind::kOpen);
  auto const committed = transaction->Commit();
  ASSERT_TRUE(committed.ok()) << committed.status().ToString();
  EXPECT_EQ((*transaction->Ask()).kind, Outcome::Kind::kCommitted);
  EXPECT_EQ((*client_->Ask(transaction->id(), transaction->anchor())).timestamp, *committed);
  EXPECT_EQ(CountOf("a", 1), 1);
}

TEST_F(ClientTest, ATransactionLeftOpenIsAborted) {
  MakeShop();
  std::string id;
  {
    auto transaction = client_->Begin(Isolation::kSnapshot);
    ASSERT_TRUE(transaction.ok());
    id = transaction->id();
    ASSERT_TRUE(transaction->WriteOne(Write::Put(kItems, Item("a", 1, 1))).ok());
  }
  EXPECT_EQ((*client_->Ask(id, "")).kind, Outcome::Kind::kAborted);
  EXPECT_EQ(CountOf("a", 1), -2);
}

TEST_F(ClientTest, ConcurrentTransactionsLoseNothing) {
  MakeShop();
  ASSERT_TRUE(client_->WriteOne(Write::Put(kItems, Item("a", 1, 0))).ok());
  constexpr int kThreads = 4;
  constexpr int kRounds = 10;
  std::vector<std::thread> threads;
  std::atomic<int> done{0};
  for (int index = 0; index < kThreads; ++index) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        Status const ran = client_->RunTransaction([&](Transaction& transaction) {
          ASSIGN_OR_RETURN(ReadAnswer read, transaction.Read(kItems, KeyOf("a", 1)));
          int64_t const count = *read.record.Find("count")->AsInt64();
          ASSIGN_OR_RETURN(
              Written const written,
              transaction.WriteOne(Write::Update(kItems, KeyOf("a", 1), {{"count", count + 1}})));
          return written.done ? Status::Ok() : Status::Internal("no condition was given");
        });
        if (ran.ok()) {
          ++done;
        } else {
          EXPECT_EQ(ran.code(), StatusCode::kAborted) << ran.ToString();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GT(done, kThreads);
  EXPECT_EQ(CountOf("a", 1), done.load());
}

TEST_F(ClientTest, OverloadIsWaitedOut) {
  server_->RefuseTasks(true);
  EXPECT_EQ(client_->Call({.target = "/healthz", .only_node = 0}).status.code(),
            StatusCode::kResourceExhausted);
  std::thread later([&] {
    io::Poll({}, 50);  // so that the write below is refused at least once, most times
    server_->RefuseTasks(false);
  });
  EXPECT_TRUE(client_->PutKey("a", "b").ok());
  later.join();
}

}  // namespace
}  // namespace orochi::kv::client
