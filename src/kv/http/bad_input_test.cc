// Goal: whatever is sent, the answer has the documented status and a code, names what is wrong, and
// nothing is written; limits of keys, values, batches and bodies hold at their edges. Method:
// tables against the whole service on one node in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <nlohmann/json.hpp>

#include "base/str_cat.h"
#include "kv/http/testing/single_node_server.h"

namespace orochi::kv::http {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::SingleNodeServer;

constexpr const char* kJson = "application/json";
constexpr const char* kMessagePack = "application/x-msgpack";

class BadInput : public ::testing::Test {
 protected:
  BadInput() : server_(Small()), client_("127.0.0.1", server_.port()) {
    client_.set_keep_alive(true);
    EXPECT_EQ(Ask("POST", "/v1/collections", json({{"name", "shop"}}).dump(), kJson), 201);
    json const schema = json::parse(R"({"name": "item", "version": 1,
      "fields": [{"name": "shelf", "type": "text"}, {"name": "count", "type": "int64"},
                 {"name": "note", "type": "bytes"}],
      "partition_key": ["shelf"]})");
    EXPECT_EQ(Ask("POST", "/v1/collections/shop/schemas", schema.dump(), kJson), 201);
  }
  ~BadInput() override {
    EXPECT_EQ(Ask("POST", "/v1/query", Named({}).dump(), kJson), 200);
    EXPECT_EQ(json::parse(last_.body)["records"].size(), written_) << "no more was written";
  }
  static SingleNodeServer::Options Small() {
    SingleNodeServer::Options options;
    options.gateway.value_size_bytes_max = 1'000;
    options.gateway.batch_operation_count_max = 10;
    options.gateway.batch_size_bytes_max = 3'000;
    options.server.body_size_bytes_max = 20'000;
    return options;
  }
  static json Named(json more) {
    more["collection"] = "shop";
    more["schema"] = "item";
    return more;
  }
  static json PutText(const std::string& shelf) {
    return Named({{"op", "put"}, {"record", {{"shelf", shelf}, {"count", 1}, {"note", nullptr}}}});
  }
  int Ask(const std::string& method, const std::string& path, const std::string& body,
          const std::string& type) {
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    if (!type.empty()) {
      request.set_header("Content-Type", type);
    }
    auto const answer = client_.send(request);
    last_ = answer ? *answer : httplib::Response();
    return answer ? answer->status : 0;
  }
  // Status and code of the answer, whose form is as asked for.
  std::string Said() const {
    json const body = last_.get_header_value("Content-Type") == kMessagePack
                          ? json::from_msgpack(last_.body, true, false)
                          : json::parse(last_.body, nullptr, false);
    return StrCat(
        last_.status, " ",
        body.is_object() && body.contains("code") ? body["code"].get<std::string>() : "-", " ",
        body.is_object() && body.contains("message") ? body["message"].get<std::string>() : "");
  }

  SingleNodeServer server_;
  httplib::Client client_;
  httplib::Response last_;
  size_t written_ = 0;
};

TEST_F(BadInput, MethodsThatARouteDoesNotTake) {
  std::string const txn = "/v1/txn/00112233445566778899aabbccddeeff-0000000000000001";
  for (const char* const path :
       {"/v1/read", "/v1/write", "/v1/query", "/v1/txn", "/v1/collections", "/v1/status",
        "/metrics", "/healthz", "/readyz", "/v1/collections/shop", "/v1/collections/shop/schemas",
        "/v1/collections/shop/schemas/item"}) {
    for (const char* const method : {"PUT", "PATCH"}) {
      Ask(method, path, "{}", kJson);
      EXPECT_THAT(Said(), ::testing::StartsWith("405 method_not_allowed")) << method << path;
    }
  }
  for (const char* const step : {"/read", "/write", "/query", "/commit", "/abort", "/heartbeat"}) {
    Ask("DELETE", txn + step, "", "");
    EXPECT_THAT(Said(), ::testing::StartsWith("405 method_not_allowed")) << step;
  }
  Ask("PUT", "/v1/api/keys/k", "v", "text/plain");
  EXPECT_THAT(Said(), ::testing::StartsWith("405 method_not_allowed"));
  Ask("GET", "/api/Read", "", "");
  EXPECT_THAT(Said(), ::testing::StartsWith("405 method_not_allowed"));
}

TEST_F(BadInput, BodiesThatAreNoDocuments) {
  std::string const deep(100, '[');
  struct Case {
    std::string body;
    const char* type;
    const char* says;
  };
  for (const Case& one :
       std::vector<Case>{{"", kJson, "400 invalid_argument"},
                         {"{", kJson, "400 invalid_argument"},
                         {"{}}", kJson, "400 invalid_argument"},
                         {"{\"a\":1,\"a\":2}", kJson, "400 invalid_argument"},
                         {"\xff\xfe", kJson, "400 invalid_argument"},
                         {"nul", kJson, "400 invalid_argument"},
                         {"5", kJson, "400 invalid_argument"},
                         {"\"text\"", kJson, "400 invalid_argument"},
                         {deep, kJson, "400 invalid_argument"},
                         {"{\"collection\": 5}", kJson, "400 invalid_argument"},
                         {"{\"collection\": null}", kJson, "400 invalid_argument"},
                         {"\xc1", kMessagePack, "400 invalid_argument"},
                         {"\x81", kMessagePack, "400 invalid_argument"},
                         {"\xdf\xff\xff\xff\xff", kMessagePack, "400 invalid_argument"},
                         {"\xdd\xff\xff\xff\xff", kMessagePack, "400 invalid_argument"},
                         {"\xc6\xff\xff\xff\xff", kMessagePack, "400 invalid_argument"},
                         {std::string("\x80\x00", 2), kMessagePack, "400 invalid_argument"},
                         {"{}", "text/plain", "415 unsupported"},
                         {"{}", "", "415 unsupported"}}) {
    for (const char* const path : {"/v1/read", "/v1/write", "/v1/query", "/v1/collections"}) {
      Ask("POST", path, one.body, one.type);
      EXPECT_THAT(Said(), ::testing::StartsWith(one.says)) << path << " " << one.body.substr(0, 20);
    }
  }
}

TEST_F(BadInput, MembersThatAreUnknownOrOfAnotherType) {
  json const key = {{"shelf", "a"}};
  struct Case {
    const char* path;
    json body;
    const char* says;
  };
  for (const Case& one : std::vector<Case>{
           {"/v1/read", Named({{"key", key}, {"more", 1}}), "more"},
           {"/v1/read", Named({{"key", 5}}), "$.key"},
           {"/v1/read", Named({{"key", {{"shelf", 5}}}}), "shelf"},
           {"/v1/read", Named({{"key", {{"shelf", "a"}, {"nothing", 1}}}}), "nothing"},
           {"/v1/read", Named({{"key", key}, {"version", -1}}), "version"},
           {"/v1/read", Named({{"key", key}, {"version", "1"}}), "version"},
           {"/v1/write", Named({{"op", 5}}), "op"},
           {"/v1/write", Named({{"op", "put"}, {"record", {{"shelf", "a"}}}}), "count"},
           {"/v1/write",
            Named({{"op", "put"}, {"record", {{"shelf", "a"}, {"count", 1.5}, {"note", nullptr}}}}),
            "count"},
           {"/v1/write",
            Named({{"op", "put"},
                   {"record",
                    {{"shelf", "a"}, {"count", 9223372036854775808ULL}, {"note", nullptr}}}}),
            "count"},
           {"/v1/write",
            Named({{"op", "put"}, {"record", {{"shelf", nullptr}, {"count", 1}, {"note", 3}}}}),
            "note"},
           {"/v1/write", Named({{"op", "update"}, {"key", key}, {"set", {{"shelf", "b"}}}}),
            "shelf"},
           {"/v1/write", Named({{"op", "delete"}, {"key", key}, {"if", {{"presence", "maybe"}}}}),
            "maybe"},
           {"/v1/write",
            Named({{"op", "delete"}, {"key", key}, {"if", {{"filter", {{"op", "LIKE"}}}}}}),
            "LIKE"},
           {"/v1/write",
            Named({{"op", "delete"}, {"key", key}, {"if", {{"unchanged_since", "yesterday"}}}}),
            "unchanged_since"},
           {"/v1/write", {{"writes", 5}}, "writes"},
           {"/v1/write", {{"writes", {5}}}, "write 0"},
           {"/v1/query", Named({{"limit", -1}}), "limit"},
           {"/v1/query", Named({{"limit", "5"}}), "limit"},
           {"/v1/query", Named({{"prefix", {1}}}), "prefix"},
           {"/v1/query", Named({{"prefix", {"a", "b", "c", "d"}}}), "prefix"},
           {"/v1/query", Named({{"from", {{"fields", 5}}}}), "from"},
           {"/v1/query", Named({{"token", "not base64!"}}), "token"},
           {"/v1/query", Named({{"token", "AAAA"}}), "token"},
           {"/v1/query", Named({{"versions", "all"}}), "versions"},
           {"/v1/query", Named({{"page", {{"pages", 1}}}}), "pages"},
           {"/v1/txn", {{"reeds", json::array()}}, "reeds"},
           {"/v1/txn/begin", {{"isolation", 1}}, "isolation"},
           {"/v1/txn/begin", {{"colour", "red"}}, "colour"},
           {"/v1/collections", {{"name", "c"}, {"partitions", 65'537}}, "partitions"},
           {"/v1/collections", {{"name", "c"}, {"shape", "round"}}, "shape"},
           {"/v1/collections/shop/schemas", {{"name", "s"}}, "version"},
           {"/v1/collections/shop/schemas",
            {{"name", "s"},
             {"version", 1},
             {"fields", {{{"name", "k"}, {"type", "complex"}}}},
             {"partition_key", {"k"}}},
            "complex"}}) {
    SCOPED_TRACE(one.body.dump());
    Ask("POST", one.path, one.body.dump(), kJson);
    EXPECT_THAT(Said(), ::testing::StartsWith("400 invalid_argument"));
    EXPECT_THAT(Said(), HasSubstr(one.says));
    auto const packed = json::to_msgpack(one.body);
    Ask("POST", one.path, std::string(packed.begin(), packed.end()), kMessagePack);
    EXPECT_EQ(last_.status, 400);
  }
  Ask("POST", "/v1/txn/no-such-id/commit", "", "");
  EXPECT_THAT(Said(), ::testing::StartsWith("400 invalid_argument"));
  Ask("POST", "/v1/txn/00112233445566778899aabbccddeeff-0000000000000001/commit", "", "");
  EXPECT_THAT(Said(), ::testing::StartsWith("410 transaction_gone"));
}

TEST_F(BadInput, SizesAtTheirEdges) {
  EXPECT_EQ(Ask("POST", "/v1/write", PutText(std::string(900, 'k')).dump(), kJson), 200)
      << last_.body;
  written_ = 1;
  Ask("POST", "/v1/write", PutText(std::string(20'000 - 200, 'k')).dump(), kJson);
  EXPECT_THAT(Said(), ::testing::StartsWith("400 invalid_argument"));
  Ask("POST", "/v1/write", PutText(std::string(20'000, 'k')).dump(), kJson);
  EXPECT_THAT(Said(), ::testing::StartsWith("413 bad_request"));
  json many = json::array();
  for (int write = 0; write < 11; ++write) {
    many.push_back(PutText(StrCat("many", write)));
  }
  Ask("POST", "/v1/write", json({{"writes", many}}).dump(), kJson);
  EXPECT_THAT(Said(), ::testing::StartsWith("400 invalid_argument"));
  EXPECT_THAT(Said(), HasSubstr("at most 10"));
  json large = json::array();
  for (int write = 0; write < 5; ++write) {
    large.push_back(PutText(StrCat(write, std::string(800, 'l'))));
  }
  Ask("POST", "/v1/write", json({{"writes", large}}).dump(), kJson);
  EXPECT_THAT(Said(), ::testing::StartsWith("400 invalid_argument"));
  Ask("POST", "/v1/api/keys/k", std::string(1'100, 'v'), "text/plain");
  EXPECT_THAT(Said(), ::testing::StartsWith("400 invalid_argument"));
}

TEST_F(BadInput, TheDialectAnswers200WithItsCode) {
  auto const call = [&](const std::string& verb, const std::string& body) {
    EXPECT_EQ(Ask("POST", "/api/" + verb, body, kMessagePack), 200) << verb;
    json const answer = json::from_msgpack(last_.body, true, false);
    return answer.is_array() && answer.size() == 2 ? answer[0][0].get<int>() : -1;
  };
  for (const char* const verb :
       {"CreateCollection", "DropCollection", "CreateSchema", "GetSchema", "TxnBegin", "Read",
        "Write", "CreateQuery", "Query", "DestroyQuery", "TxnEnd"}) {
    for (const std::string& body :
         {std::string(), std::string("\xc1"), std::string("\x90"), std::string("\x81\xa1k\x01"),
          std::string("\x9f"), std::string("\xdd\xff\xff\xff\xff"), std::string("\x91\xc0"),
          std::string("\x92\x93\x01\x01\x00\x05", 6), std::string("text")}) {
      int const code = call(verb, body);
      bool const forgets = std::string(verb) == "DestroyQuery" && body.size() == 6;
      EXPECT_TRUE(code == 400 || code == 410 || (forgets && code == 200)) << verb << " " << code;
    }
  }
  EXPECT_EQ(Ask("POST", "/api/Nothing", "\x90", kMessagePack), 404);
}

}  // namespace
}  // namespace orochi::kv::http
