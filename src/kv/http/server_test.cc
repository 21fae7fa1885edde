// Goal: who may not do something cannot, is told so with the documented status, and nothing reaches
// the store; connections, requests and heads are bounded; TLS is as its files say, also when they
// change. Method: clients of another hand and bare sockets against the service on one node in
// memory; certificates that openssl makes. Every wait is for an event.
#include "kv/http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "kv/http/access.h"
#include "kv/http/request_names.h"
#include "kv/http/testing/single_node_server.h"

namespace orochi::kv::http {
namespace {

using nlohmann::json;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::SingleNodeServer;
using ::testing::StartsWith;

std::string Hex(const Digest& digest) {
  std::string text;
  for (unsigned char const byte : digest) {
    text += StrCat("0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]);
  }
  return text;
}

// A connection whose every byte the test decides.
class BareClient {
 public:
  explicit BareClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval const patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~BareClient() { ::close(socket_); }
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;

  // False when the other side has had enough.
  bool Send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      ssize_t const more = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) {
        return false;
      }
      sent += static_cast<size_t>(more);
    }
    return true;
  }
  // Until the other side closes.
  std::string ReadAll() {
    std::string all;
    char bytes[4096];
    for (ssize_t size; (size = ::recv(socket_, bytes, sizeof bytes, 0)) > 0;) {
      all.append(bytes, static_cast<size_t>(size));
    }
    return all;
  }
  // Until `end` has come.
  std::string ReadTo(const std::string& end) {
    std::string all;
    for (char byte; all.find(end) == std::string::npos && ::recv(socket_, &byte, 1, 0) == 1;) {
      all.push_back(byte);
    }
    return all;
  }

 private:
  int socket_;
};

template <class Condition>
void Await(Condition condition) {
  while (!condition()) {
    std::this_thread::yield();
  }
}

class AccessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteTokens();
    SingleNodeServer::Options options;
    options.server.tokens_path = path_;
    options.server.tokens_reload_us = 0;
    options.server.on_served = [this](const Served& served) {
      std::lock_guard const guard(mutex_);
      served_.push_back(served);
    };
    server_ = std::make_unique<SingleNodeServer>(options);
    json const schema = json::parse(R"({"name": "item", "version": 1,
      "fields": [{"name": "id", "type": "int64"}, {"name": "count", "type": "int64"}],
      "partition_key": ["id"]})");
    for (const char* const name : {"shop", "logs"}) {
      ASSERT_EQ(Post("boss", "/v1/collections", {{"name", name}}), 201);
      ASSERT_EQ(Post("boss", StrCat("/v1/collections/", name, "/schemas"), schema), 201);
    }
  }
  void WriteTokens(const std::string& more = "") {
    auto const one = [](const std::string& name, const std::string& rights,
                        const std::string& expires) {
      return StrCat(R"({"name": ")", name, R"(", "sha256": ")", Hex(DigestOf("of " + name)),
                    R"(", "expires": ")", expires, R"(", "rights": )", rights, "}");
    };
    std::string const late = "2100-01-01T00:00:00Z";
    std::ofstream(path_ + ".new") << StrCat(
        R"({"tokens": [)", one("boss", R"({"*": "admin"})", late), ",",
        one("app", R"({"shop*": "write", "logs": "read"})", late), ",",
        one("late", R"({"*": "admin"})", "2020-01-01T00:00:00Z"), ",", one("nothing", "{}", late),
        more, "]}");
    ASSERT_EQ(std::rename((path_ + ".new").c_str(), path_.c_str()), 0);
  }
  int Ask(const std::string& user, const std::string& method, const std::string& path,
          const std::string& body = "", const std::string& type = "application/json") {
    httplib::Client client("127.0.0.1", server_->port());
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.set_header("Content-Type", type);
    if (!user.empty()) {
      request.set_header("Authorization", "Bearer of " + user);
    }
    auto const answer = client.send(request);
    last_ = answer ? *answer : httplib::Response();
    return answer ? answer->status : 0;
  }
  int Post(const std::string& user, const std::string& path, const json& body) {
    return Ask(user, "POST", path, body.dump());
  }
  static json Item(const std::string& collection, json more) {
    more["collection"] = collection;
    more["schema"] = "item";
    return more;
  }
  static json Put(const std::string& collection) {
    return Item(collection, {{"op", "put"}, {"record", {{"id", 1}, {"count", 2}}}});
  }

  orochi::testing::TempDir directory_;
  const std::string path_ = directory_.path() + "/tokens";
  std::unique_ptr<SingleNodeServer> server_;
  httplib::Response last_;
  std::mutex mutex_;
  std::vector<Served> served_;  // guarded by mutex_
};

TEST_F(AccessTest, NobodyIs401AndReachesNothing) {
  for (const char* const user : {"", "stranger", "late"}) {
    for (const char* const path : {"/v1/write", "/v1/txn", "/no/such/route", "/api/Read"}) {
      EXPECT_EQ(Post(user, path, Put("shop")), 401) << user << path;
      EXPECT_EQ(json::parse(last_.body)["code"], "unauthenticated");
      EXPECT_THAT(last_.get_header_value("WWW-Authenticate"), StartsWith("Bearer"));
    }
    EXPECT_EQ(Ask(user, "GET", "/metrics"), 401);
    EXPECT_EQ(Ask(user, "GET", "/v1/collections"), 401);
    EXPECT_EQ(Post(user, "/v1/write", "{ no JSON"), 401) << "before the body counts";
  }
  EXPECT_EQ(Post("boss", "/v1/read", Item("shop", {{"key", {{"id", 1}}}})), 404);
}

TEST_F(AccessTest, HealthIsOpenToAll) {
  EXPECT_EQ(Ask("", "GET", "/healthz"), 200);
  EXPECT_EQ(Ask("", "GET", "/readyz"), 200);
  EXPECT_EQ(Ask("", "POST", "/healthz"), 401);
}

TEST_F(AccessTest, WhoMayNotIs403AndChangesNothing) {
  EXPECT_EQ(Post("app", "/v1/write", Put("shop")), 200);
  EXPECT_EQ(Post("app", "/v1/write", Put("logs")), 403);
  EXPECT_THAT(json::parse(last_.body)["message"].get<std::string>(),
              HasSubstr("'app' may not write the collection 'logs'"));
  EXPECT_EQ(Post("app", "/v1/read", Item("logs", {{"key", {{"id", 1}}}})), 404) << "it may read";
  EXPECT_EQ(Post("app", "/v1/txn", {{"writes", {Put("shop"), Put("logs")}}}), 403);
  EXPECT_EQ(Post("app", "/v1/collections", {{"name", "shop2"}}), 403);
  EXPECT_EQ(Ask("app", "DELETE", "/v1/collections/shop"), 403);
  EXPECT_EQ(Ask("app", "GET", "/v1/collections"), 403);
  EXPECT_EQ(Ask("app", "POST", "/v1/api/keys/k", "v", "text/plain"), 403);
  EXPECT_EQ(Ask("app", "GET", "/metrics"), 200);
  EXPECT_EQ(Post("nothing", "/v1/read", Item("shop", {{"key", {{"id", 1}}}})), 403);
  std::string const read = std::string("\x94\x90\xa4logs\xa4item\x90", 13);
  EXPECT_EQ(Ask("nothing", "POST", "/api/Read", read, "application/x-msgpack"), 403);
  EXPECT_EQ(Post("boss", "/v1/read", Item("logs", {{"key", {{"id", 1}}}})), 404);
  std::lock_guard const guard(mutex_);
  EXPECT_EQ(served_.back().user, "boss");
}

TEST_F(AccessTest, ATransactionGoesOnOnlyWithRights) {
  ASSERT_EQ(Ask("app", "POST", "/v1/txn/begin"), 201);
  std::string const path =
      StrCat("/v1/txn/", json::parse(last_.body)["transaction"].get<std::string>());
  EXPECT_EQ(Post("app", path + "/write", Put("logs")), 403);
  EXPECT_EQ(Post("app", path + "/write", Put("shop")), 200);
  EXPECT_EQ(Ask("app", "POST", path + "/commit"), 200);
}

TEST_F(AccessTest, TransactionsOfTheDialectAreForWhoBeganThem) {
  auto const call = [&](const std::string& user, const std::string& verb, const json& body) {
    auto const bytes = json::to_msgpack(body);
    EXPECT_EQ(Ask(user, "POST", "/api/" + verb, std::string(bytes.begin(), bytes.end()),
                  "application/x-msgpack"),
              200);
    return json::from_msgpack(last_.body);
  };
  json const begun =
      call("app", "TxnBegin", json::array({json::array({1'000'000'000, 128, false})}));
  ASSERT_EQ(begun[0][0], 201) << begun;
  json const timestamp = begun[1][0];
  EXPECT_EQ(call("nothing", "TxnEnd", json::array({timestamp, 1}))[0][0], 410);
  EXPECT_EQ(call("boss", "TxnEnd", json::array({timestamp, 2}))[0][0], 410);
  EXPECT_EQ(call("app", "TxnEnd", json::array({timestamp, 2}))[0][0], 200);
}

TEST_F(AccessTest, RightsComeAndGoWithTheFile) {
  EXPECT_EQ(Post("late2", "/v1/write", Put("shop")), 401);
  WriteTokens(StrCat(R"(, {"name": "late2", "sha256": ")", Hex(DigestOf("of late2")),
                     R"(", "rights": {"shop": "write"}})"));
  EXPECT_EQ(Post("late2", "/v1/write", Put("shop")), 200);
  WriteTokens();
  EXPECT_EQ(Post("late2", "/v1/write", Put("shop")), 401);
}

TEST(RequestNames, IdsAndTraces) {
  EXPECT_TRUE(IsRequestId("a-B_9.:/+=@"));
  EXPECT_FALSE(IsRequestId(""));
  EXPECT_FALSE(IsRequestId("a b"));
  EXPECT_FALSE(IsRequestId("a\n"));
  EXPECT_FALSE(IsRequestId(std::string(129, 'a')));
  std::string const trace = "0af7651916cd43dd8448eb211c80319c";
  EXPECT_EQ(TraceIdOf(StrCat("00-", trace, "-b7ad6b7169203331-01")), trace);
  EXPECT_EQ(TraceIdOf(StrCat("01-", trace, "-b7ad6b7169203331-01-more")), trace);
  for (const std::string& wrong :
       {std::string(), StrCat("ff-", trace, "-b7ad6b7169203331-01"),
        StrCat("00-", trace, "-b7ad6b7169203331-01-more"),
        StrCat("00-", trace, "-0000000000000000-01"),
        StrCat("00-", std::string(32, '0'), "-b7ad6b7169203331-01"),
        StrCat("00-", trace.substr(1), "G-b7ad6b7169203331-01"), std::string("00-"),
        StrCat("00_", trace, "-b7ad6b7169203331-01")}) {
    EXPECT_EQ(TraceIdOf(wrong), "") << wrong;
  }
  RequestIds ids(7);
  EXPECT_NE(ids.Next(), ids.Next());
  EXPECT_TRUE(IsRequestId(ids.Next()));
}

TEST(RequestNames, AreInTheAnswerAndInWhatWasServed) {
  std::mutex mutex;
  std::vector<Served> all;
  SingleNodeServer::Options options;
  options.server.on_served = [&](const Served& served) {
    std::lock_guard const guard(mutex);
    all.push_back(served);
  };
  {
    SingleNodeServer server(options);
    httplib::Client client("127.0.0.1", server.port());
    auto const named = client.Get(
        "/healthz", {{"X-Request-Id", "mine-1"},
                     {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
    ASSERT_TRUE(named);
    EXPECT_EQ(named->get_header_value("X-Request-Id"), "mine-1");
    auto const first = client.Get("/nothing", {{"X-Request-Id", "no good id"}});
    auto const second = client.Get("/nothing");
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(IsRequestId(first->get_header_value("X-Request-Id")));
    EXPECT_NE(first->get_header_value("X-Request-Id"), second->get_header_value("X-Request-Id"));
  }
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].request_id, "mine-1");
  EXPECT_EQ(all[0].trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(all[0].route, "/healthz");
  EXPECT_EQ(all[0].client, "127.0.0.1");
  EXPECT_EQ(all[1].status, 404);
  EXPECT_EQ(all[1].code, "no_such_route");
}

TEST(ServerBounds, ConnectionsBeyondTheQueueAreTold503) {
  SingleNodeServer::Options options;
  options.server.thread_count = 1;
  options.server.waiting_count_max = 1;
  SingleNodeServer server(options);
  BareClient serving(server.port());
  serving.Send("GET /healthz HTTP/1.1\r\n");  // and its thread waits for the rest
  Await([&] { return server.statistics().open_count == 1; });
  BareClient waiting(server.port());
  Await([&] { return server.statistics().waiting_count == 1; });
  BareClient refused(server.port());
  std::string const answer = refused.ReadAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(answer, HasSubstr("\"code\":\"unavailable\""));
  EXPECT_EQ(server.statistics().refused_count, 1U);
  serving.Send("Connection: close\r\n\r\n");
  EXPECT_THAT(serving.ReadAll(), StartsWith("HTTP/1.1 200 "));
  waiting.Send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(waiting.ReadAll(), StartsWith("HTTP/1.1 200 "));
}

TEST(ServerBounds, AConnectionThatRestsMakesRoom) {
  SingleNodeServer::Options options;
  options.server.thread_count = 1;
  options.server.keep_alive_s = 3600;
  SingleNodeServer server(options);
  BareClient rests(server.port());
  rests.Send("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(rests.ReadTo("ok\n"), StartsWith("HTTP/1.1 200 "));
  BareClient comes(server.port());
  comes.Send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(comes.ReadAll(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(rests.ReadAll(), "") << "it was closed";
}

// Four ask at once until one of them is refused.
TEST(ServerBounds, AClientHasItsShareOfRequests) {
  SingleNodeServer::Options options;
  options.server.client_request_count_max = 1;
  SingleNodeServer server(options);
  std::atomic<int> refused_count{0};
  std::vector<std::thread> askers;
  for (int asker = 0; asker < 4; ++asker) {
    askers.emplace_back([&] {
      httplib::Client client("127.0.0.1", server.port());
      client.set_keep_alive(true);
      while (refused_count == 0) {
        auto const answer = client.Get("/v1/status");
        ASSERT_TRUE(answer);
        if (answer->status != 200) {
          EXPECT_EQ(answer->status, 429);
          EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
          EXPECT_EQ(json::parse(answer->body)["code"], "overloaded");
          ++refused_count;
        }
        EXPECT_EQ(client.Get("/healthz")->status, 200) << "which does not count";
      }
    });
  }
  for (std::thread& asker : askers) {
    asker.join();
  }
  EXPECT_EQ(httplib::Client("127.0.0.1", server.port()).Get("/v1/status")->status, 200);
}

TEST(ServerBounds, WhatFollowsAHeadThatWasNotUnderstoodIsNoRequest) {
  SingleNodeServer server({});
  for (const char* const bad : {"NONSENSE\r\n", "GET /healthz HTTP/9.9\r\n\r\n", "\r\n"}) {
    BareClient client(server.port());
    client.Send(StrCat(bad, "GET /v1/status HTTP/1.1\r\n\r\n"));
    std::string const answer = client.ReadAll();
    EXPECT_EQ(answer.find("open_transactions"), std::string::npos) << bad << ": " << answer;
  }
}

TEST(ServerBounds, TheRestOfABodyThatWasNotReadIsNoRequest) {
  SingleNodeServer::Options options;
  options.server.body_size_bytes_max = 10;
  SingleNodeServer server(options);
  BareClient client(server.port());
  client.Send(
      "POST /v1/read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n"
      "GET /v1/status HTTP/1.1\r\n\r\nGET /v1/status HTTP/1.1\r\n\r\n        \r\n0\r\n\r\n");
  std::string const answer = client.ReadAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(answer.find("open_transactions"), std::string::npos);
}

TEST(ServerBounds, HeadsAndBodiesAreBounded) {
  SingleNodeServer::Options options;
  options.server.head_size_bytes_max = 20'000;
  options.server.body_size_bytes_max = 1'000;
  SingleNodeServer server(options);
  BareClient many(server.port());
  std::string head = "GET /healthz HTTP/1.1\r\n";
  for (int header = 0; header < 1'000; ++header) {
    head += StrCat("X-", header, ": ", std::string(50, 'x'), "\r\n");
  }
  many.Send(head + "\r\n");
  EXPECT_EQ(many.ReadAll().substr(0, 13), "HTTP/1.1 431 ");
  BareClient endless(server.port());
  endless.Send("GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x'));
  EXPECT_THAT(endless.ReadAll(), AnyOf(StartsWith("HTTP/1.1 431 "), StartsWith("HTTP/1.1 400 ")));
  BareClient large(server.port());
  large.Send("POST /v1/read HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + std::string(1'001, 'x'));
  EXPECT_THAT(large.ReadAll(), StartsWith("HTTP/1.1 413 "));
  BareClient chunks(server.port());
  chunks.Send("POST /v1/read HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
              std::string(2'000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_THAT(chunks.ReadAll(), StartsWith("HTTP/1.1 413 "));
  httplib::Client client("127.0.0.1", server.port());
  EXPECT_EQ(client.Get("/" + std::string(9'000, 'x'))->status, 414);
}

TEST(ServerBounds, OneWhoSendsAByteNowAndThenIsNotWaitedFor) {
  SingleNodeServer::Options options;
  options.server.request_us_max = 200'000;
  SingleNodeServer server(options);
  BareClient drips(server.port());
  std::thread reader([&] { drips.ReadAll(); });
  std::atomic<bool> over{false};
  std::thread writer([&] {
    while (!over) {
      drips.Send("x");
      std::this_thread::yield();
    }
  });
  reader.join();  // the server has closed
  over = true;
  writer.join();
}

TEST(ServerBounds, StopsThoughAClientAlwaysHasAnotherRequest) {
  auto server = std::make_unique<SingleNodeServer>(SingleNodeServer::Options());
  BareClient client(server->port());
  std::thread sender([&] {
    std::string many;
    for (int request = 0; request < 100; ++request) {
      many += "GET /healthz HTTP/1.1\r\n\r\n";
    }
    while (client.Send(many)) {  // until the server has closed
    }
  });
  EXPECT_THAT(client.ReadTo("ok\n"), StartsWith("HTTP/1.1 200 "));
  std::thread reader([&] { client.ReadAll(); });
  server.reset();
  reader.join();
  sender.join();
}

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("openssl version > /dev/null 2>&1") != 0) {
      GTEST_SKIP() << "no openssl command here";
    }
    MakeAuthority("ours");
    MakeAuthority("theirs");
    Make("server", "ours");
  }
  std::string Path(const std::string& name) const { return StrCat(directory_.path(), "/", name); }
  void Run(const std::string& command) const {
    ASSERT_EQ(std::system(StrCat("cd ", directory_.path(), " && ", command, " 2> log").c_str()), 0)
        << command;
  }
  void MakeAuthority(const std::string& name) const {
    Run(
        StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
               "-subj /CN=",
               name, " -keyout ", name, ".key -out ", name, ".pem"));
  }
  void Make(const std::string& name, const std::string& authority) const {
    Run(StrCat("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=",
               name, " -keyout ", name, ".key.new -out ", name, ".csr"));
    Run(StrCat("echo subjectAltName=IP:127.0.0.1 > ", name, ".extensions"));
    Run(StrCat("openssl x509 -req -days 2 -in ", name, ".csr -CA ", authority, ".pem -CAkey ",
               authority, ".key -CAcreateserial -extfile ", name, ".extensions -out ", name,
               ".pem.new"));
    Run(StrCat("mv ", name, ".key.new ", name, ".key && mv ", name, ".pem.new ", name, ".pem"));
  }
  SingleNodeServer::Options With(const std::string& client_authority = "") {
    SingleNodeServer::Options options;
    options.server.tls = TlsOptions{.certificate = Path("server.pem"),
                                    .key = Path("server.key"),
                                    .client_authority = client_authority,
                                    .reload_us = 0};
    options.server.on_bad_file = [this](const Status& status) {
      std::lock_guard const guard(mutex_);
      errors_.push_back(status.message());
    };
    return options;
  }
  // The status of GET /healthz; 0: there was none.
  int Ask(int port, const std::string& authority, const std::string& certificate = "") {
    std::string const pem = certificate.empty() ? "" : Path(certificate + ".pem");
    std::string const key = certificate.empty() ? "" : Path(certificate + ".key");
    httplib::SSLClient client("127.0.0.1", port, pem, key);
    client.set_ca_cert_path(Path(authority + ".pem").c_str());
    client.enable_server_certificate_verification(true);
    auto const answer = client.Get("/healthz");
    return answer ? answer->status : 0;
  }

  orochi::testing::TempDir directory_;
  std::mutex mutex_;
  std::vector<std::string> errors_;  // guarded by mutex_
};

TEST_F(TlsTest, IsSpokenAndNothingElse) {
  SingleNodeServer server(With());
  EXPECT_EQ(Ask(server.port(), "ours"), 200);
  EXPECT_EQ(Ask(server.port(), "theirs"), 0) << "another authority";
  BareClient plain(server.port());
  plain.Send("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_EQ(plain.ReadAll().find("HTTP/"), std::string::npos);
  EXPECT_GE(server.statistics().tls_failed_count, 1U);
  EXPECT_EQ(Ask(server.port(), "ours"), 200);
}

TEST_F(TlsTest, CarriesLargeBodiesAndKeepsAlive) {
  SingleNodeServer server(With());
  httplib::SSLClient client("127.0.0.1", server.port());
  client.set_ca_cert_path(Path("ours.pem").c_str());
  client.set_keep_alive(true);
  std::string const value(900'000, 'v');
  for (int turn = 0; turn < 3; ++turn) {
    auto const put = client.Post("/v1/api/keys/large", value, "text/plain");
    ASSERT_TRUE(put);
    EXPECT_EQ(put->status, 201);
    auto const got = client.Get("/v1/api/keys/large");
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->body == value);
  }
  EXPECT_EQ(server.statistics().accepted_count, 1U);
}

TEST_F(TlsTest, ClientsShowCertificatesWhereTheyHaveTo) {
  Make("client", "ours");
  Make("stranger", "theirs");
  SingleNodeServer server(With(Path("ours.pem")));
  EXPECT_EQ(Ask(server.port(), "ours", "client"), 200);
  EXPECT_EQ(Ask(server.port(), "ours", "stranger"), 0);
  EXPECT_EQ(Ask(server.port(), "ours"), 0);
}

TEST_F(TlsTest, CertificatesAreReadAgainAndBadOnesChangeNothing) {
  SingleNodeServer server(With());
  EXPECT_EQ(Ask(server.port(), "ours"), 200);
  Make("server", "theirs");
  EXPECT_EQ(Ask(server.port(), "theirs"), 200);
  EXPECT_EQ(Ask(server.port(), "ours"), 0);
  std::ofstream(Path("server.key")) << "no key";
  EXPECT_EQ(Ask(server.port(), "theirs"), 200);
  EXPECT_EQ(Ask(server.port(), "theirs"), 200);
  std::lock_guard const guard(mutex_);
  ASSERT_EQ(errors_.size(), 1U);
  EXPECT_THAT(errors_[0], HasSubstr("server.key"));
}

TEST_F(TlsTest, FilesAreCheckedBeforeTheyAreUsed) {
  TlsOptions const good = *With().server.tls;
  EXPECT_TRUE(CheckTls(good).ok());
  auto const says = [&](auto change) {
    TlsOptions options = good;
    change(options);
    Status const status = CheckTls(options);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    return status.message();
  };
  Make("other", "ours");
  EXPECT_THAT(says([&](auto& options) { options.key = Path("other.key"); }),
              HasSubstr("the key is not that of"));
  EXPECT_THAT(says([&](auto& options) { options.key = Path("missing"); }), HasSubstr("missing"));
  EXPECT_THAT(says([&](auto& options) { options.certificate = Path("server.key"); }),
              HasSubstr("expected certificates"));
  EXPECT_THAT(says([&](auto& options) { options.key = Path("server.pem"); }),
              HasSubstr("expected a private key"));
  EXPECT_THAT(says([&](auto& options) { options.client_authority = Path("log"); }),
              HasSubstr("expected certificates"));
}

}  // namespace
}  // namespace orochi::kv::http
