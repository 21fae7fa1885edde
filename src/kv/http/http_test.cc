// Goal: everything that /v1 says it does is so over real HTTP, in JSON and MessagePack, with the
// status codes of the table; what cannot be done, or not in time, is told as documented.
// Method: a client of another hand (cpp-httplib's) against the whole service on one node in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "kv/http/testing/single_node_server.h"

namespace orochi::kv::http {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::SingleNodeServer;

struct Got {
  int status = 0;
  json body;
};

class HttpTest : public ::testing::Test {
 protected:
  explicit HttpTest(SingleNodeServer::Options options = Fast())
      : server_(std::move(options)), client_("127.0.0.1", server_.port()) {
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);
    EXPECT_EQ(Post("/v1/collections", {{"name", "shop"}, {"partitions", 2}}).status, 201);
    EXPECT_EQ(Post("/v1/collections/shop/schemas", ItemSchema(1)).status, 201);
  }
  static SingleNodeServer::Options Fast() {
    SingleNodeServer::Options options;
    options.server.thread_count = 4;
    return options;
  }

  static json ItemSchema(int version) {
    json schema = json::parse(R"({"name": "item", "version": 1,
      "fields": [{"name": "shelf", "type": "text"}, {"name": "place", "type": "int64"},
                 {"name": "count", "type": "int64"}, {"name": "note", "type": "text"}],
      "partition_key": ["shelf"], "range_key": ["place"]})");
    schema["version"] = version;
    return schema;
  }
  static json Named(json more) {
    more["collection"] = "shop";
    more["schema"] = "item";
    return more;
  }
  static json Put(const std::string& shelf, int64_t place, int64_t count) {
    return Named(
        {{"op", "put"},
         {"record", {{"shelf", shelf}, {"place", place}, {"count", count}, {"note", nullptr}}}});
  }
  static json Key(const std::string& shelf, int64_t place) {
    return {{"shelf", shelf}, {"place", place}};
  }

  Got Take(const httplib::Result& result) {
    if (!result) {
      ADD_FAILURE() << "no answer: " << httplib::to_string(result.error());
      return {};
    }
    last_ = *result;
    return {.status = result->status, .body = json::parse(result->body, nullptr, false)};
  }
  Got Post(const std::string& path, const json& body) {
    return Take(client_.Post(path.c_str(), body.dump(), "application/json"));
  }
  Got PostNothing(const std::string& path) { return Take(client_.Post(path.c_str())); }
  Got Get(const std::string& path) { return Take(client_.Get(path.c_str())); }
  Got Delete(const std::string& path) { return Take(client_.Delete(path.c_str())); }

  SingleNodeServer server_;
  httplib::Client client_;
  httplib::Response last_;
};

TEST_F(HttpTest, OneRecordFromPutToDelete) {
  Got const put = Post("/v1/write", Put("a", 1, 5));
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_TRUE(put.body["timestamp"].is_string());
  Got const read = Post("/v1/read", Named({{"key", Key("a", 1)}}));
  ASSERT_EQ(read.status, 200) << read.body;
  EXPECT_EQ(read.body["record"],
            json({{"shelf", "a"}, {"place", 1}, {"count", 5}, {"note", nullptr}}));
  EXPECT_EQ(read.body["version"], 1);
  json update =
      Named({{"op", "update"}, {"key", Key("a", 1)}, {"set", {{"count", 6}}}, {"return", true}});
  Got const updated = Post("/v1/write", update);
  ASSERT_EQ(updated.status, 200) << updated.body;
  EXPECT_EQ(updated.body["records"][0]["count"], 6);
  EXPECT_EQ(Post("/v1/write", Named({{"op", "delete"}, {"key", Key("a", 1)}})).status, 200);
  Got const gone = Post("/v1/read", Named({{"key", Key("a", 1)}}));
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.body["code"], "not_found");
}

TEST_F(HttpTest, ConditionsThatDoNotHoldAre412WithTheReason) {
  ASSERT_EQ(Post("/v1/write", Put("a", 1, 5)).status, 200);
  json insert = Put("a", 1, 6);
  insert["op"] = "insert";
  insert["return"] = true;
  Got const present = Post("/v1/write", insert);
  EXPECT_EQ(present.status, 412);
  EXPECT_EQ(present.body["code"], "condition_failed");
  EXPECT_EQ(present.body["reason"], "present");
  EXPECT_EQ(present.body["record"]["count"], 5);
  json filtered = Named(
      {{"op", "update"},
       {"key", Key("a", 1)},
       {"set", {{"count", 7}}},
       {"if", {{"filter", {{"op", "GT"}, {"args", {{{"field", "count"}}, {{"literal", 5}}}}}}}}});
  EXPECT_EQ(Post("/v1/write", filtered).body["reason"], "filter");
  Got const read = Post("/v1/read", Named({{"key", Key("a", 1)}}));
  ASSERT_EQ(Post("/v1/write", Put("a", 1, 9)).status, 200);
  json guarded = Put("a", 1, 10);
  guarded["if"] = {{"unchanged_since", read.body["timestamp"]}};
  EXPECT_EQ(Post("/v1/write", guarded).body["reason"], "changed");
  guarded["if"] = {
      {"unchanged_since", Post("/v1/read", Named({{"key", Key("a", 1)}})).body["timestamp"]}};
  EXPECT_EQ(Post("/v1/write", guarded).status, 200);
  json absent = Named({{"op", "update"}, {"key", Key("b", 1)}, {"set", {{"count", 7}}}});
  Got const batch = Post("/v1/write", {{"writes", {Put("c", 1, 1), absent}}});
  EXPECT_EQ(batch.status, 412);
  EXPECT_EQ(batch.body["reason"], "absent");
  EXPECT_EQ(batch.body["failed"], 1);
  EXPECT_EQ(Post("/v1/read", Named({{"key", Key("c", 1)}})).status, 404) << "all or nothing";
}

TEST_F(HttpTest, TransactionsBetweenCalls) {
  Got const begun = PostNothing("/v1/txn/begin");
  ASSERT_EQ(begun.status, 201) << begun.body;
  std::string const path = StrCat("/v1/txn/", begun.body["transaction"].get<std::string>());
  ASSERT_EQ(Post(StrCat(path, "/write"), Put("a", 1, 5)).status, 200);
  EXPECT_EQ(Post(StrCat(path, "/read"), Named({{"key", Key("a", 1)}})).body["record"]["count"], 5);
  EXPECT_EQ(Post("/v1/read", Named({{"key", Key("a", 1)}})).status, 404);
  EXPECT_EQ(Post(StrCat(path, "/query"), Named(json::object())).body["records"].size(), 1u);
  EXPECT_EQ(PostNothing(StrCat(path, "/heartbeat")).status, 200);
  EXPECT_EQ(Get(path).body["outcome"], "open");
  Got const committed = PostNothing(StrCat(path, "/commit"));
  ASSERT_EQ(committed.status, 200) << committed.body;
  EXPECT_EQ(Get(path).body["outcome"], "committed");
  EXPECT_EQ(Get(path).body["timestamp"], committed.body["timestamp"]);
  Got const again = PostNothing(StrCat(path, "/commit"));
  EXPECT_EQ(again.status, 410);
  EXPECT_EQ(again.body["code"], "transaction_gone");
  EXPECT_EQ(Post("/v1/read", Named({{"key", Key("a", 1)}})).body["record"]["count"], 5);

  Got const other = Post("/v1/txn/begin", {{"isolation", "snapshot"}});
  std::string const other_path = StrCat("/v1/txn/", other.body["transaction"].get<std::string>());
  ASSERT_EQ(Post(StrCat(other_path, "/read"), Named({{"key", Key("a", 1)}})).status, 200);
  ASSERT_EQ(Post("/v1/write", Put("a", 1, 6)).status, 200);
  Got const conflict = Post(StrCat(other_path, "/write"), Put("a", 1, 7));
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.body["code"], "conflict");
  EXPECT_EQ(PostNothing(StrCat(other_path, "/abort")).status, 200);
  EXPECT_EQ(Get("/v1/txn/nonsense").status, 400);
  EXPECT_EQ(Get("/v1/txn/0000000000000000000000000000000a-000000000000000b").status, 404);
}

TEST_F(HttpTest, BatchesReadAndWriteAsOneTransaction) {
  ASSERT_EQ(Post("/v1/write", {{"writes", {Put("a", 1, 5), Put("b", 1, 6)}}}).status, 200);
  Got const batch =
      Post("/v1/txn", {{"reads", {Named({{"key", Key("a", 1)}}), Named({{"key", Key("z", 1)}})}},
                       {"writes", {Put("a", 1, 7)}}});
  ASSERT_EQ(batch.status, 200) << batch.body;
  EXPECT_EQ(batch.body["reads"][0]["count"], 5);
  EXPECT_EQ(batch.body["reads"][1], nullptr);
  EXPECT_EQ(Post("/v1/read", Named({{"key", Key("a", 1)}})).body["record"]["count"], 7);
}

TEST_F(HttpTest, QueriesByPageWithFilterAndProjection) {
  json writes = json::array();
  for (int64_t place = 0; place < 10; ++place) {
    writes.push_back(Put("a", place, place * place));
  }
  ASSERT_EQ(Post("/v1/write", {{"writes", writes}}).status, 200);
  json query =
      Named({{"prefix", {"a"}},
             {"reverse", true},
             {"projection", {"place"}},
             {"filter", {{"op", "GT"}, {"args", {{{"field", "count"}}, {{"literal", 3}}}}}},
             {"from", {{"fields", {"a", 1}}}},
             {"to", {{"fields", {"a", 8}}, {"inclusive", false}}},
             {"page", {{"records", 2}}}});
  std::vector<int64_t> places;
  for (int page = 0; page < 10; ++page) {
    Got const got = Post("/v1/query", query);
    ASSERT_EQ(got.status, 200) << got.body;
    for (const json& record : got.body["records"]) {
      places.push_back(record["place"].get<int64_t>());
      EXPECT_TRUE(record["count"].is_null());
    }
    if (!got.body.contains("token")) {
      break;
    }
    query["token"] = got.body["token"];
  }
  EXPECT_THAT(places, ::testing::ElementsAre(7, 6, 5, 4, 3, 2));
  query["token"] = "AAAA";
  EXPECT_EQ(Post("/v1/query", query).status, 400);
}

TEST_F(HttpTest, CollectionsAndSchemas) {
  EXPECT_EQ(Post("/v1/collections", {{"name", "shop"}}).status, 409);
  EXPECT_EQ(Post("/v1/collections", {{"name", ""}}).status, 400);
  EXPECT_EQ(Post("/v1/collections", {{"name", "r"}, {"distribution", "ring"}}).status, 400);
  ASSERT_EQ(Post("/v1/collections", {{"name", "ranges"}, {"distribution", "range"}}).status, 201);
  EXPECT_EQ(Get("/v1/collections").body["collections"].size(), 2u);
  EXPECT_EQ(Get("/v1/collections/ranges").body["distribution"], "range");
  EXPECT_EQ(Get("/v1/collections/nothing").status, 404);
  // A second version renames a field.
  json second = ItemSchema(2);
  second["fields"][3]["name"] = "remark";
  Got const added = Post("/v1/collections/shop/schemas",
                         {{"schema", second}, {"base", 1}, {"renames", {{"note", "remark"}}}});
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.body["fields"][3]["id"], 4) << "the same field";
  EXPECT_EQ(Post("/v1/collections/shop/schemas", second).status, 409) << "it is there";
  json other_key = ItemSchema(3);
  other_key["range_key"] = json::array();
  EXPECT_EQ(Post("/v1/collections/shop/schemas", other_key).status, 409) << "keys do not change";
  EXPECT_EQ(Get("/v1/collections/shop/schemas/item").body["version"], 2);
  EXPECT_EQ(Get("/v1/collections/shop/schemas/item?version=1").body["version"], 1);
  EXPECT_EQ(Get("/v1/collections/shop/schemas/item?version=7").status, 404);
  EXPECT_EQ(Get("/v1/collections/shop/schemas/item?version=x").status, 400);
  EXPECT_EQ(Get("/v1/collections/shop/schemas").body["schemas"].size(), 1u);
  EXPECT_EQ(Delete("/v1/collections/ranges").status, 200);
  EXPECT_EQ(Delete("/v1/collections/ranges").status, 404);
}

TEST_F(HttpTest, MessagePackSaysTheSame) {
  auto const bytes = json::to_msgpack(Put("a", 1, 5));
  auto const put =
      client_.Post("/v1/write", std::string(bytes.begin(), bytes.end()), "application/x-msgpack");
  ASSERT_TRUE(put);
  ASSERT_EQ(put->status, 200);
  EXPECT_EQ(put->get_header_value("Content-Type"), "application/x-msgpack");
  EXPECT_TRUE(json::from_msgpack(put->body)["timestamp"].is_number());
  httplib::Headers const accepts = {{"Accept", "application/x-msgpack"}};
  auto const read =
      client_.Post("/v1/read", accepts, Named({{"key", Key("a", 1)}}).dump(), "application/json");
  ASSERT_TRUE(read);
  EXPECT_EQ(json::from_msgpack(read->body)["record"]["count"], 5);
}

TEST_F(HttpTest, BadRequestsAreToldWhatIsWrong) {
  struct Case {
    std::string path;
    std::string body;
    std::string type;
    int status;
    std::string message;
  };
  std::string const json_type = "application/json";
  for (const Case& one : std::vector<Case>{
           {"/v1/read", "{", json_type, 400, "byte"},
           {"/v1/read", "[]", json_type, 400, "expected an object"},
           {"/v1/read", "{}", json_type, 400, "collection"},
           {"/v1/read", Named({{"key", Key("a", 1)}, {"kee", 1}}).dump(), json_type, 400, "kee"},
           {"/v1/read", Named({{"key", {{"shelf", "a"}}}}).dump(), json_type, 400, "place"},
           {"/v1/read", Named({{"key", Key("a", 1)}}).dump(), "text/plain", 415, "text/plain"},
           {"/v1/read", "\xc1", "application/x-msgpack", 400, ""},
           {"/v1/write", Named({{"op", "upsert"}}).dump(), json_type, 400, "upsert"},
           {"/v1/write", Named({{"op", "put"}, {"key", 1}}).dump(), json_type, 400, "'record'"},
           {"/v1/query", Named({{"projection", {"nothing"}}}).dump(), json_type, 400, "nothing"},
           {"/v1/query", Named({{"page", {{"records", 0}}}}).dump(), json_type, 400, "records"},
           {"/v1/txn", R"({"reads": 3})", json_type, 400, "reads"},
           {"/v1/txn/begin", R"({"isolation": "none"})", json_type, 400, "none"},
           {"/v1/nothing", "{}", json_type, 404, "/v1/nothing"},
           {"/v1/status", "{}", json_type, 405, "GET"}}) {
    SCOPED_TRACE(StrCat(one.path, " ", one.body));
    auto const got = client_.Post(one.path.c_str(), one.body, one.type.c_str());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, one.status);
    json const body = got->get_header_value("Content-Type") == json_type
                          ? json::parse(got->body)
                          : json::from_msgpack(got->body);
    EXPECT_THAT(body["message"].get<std::string>(), HasSubstr(one.message));
    EXPECT_FALSE(body["code"].get<std::string>().empty());
  }
  httplib::Headers const page = {{"Origin", "http://elsewhere"}};
  auto const foreign = client_.Post("/v1/write", page, Put("a", 1, 1).dump(), "application/json");
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->status, 403);
  EXPECT_EQ(Post("/v1/read", Named({{"key", Key("a", 1)}})).status, 404) << "nothing was written";
}

TEST_F(HttpTest, SimpleKeys) {
  EXPECT_EQ(Get("/v1/api/keys/one").status, 404);
  EXPECT_EQ(Delete("/v1/api/keys/one").status, 404);
  std::string const value("any \0 bytes \xff", 13);
  auto const put = client_.Post("/v1/api/keys/a/b%20c", value, "application/octet-stream");
  ASSERT_TRUE(put);
  EXPECT_EQ(put->status, 201);
  Get("/v1/api/keys/a/b%20c");
  EXPECT_EQ(last_.status, 200);
  EXPECT_EQ(last_.body, value);
  EXPECT_EQ(Delete("/v1/api/keys/a/b%20c").status, 200);
  EXPECT_EQ(Get("/v1/api/keys/a/b%20c").status, 404);
  EXPECT_EQ(Get("/v1/api/keys/").status, 400);
}

TEST_F(HttpTest, HealthReadinessStatusAndMetrics) {
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/v1/api/readiness").status, 200);
  EXPECT_EQ(Get("/metrics").status, 200);
  Got const status = Get("/v1/status");
  EXPECT_EQ(status.body["ready"], true);
  EXPECT_EQ(status.body["collections"], 1);
}

TEST_F(HttpTest, OverloadAndMissingLeadersSayWhenToComeBack) {
  server_.RefuseTasks(true);
  EXPECT_EQ(Post("/v1/write", Put("a", 1, 5)).status, 429);
  EXPECT_EQ(last_.get_header_value("Retry-After"), "1");
  server_.RefuseTasks(false);
  server_.OnLoop([&] { server_.node().RefuseAll(true); });
  Got const refused = Post("/v1/write", Put("a", 1, 5));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body["code"], "unavailable");
  EXPECT_EQ(last_.get_header_value("Retry-After"), "1");
  server_.OnLoop([&] {
    server_.node().RefuseAll(false);
    server_.node().LoseAnswers(true);
  });
  Got const unknown = Post("/v1/write", Put("a", 1, 5));
  EXPECT_EQ(unknown.status, 504);
  EXPECT_EQ(unknown.body["code"], "outcome_unknown");
  EXPECT_FALSE(last_.has_header("Retry-After"));
}

TEST_F(HttpTest, AnUnknownCommitNamesWhereToAsk) {
  Got const begun = PostNothing("/v1/txn/begin");
  std::string const path = StrCat("/v1/txn/", begun.body["transaction"].get<std::string>());
  ASSERT_EQ(Post(StrCat(path, "/write"), Put("a", 1, 5)).status, 200);
  server_.OnLoop([&] { server_.node().LoseCommitAnswers(true); });
  Got const unknown = PostNothing(StrCat(path, "/commit"));
  EXPECT_EQ(unknown.status, 504);
  EXPECT_EQ(unknown.body["outcome"], "unknown");
  EXPECT_EQ(unknown.body["transaction"], begun.body["transaction"]);
  std::string const anchor = unknown.body["anchor"].get<std::string>();
  EXPECT_EQ(Get(path).body["outcome"], "committed");
  httplib::Params const parameters = {{"anchor", anchor}};
  auto const asked = client_.Get(path.c_str(), parameters, httplib::Headers());
  ASSERT_TRUE(asked);
  EXPECT_EQ(json::parse(asked->body)["outcome"], "committed");
}

class SlowHttpTest : public HttpTest {
 protected:
  SlowHttpTest() : HttpTest(Slow()) {}
  static SingleNodeServer::Options Slow() {
    SingleNodeServer::Options options = Fast();
    options.server.deadline_us = 300'000;
    options.server.body_size_bytes_max = 100'000;
    return options;
  }
};

TEST_F(SlowHttpTest, PassedDeadlinesAre504AndNameTheTransaction) {
  Got const begun = PostNothing("/v1/txn/begin");
  std::string const id = begun.body["transaction"].get<std::string>();
  server_.OnLoop([&] { server_.node().StopOracle(true); });
  EXPECT_EQ(Post("/v1/read", Named({{"key", Key("a", 1)}})).body["code"], "deadline");
  ASSERT_EQ(Post(StrCat("/v1/txn/", id, "/read"), Named({{"key", Key("b", 1)}})).status, 404);
  // A blind write needs a fresh stamp when somebody read the record later; there is none now.
  server_.OnLoop([&] { server_.node().StopOracle(false); });
  ASSERT_EQ(Post("/v1/read", Named({{"key", Key("a", 1)}})).status, 404);
  server_.OnLoop([&] { server_.node().StopOracle(true); });
  Got const late = Post(StrCat("/v1/txn/", id, "/write"), Put("a", 1, 5));
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(late.body["transaction"], id);
}

TEST_F(SlowHttpTest, LargeBodiesAndLongPathsAreRefused) {
  auto const large = client_.Post("/v1/write", std::string(200'000, ' '), "application/json");
  ASSERT_TRUE(large);
  EXPECT_EQ(large->status, 413);
  // The same in chunks, whose size nobody knows before.
  auto const chunked = client_.Post(
      "/v1/write",
      [](size_t offset_bytes, httplib::DataSink& sink) {
        std::string const chunk(10'000, ' ');
        if (offset_bytes < 200'000) {
          return sink.write(chunk.data(), chunk.size());
        }
        sink.done();
        return true;
      },
      "application/json");
  EXPECT_TRUE(!chunked || chunked->status == 413);
  httplib::Client other("127.0.0.1", server_.port());
  auto const at_limit = other.Get(("/v1/api/keys/" + std::string(8'000, 'k')).c_str());
  ASSERT_TRUE(at_limit);
  EXPECT_EQ(at_limit->status, 404);
  auto const longer = other.Get(("/" + std::string(10'000, 'k')).c_str());
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->status, 414);
}

TEST(UnixSocketTest, ServesThereAndNowhereElse) {
  orochi::testing::TempDir const directory;
  SingleNodeServer::Options options;
  options.server.thread_count = 2;
  options.server.socket_path = StrCat(directory.path(), "/kv.sock");
  SingleNodeServer server(options);
  EXPECT_EQ(server.port(), 0);
  httplib::Client client(options.server.socket_path);
  client.set_address_family(AF_UNIX);
  auto const got = client.Get("/healthz");
  ASSERT_TRUE(got) << httplib::to_string(got.error());
  EXPECT_EQ(got->status, 200);
}

}  // namespace
}  // namespace orochi::kv::http
