// Goal: clients of the chogori platform's HTTP proxy get what that gave them: the same arrays, the
// same codes, for every call.
// Method: MessagePack made and read by another library (nlohmann's), over real HTTP. The story of
// each test follows what such clients do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <nlohmann/json.hpp>

#include "base/str_cat.h"
#include "kv/http/testing/single_node_server.h"

namespace orochi::kv::http {
namespace {

using nlohmann::json;
using testing::SingleNodeServer;

constexpr int kTextType = 1;
constexpr int kInt32Type = 3;

json Bin(const std::string& text) {
  return json::binary({text.begin(), text.end()});
}
std::string TextOf(const json& bin) {
  const auto& bytes = bin.get_binary();
  return {bytes.begin(), bytes.end()};
}
std::string Pack(const json& value) {
  auto const bytes = json::to_msgpack(value);
  return {bytes.begin(), bytes.end()};
}

struct Got {
  int code = 0;
  std::string message;
  json response;
};

class DialectTest : public ::testing::Test {
 protected:
  explicit DialectTest(SingleNodeServer::Options options = Options())
      : server_(std::move(options)), client_("127.0.0.1", server_.port()) {
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);
    EXPECT_EQ(Call("CreateCollection", json::array({Metadata("hashed", 1), json::array()})).code,
              201);
    EXPECT_EQ(Call("CreateSchema", json::array({Bin("hashed"), Schema("thing", 1)})).code, 201);
  }

  static SingleNodeServer::Options Options() {
    SingleNodeServer::Options options;
    options.server.thread_count = 2;
    options.service.dialect_query_count_max = 3;
    return options;
  }

  Got Take(const httplib::Result& result) {
    if (!result || result->status != 200) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    EXPECT_EQ(result->get_header_value("Content-Type"), "application/x-msgpack");
    json const all = json::from_msgpack(result->body);
    EXPECT_EQ(all.size(), 2u);
    return {.code = all[0][0].get<int>(), .message = TextOf(all[0][1]), .response = all[1]};
  }
  Got Call(const std::string& name, const json& body) {
    return Take(client_.Post(("/api/" + name).c_str(), Pack(body), "application/x-msgpack"));
  }
  Got CallRaw(const std::string& name, const std::string& body, const char* type) {
    return Take(client_.Post(("/api/" + name).c_str(), body, type));
  }

  static json Metadata(const std::string& name, int scheme) {
    return json::array(
        {Bin(name), scheme, 0, json::array({0, 0, 0, 2}), 18'000'000'000'000, 0, false});
  }
  static json Field(int type, const std::string& name) {
    return json::array({type, Bin(name), false, false});
  }
  static json Schema(const std::string& name, int version) {
    return json::array({Bin(name), version,
                        json::array({Field(kTextType, "first"), Field(kTextType, "second"),
                                     Field(kTextType, "data"), Field(kInt32Type, "number")}),
                        json::array({0}), json::array({1})});
  }
  // nullptr in `fields` is NULL; fewer than the schema has are the first ones.
  static json Storage(const json& fields, int version = 1) {
    json excluded = json::array();
    std::string data;
    bool any = false;
    for (const json& field : fields) {
      any = any || field.is_null();
      excluded.push_back(field.is_null());
      data += field.is_null() ? "" : Pack(field.is_string() ? Bin(field) : field);
    }
    return json::array({any ? excluded : json::array(), fields.size(), Bin(data), version});
  }
  static json NoStorage() { return json::array({json::array(), 0, Bin(""), 0}); }

  json Begin() {
    Got const begun = Call("TxnBegin", json::array({json::array({1'000'000'000, 128, false})}));
    EXPECT_EQ(begun.code, 201);
    EXPECT_EQ(begun.response[0].size(), 3u);
    return begun.response[0];
  }
  Got End(const json& timestamp, bool commit = true) {
    return Call("TxnEnd", json::array({timestamp, commit ? 2 : 1}));
  }
  Got Write(const json& timestamp, const json& fields, int precondition = 0, bool erase = false,
            const json& updated = json::array(), const std::string& collection = "hashed") {
    return Call("Write", json::array({timestamp, Bin(collection), Bin("thing"), erase, precondition,
                                      Storage(fields), updated}));
  }
  Got Read(const json& timestamp, const json& fields, const std::string& collection = "hashed",
           const std::string& schema = "thing", int version = 1) {
    return Call("Read",
                json::array({timestamp, Bin(collection), Bin(schema), Storage(fields, version)}));
  }
  // Of the first transaction that follows, alone.
  int WriteAlone(const json& fields, const std::string& collection = "hashed") {
    json const timestamp = Begin();
    int const code = Write(timestamp, fields, 0, false, json::array(), collection).code;
    EXPECT_EQ(End(timestamp).code, 200);
    return code;
  }

  SingleNodeServer server_;
  httplib::Client client_;
};

TEST_F(DialectTest, ListsItsCalls) {
  auto const list = client_.Get("/api");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->status, 200);
  for (const char* const name :
       {"CreateCollection", "DropCollection", "CreateSchema", "GetSchema", "TxnBegin", "Read",
        "Write", "CreateQuery", "Query", "DestroyQuery", "TxnEnd"}) {
    EXPECT_THAT(list->body, ::testing::HasSubstr(StrCat(name, ": ")));
  }
  EXPECT_EQ(client_.Post("/api/Nothing", "", "application/x-msgpack")->status, 404);
  EXPECT_EQ(client_.Get("/api/Read")->status, 405);
}

TEST_F(DialectTest, WritesAreReadBackAndAbortsLeaveNothing) {
  json timestamp = Begin();
  EXPECT_EQ(Write(timestamp, {"a", "1", "gone", 1}).code, 201);
  EXPECT_EQ(End(timestamp, false).code, 200);
  timestamp = Begin();
  EXPECT_EQ(Write(timestamp, {"b", "1", "kept", nullptr}).code, 201);
  Got const missing = Read(timestamp, {"a", "1", nullptr, nullptr});
  EXPECT_EQ(missing.code, 404);
  EXPECT_EQ(missing.response.size(), 3u) << "what failed has the shape of what did not";
  Got const read = Read(timestamp, {"b", "1"});
  ASSERT_EQ(read.code, 200) << read.message;
  EXPECT_EQ(TextOf(read.response[0]), "hashed");
  EXPECT_EQ(TextOf(read.response[1]), "thing");
  EXPECT_EQ(read.response[2], Storage({"b", "1", "kept", nullptr}));
  EXPECT_EQ(End(timestamp).code, 200);
  Got const again = End(timestamp);
  EXPECT_EQ(again.code, 410);
  EXPECT_EQ(again.message, "transaction does not exist");
  EXPECT_EQ(Read(timestamp, {"b", "1"}).code, 410);
  EXPECT_EQ(Write(timestamp, {"b", "1", "x", 1}).code, 410);
}

TEST_F(DialectTest, ConditionsPartialUpdatesAndDeletes) {
  json const timestamp = Begin();
  constexpr int kExists = 1;
  constexpr int kNotExists = 2;
  EXPECT_EQ(Write(timestamp, {"a", "1", "x", 1}, kExists).code, 412);
  EXPECT_EQ(Write(timestamp, {"a", "1", "x", 1}, kNotExists).code, 201);
  EXPECT_EQ(Write(timestamp, {"a", "1", "y", 2}, kNotExists).code, 412);
  EXPECT_EQ(Write(timestamp, {"a", "1", "y", 2}, kExists).code, 201);
  EXPECT_EQ(Write(timestamp, {"a", "1", nullptr, 3}, 0, false, {3}).code, 201);
  EXPECT_EQ(Read(timestamp, {"a", "1"}).response[2], Storage({"a", "1", "y", 3}));
  EXPECT_EQ(Write(timestamp, {"a", "2", nullptr, 3}, 0, false, {3}).code, 404);
  EXPECT_EQ(Write(timestamp, {"a", "1", "y", 3}, 0, false, {0}).code, 400) << "of the key";
  EXPECT_EQ(Write(timestamp, {"a", "1", "y", 3}, 0, false, {9}).code, 400);
  EXPECT_EQ(Write(timestamp, {"a", "1", nullptr, nullptr}, 0, true).code, 201);
  EXPECT_EQ(Read(timestamp, {"a", "1"}).code, 404);
  EXPECT_EQ(End(timestamp).code, 200);
}

TEST_F(DialectTest, WhatIsWrongWithARecordDoesNotEndTheTransaction) {
  json const timestamp = Begin();
  EXPECT_EQ(Write(timestamp, {"a", "1", "x", 1}, 0, false, json::array(), "nothing").code, 404);
  EXPECT_EQ(Read(timestamp, {"a", "1"}, "nothing").code, 404);
  EXPECT_EQ(Read(timestamp, {"a", "1"}, "hashed", "nothing").code, 404);
  EXPECT_EQ(Read(timestamp, {"a", "1"}, "hashed", "thing", 7).code, 404);
  EXPECT_EQ(Write(timestamp, {1, "1", "x", 1}).code, 400);
  EXPECT_EQ(Read(timestamp, {1, "1"}).code, 400);
  EXPECT_EQ(Read(timestamp, {"a"}).code, 400) << "half a key";
  EXPECT_EQ(Write(timestamp, {"a", "1", 5, 1}).code, 400);
  Got const partly = Write(timestamp, {"a", "1", "x"});
  EXPECT_EQ(partly.code, 400);
  EXPECT_EQ(partly.message, "All fields must be specified in the record");
  EXPECT_EQ(Write(timestamp, {"a", "1", "x", 1}).code, 201);
  EXPECT_EQ(End(timestamp).code, 200);
}

TEST_F(DialectTest, AWriteBelowAnObservedReadIs403AndSoIsItsEnd) {
  ASSERT_EQ(WriteAlone({"a", "1", "x", 1}), 201);
  json const first = Begin();
  json const second = Begin();
  EXPECT_EQ(Read(second, {"a", "1"}).code, 200);
  EXPECT_EQ(Write(first, {"a", "1", "y", 1}).code, 403);
  EXPECT_EQ(End(first).code, 403);
  EXPECT_EQ(End(second).code, 200);
}

TEST_F(DialectTest, SchemasAreCheckedAndFound) {
  auto const create = [&](const json& schema) {
    return Call("CreateSchema", json::array({Bin("hashed"), schema})).code;
  };
  json schema = Schema("other", 1);
  json bad = schema;
  bad[2] = bad[3] = bad[4] = json::array();
  EXPECT_EQ(create(bad), 400) << "no fields";
  bad = schema;
  bad[3] = json::array();
  EXPECT_EQ(create(bad), 400) << "no partition key";
  bad = schema;
  bad[2][1] = bad[2][0];
  EXPECT_EQ(create(bad), 400) << "a name twice";
  bad = schema;
  bad[4] = json::array({2});
  EXPECT_EQ(create(bad), 400) << "a key field after others";
  EXPECT_EQ(create(schema), 201);
  EXPECT_EQ(create(schema), 403) << "the version is there";
  schema[1] = 2;
  schema[4] = json::array();
  EXPECT_EQ(create(schema), 409) << "keys do not change";
  EXPECT_EQ(Call("CreateSchema", json::array({Bin("nothing"), schema})).code, 404);
  auto const get = [&](const std::string& name, int version) {
    return Call("GetSchema", json::array({Bin("hashed"), Bin(name), version}));
  };
  Got const got = get("other", 1);
  ASSERT_EQ(got.code, 200);
  EXPECT_EQ(got.response[0], Schema("other", 1));
  EXPECT_EQ(get("other", -1).response[0][1], 1);
  EXPECT_EQ(get("other", 2).code, 404);
  EXPECT_EQ(get("nothing", 1).code, 404);
  EXPECT_EQ(Call("DropCollection", json::array({Bin("hashed")})).code, 200);
  EXPECT_EQ(Call("DropCollection", json::array({Bin("hashed")})).code, 404);
  EXPECT_EQ(get("other", 1).code, 404);
}

class DialectQueryTest : public DialectTest {
 protected:
  DialectQueryTest() {
    EXPECT_EQ(Call("CreateCollection",
                   json::array({Metadata("ranged", 0), json::array({Bin("m"), Bin("")})}))
                  .code,
              201);
    EXPECT_EQ(Call("CreateSchema", json::array({Bin("ranged"), Schema("thing", 1)})).code, 201);
    json const timestamp = Begin();
    for (const char* const first : {"a", "b"}) {
      for (int number = 1; number <= 3; ++number) {
        EXPECT_EQ(Write(timestamp, {first, std::to_string(number), StrCat(first, number), number},
                        0, false, json::array(), "ranged")
                      .code,
                  201);
      }
    }
    EXPECT_EQ(End(timestamp).code, 200);
    timestamp_ = Begin();
  }

  struct Asked {
    json start = NoStorage();
    json end = NoStorage();
    json limit = -1;
    bool mismatch = false;
    json reverse = false;
    json filter = json::array({14, json::array(), json::array()});
    json projection = json::array();
  };
  Got Create(const Asked& asked) {
    return Call("CreateQuery", json::array({timestamp_, Bin("ranged"), Bin("thing"), asked.start,
                                            asked.end, asked.limit, asked.mismatch, asked.reverse,
                                            asked.filter, asked.projection}));
  }
  // The data of all records, in order, page by page.
  std::string DataOf(const Asked& asked) {
    Got const created = Create(asked);
    EXPECT_EQ(created.code, 200) << created.message;
    json const number = created.response[0];
    std::string data;
    json key = Bin("");
    json exclusive = false;
    for (bool done = false; !done;) {
      Got const page = Call("Query", json::array({timestamp_, number, key, exclusive}));
      EXPECT_EQ(page.code, 200) << page.message;
      if (page.code != 200) {
        break;
      }
      for (const json& storage : page.response[0]) {
        data += StrCat(data.empty() ? "" : " ", DataIn(storage));
      }
      key = page.response[1];
      exclusive = page.response[2];
      done = page.response[3].get<bool>();
    }
    EXPECT_EQ(Call("DestroyQuery", json::array({timestamp_, number})).code, 200);
    return data;
  }
  static std::string DataIn(const json& storage) {
    std::string const fields = TextOf(storage[2]);
    size_t const at = storage[0].empty() ? 6 : 0;  // behind two keys of one byte
    return fields.substr(at + 2, 2);
  }
  static json Comparison(int op, const std::string& field, int type, const json& literal) {
    return json::array({op,
                        json::array({json::array({Bin(field), 254, Bin("")}),
                                     json::array({Bin(""), type, Bin(Pack(literal))})}),
                        json::array()});
  }

  json timestamp_;
};

TEST_F(DialectQueryTest, BoundsPrefixesDirectionLimitFilterAndProjection) {
  EXPECT_EQ(DataOf({}), "a1 a2 a3 b1 b2 b3");
  EXPECT_EQ(DataOf({.reverse = true}), "b3 b2 b1 a3 a2 a1");
  EXPECT_EQ(DataOf({.limit = 2}), "a1 a2");
  EXPECT_EQ(DataOf({.limit = 2, .reverse = true}), "b3 b2");
  EXPECT_EQ(DataOf({.limit = 0}), "");
  json const prefix = Storage({"a"});
  EXPECT_EQ(DataOf({.start = prefix, .end = prefix}), "a1 a2 a3");
  EXPECT_EQ(DataOf({.start = prefix, .end = prefix, .reverse = true}), "a3 a2 a1");
  EXPECT_EQ(DataOf({.start = Storage({"a", "2"})}), "a2 a3 b1 b2 b3") << "the start is inside";
  EXPECT_EQ(DataOf({.end = Storage({"b", "2"})}), "a1 a2 a3 b1") << "the end is not";
  EXPECT_EQ(DataOf({.start = Storage({"b", nullptr, nullptr, nullptr})}), "b1 b2 b3");
  EXPECT_EQ(DataOf({.start = Storage({"b", "2"}), .end = Storage({"a", "2"}), .reverse = true}),
            "b2 b1 a3");
  EXPECT_EQ(DataOf({.filter = Comparison(0, "number", kInt32Type, 2)}), "a2 b2");
  EXPECT_EQ(DataOf({.filter = Comparison(0, "data", kTextType, Bin("b3"))}), "b3");
  EXPECT_EQ(DataOf({.filter = Comparison(0, "nothing", kInt32Type, 2)}), "")
      << "what does not fit rejects";
  EXPECT_EQ(DataOf({.projection = json::array({Bin("data")})}), "a1 a2 a3 b1 b2 b3");
}

TEST_F(DialectQueryTest, OlderClientsLeaveThePositionToTheServer) {
  Got const created = Create({});
  json const asked = json::array({timestamp_, created.response[0]});
  Got const page = Call("Query", asked);
  ASSERT_EQ(page.code, 200);
  EXPECT_EQ(page.response[0], true);
  EXPECT_EQ(page.response[1].size(), 6u);
}

TEST_F(DialectQueryTest, ErrorsOfQueries) {
  EXPECT_EQ(Create({.reverse = 5}).code, 400);
  EXPECT_EQ(Create({.limit = "test"}).code, 400);
  EXPECT_EQ(Create({.projection = json::array({Bin("nothing")})}).code, 400);
  EXPECT_EQ(Create({.start = Storage({1})}).code, 400);
  EXPECT_EQ(Create({.start = Storage({"a"}, 7)}).code, 404);
  Got const none = Call("Query", json::array({timestamp_, 77, Bin(""), false}));
  EXPECT_EQ(none.code, 410);
  EXPECT_EQ(none.message, "Query does not exist");
  EXPECT_EQ(Call("DestroyQuery", json::array({timestamp_, 77})).code, 200);
  Got const created = Create({});
  EXPECT_EQ(
      Call("Query", json::array({timestamp_, created.response[0], Bin("damaged"), false})).code,
      400);
  EXPECT_EQ(Create({}).code, 200);
  EXPECT_EQ(Create({}).code, 200);
  EXPECT_EQ(Create({}).code, 503) << "three are open";
  EXPECT_EQ(End(timestamp_).code, 200);
  EXPECT_EQ(Call("Query", json::array({timestamp_, created.response[0], Bin(""), false})).code,
            410);
  timestamp_ = Begin();
  EXPECT_EQ(Create({}).code, 200) << "they went with their transaction";
}

class DialectIdleTest : public DialectTest {
 protected:
  DialectIdleTest() : DialectTest(Impatient()) {}
  static SingleNodeServer::Options Impatient() {
    SingleNodeServer::Options options = Options();
    options.gateway.begin_us_max = 400'000;  // four ticks
    options.gateway.idle_us = 400'000;
    return options;
  }
};

TEST_F(DialectIdleTest, IdleTransactionsAreGone) {
  json const timestamp = Begin();
  json const written = Begin();
  ASSERT_EQ(Write(written, {"a", "1", "x", 1}).code, 201);
  // Awaits that both have been swept, which keeping one alive would prevent.
  size_t open = 1;
  while (open > 0) {
    auto const status = client_.Get("/v1/status");
    ASSERT_TRUE(status);
    open = json::parse(status->body)["open_transactions"].get<size_t>();
  }
  EXPECT_EQ(End(timestamp).code, 410);
  EXPECT_EQ(End(written).code, 410);
  json const after = Begin();
  EXPECT_EQ(Read(after, {"a", "1"}).code, 404);
}

// Every call answers damage with 400 and the shape of its response, and goes on.
TEST_F(DialectTest, DamageIs400ForEveryCall) {
  struct Shape {
    std::string name;
    size_t size;
  };
  json const timestamp = json::array({1, 1, 0});
  for (const Shape& one : std::vector<Shape>{{"CreateCollection", 0},
                                             {"DropCollection", 0},
                                             {"CreateSchema", 0},
                                             {"GetSchema", 1},
                                             {"TxnBegin", 1},
                                             {"Read", 3},
                                             {"Write", 0},
                                             {"CreateQuery", 1},
                                             {"Query", 4},
                                             {"DestroyQuery", 0},
                                             {"TxnEnd", 0}}) {
    SCOPED_TRACE(one.name);
    Got const type = CallRaw(one.name, "{}", "application/json");
    EXPECT_EQ(type.code, 400);
    EXPECT_EQ(type.message, "Unsupported request content type");
    EXPECT_EQ(type.response.size(), one.size);
    Got const damage = CallRaw(one.name, "\xc1", "application/x-msgpack");
    EXPECT_EQ(damage.code, 400);
    EXPECT_THAT(damage.message, ::testing::StartsWith("Unable to parse incoming bytes as MSGPACK"));
    for (const json& wrong : {json(5), json::array(), json::array({1, 2, 3, 4, 5, 6, 7, 8, 9}),
                              json::object(), json(nullptr)}) {
      EXPECT_EQ(Call(one.name, wrong).code, 400) << wrong;
    }
  }
  EXPECT_EQ(Call("TxnEnd", json::array({timestamp, 2})).code, 410);
  EXPECT_EQ(Call("TxnEnd", json::array({timestamp, 0})).code, 400);
  EXPECT_EQ(Call("CreateCollection", json::array({Metadata("hashed", 1), json::array()})).code,
            403);
}

}  // namespace
}  // namespace orochi::kv::http
