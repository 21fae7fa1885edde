// Goal: what a request needs is what it can touch, whatever its form; tokens are read strictly,
// last as long as they say, and a file that becomes bad changes nothing. Method: tables of calls
// and of files; a clock of the test.
#include "kv/http/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/str_cat.h"
#include "base/testing/fake_clock.h"
#include "base/testing/temp_dir.h"
#include "kv/http/body.h"
#include "kv/wire/message_pack.h"

namespace orochi::kv::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;

std::string Hex(const Digest& digest) {
  std::string text;
  for (unsigned char const byte : digest) {
    text += StrCat("0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]);
  }
  return text;
}

std::string FileOf(const std::string& name, const std::string& token, const std::string& rights,
                   const std::string& more = "") {
  return StrCat(R"({"tokens": [{"name": ")", name, R"(", "sha256": ")", Hex(DigestOf(token)),
                R"(", "rights": )", rights, more, "}]}");
}

std::vector<Need> Needs(const std::string& method, const std::string& path,
                        const std::string& body = "",
                        const std::string& type = "application/json") {
  auto call = ReadCall({.method = method, .path = path, .content_type = type, .body = body});
  EXPECT_TRUE(call.ok()) << path;
  return NeedsOf(*call);
}

std::vector<Need> DialectNeeds(const std::string& verb, Document body) {
  return Needs("POST", "/api/" + verb, WriteMessagePack(body), "application/x-msgpack");
}

TEST(Access, NeedsOfRequests) {
  Need const read_a{.right = Right::kRead, .collection = "a"};
  Need const write_a{.right = Right::kWrite, .collection = "a"};
  Need const admin_a{.right = Right::kAdmin, .collection = "a"};
  Need const read_all{.right = Right::kRead};
  Need const admin_all{.right = Right::kAdmin};
  std::string const txn = "/v1/txn/00112233445566778899aabbccddeeff-0000000000000001/";
  EXPECT_THAT(Needs("POST", "/v1/read", R"({"collection": "a"})"), ElementsAre(read_a));
  EXPECT_THAT(Needs("POST", "/v1/query", R"({"collection": "a"})"), ElementsAre(read_a));
  EXPECT_THAT(Needs("POST", "/v1/write", R"({"collection": "a"})"), ElementsAre(write_a));
  EXPECT_THAT(Needs("POST", "/v1/write", R"({"writes": [{"collection": "a"}, 5, {"x": 1}]})"),
              ElementsAre(write_a));
  EXPECT_THAT(Needs("POST", "/v1/txn",
                    R"({"reads": [{"collection": "b"}], "writes": [{"collection": "a"}]})"),
              ElementsAre(Need{.right = Right::kRead, .collection = "b"}, write_a));
  EXPECT_THAT(Needs("POST", txn + "read", R"({"collection": "a"})"), ElementsAre(read_a));
  EXPECT_THAT(Needs("POST", txn + "query", R"({"collection": "a"})"), ElementsAre(read_a));
  EXPECT_THAT(Needs("POST", txn + "write", R"({"collection": "a"})"), ElementsAre(write_a));
  EXPECT_THAT(Needs("POST", txn + "commit"), ElementsAre());
  EXPECT_THAT(Needs("GET", "/v1/collections"), ElementsAre(read_all));
  EXPECT_THAT(Needs("GET", "/v1/collections/a/schemas"), ElementsAre(read_a));
  EXPECT_THAT(Needs("DELETE", "/v1/collections/a"), ElementsAre(admin_a));
  EXPECT_THAT(Needs("POST", "/v1/collections/a/schemas", "{}"), ElementsAre(admin_a));
  EXPECT_THAT(Needs("POST", "/v1/collections", R"({"name": "a"})"), ElementsAre(admin_a));
  EXPECT_THAT(Needs("GET", "/v1/api/keys/x"),
              ElementsAre(Need{.right = Right::kRead, .collection = "keys"}));
  EXPECT_THAT(Needs("DELETE", "/v1/api/keys/x"),
              ElementsAre(Need{.right = Right::kWrite, .collection = "keys"}));
  EXPECT_THAT(Needs("GET", "/metrics"), ElementsAre());
  EXPECT_THAT(Needs("GET", "/v1/status"), ElementsAre());
  EXPECT_THAT(Needs("GET", "/v1/cluster"), ElementsAre(read_all));
  EXPECT_THAT(Needs("POST", "/v1/cluster/nodes/2/drain"), ElementsAre(admin_all));
  EXPECT_THAT(Needs("POST", "/v1/not/there/yet"), ElementsAre(admin_all));
}

TEST(Access, NeedsOfTheDialect) {
  auto const text = [](const char* name) { return Document::Bytes(name); };
  Need const read_a{.right = Right::kRead, .collection = "a"};
  Need const admin_a{.right = Right::kAdmin, .collection = "a"};
  Document const with_timestamp = Document::Array({Document::Array(), text("a"), text("s")});
  EXPECT_THAT(DialectNeeds("Read", with_timestamp), ElementsAre(read_a));
  EXPECT_THAT(DialectNeeds("CreateQuery", with_timestamp), ElementsAre(read_a));
  EXPECT_THAT(DialectNeeds("Write", with_timestamp),
              ElementsAre(Need{.right = Right::kWrite, .collection = "a"}));
  EXPECT_THAT(DialectNeeds("GetSchema", Document::Array({text("a"), text("s")})),
              ElementsAre(read_a));
  EXPECT_THAT(DialectNeeds("CreateSchema", Document::Array({text("a")})), ElementsAre(admin_a));
  EXPECT_THAT(DialectNeeds("DropCollection", Document::Array({text("a")})), ElementsAre(admin_a));
  EXPECT_THAT(DialectNeeds("CreateCollection",
                           Document::Array({Document::Array({text("a")}), Document::Array()})),
              ElementsAre(admin_a));
  EXPECT_THAT(DialectNeeds("Read", Document::Signed(1)), ElementsAre());
}

TEST(Access, PatternsAndRights) {
  EXPECT_TRUE(Matches("*", ""));
  EXPECT_TRUE(Matches("a*c*", "abcbcx"));
  EXPECT_TRUE(Matches("a*bc", "abbc"));
  EXPECT_FALSE(Matches("a*bc", "abb"));
  EXPECT_FALSE(Matches("", "a"));
  EXPECT_FALSE(Matches("shop", "shops"));
  Token const token{.name = "t", .grants = {{"shop*", Right::kWrite}, {"logs", Right::kRead}}};
  EXPECT_TRUE(token.Has({.right = Right::kRead, .collection = "shop1"}));
  EXPECT_TRUE(token.Has({.right = Right::kWrite, .collection = "shop"}));
  EXPECT_FALSE(token.Has({.right = Right::kAdmin, .collection = "shop"}));
  EXPECT_FALSE(token.Has({.right = Right::kWrite, .collection = "logs"}));
  EXPECT_FALSE(token.Has({.right = Right::kRead}));
  Token const all{.name = "t", .grants = {{"*", Right::kRead}}};
  EXPECT_TRUE(all.Has({.right = Right::kRead}));
  EXPECT_FALSE(all.Has({.right = Right::kAdmin}));
}

TEST(Access, FilesAreReadStrictly) {
  std::string const digest = Hex(DigestOf("x"));
  auto const one = [&](const std::string& token) { return StrCat(R"({"tokens": [)", token, "]}"); };
  std::string const good =
      StrCat(R"({"name": "a", "sha256": ")", digest,
             R"(", "expires": "2027-02-28T23:59:59Z", "rights": {"b*": "write", "c": "read"}})");
  auto const tokens = ParseTokens(one(good));
  ASSERT_TRUE(tokens.ok()) << tokens.status().message();
  ASSERT_EQ(tokens->size(), 1U);
  EXPECT_EQ(tokens->front().expires_us, 1'803'859'199 * kSecond);
  EXPECT_EQ(tokens->front().grants.size(), 2U);
  EXPECT_TRUE(ParseTokens(R"({"tokens": []})").ok());
  struct Case {
    std::string json;
    std::string says;
  };
  for (const Case& bad : std::vector<Case>{
           {"", "byte"},
           {"[]", "$"},
           {"{}", "tokens"},
           {R"({"tokens": 1})", "$.tokens"},
           {one("5"), "$.tokens[0]"},
           {one(R"({"name": "a"})"), "sha256"},
           {one(StrCat(R"({"name": "", "sha256": ")", digest, R"(", "rights": {}})")), "name"},
           {one(R"({"name": "a", "sha256": "00", "rights": {}})"), "$.tokens[0].sha256"},
           {one(StrCat(R"({"name": "a", "sha256": ")", digest, R"(", "rights": {"b": "own"}})")),
            "own"},
           {one(StrCat(R"({"name": "a", "sha256": ")", digest, R"(", "rights": [], "more": 1})")),
            "more"},
           {one(StrCat(R"({"name": "a", "sha256": ")", digest,
                       R"(", "rights": {}, "expires": "2027-02-30T00:00:00Z"})")),
            "expires"},
           {one(StrCat(R"({"name": "a", "sha256": ")", digest,
                       R"(", "rights": {}, "expires": "soon"})")),
            "soon"}}) {
    auto const refused = ParseTokens(bad.json);
    ASSERT_FALSE(refused.ok()) << bad.json;
    EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(refused.status().message(), HasSubstr(bad.says)) << bad.json;
  }
}

class AccessFile : public ::testing::Test {
 protected:
  void Write(const std::string& content) { std::ofstream(path_) << content; }
  std::unique_ptr<Access> Load() {
    auto access = Access::Load(path_, kSecond, clock_, [this](const Status& status) {
      errors_.push_back(status.message());
    });
    EXPECT_TRUE(access.ok()) << access.status().message();
    return *std::move(access);
  }
  static std::string Said(Access& access, const std::string& authorization) {
    Reply refusal;
    auto const token = access.Identify(authorization, refusal);
    if (token != nullptr) {
      return token->name;
    }
    EXPECT_EQ(refusal.status, 401);
    EXPECT_EQ(refusal.document.Find("code")->text, "unauthenticated");
    EXPECT_EQ(refusal.headers.size(), 1U);
    return StrCat("401 ", refusal.document.Find("message")->text);
  }

  orochi::testing::TempDir directory_;
  const std::string path_ = directory_.path() + "/tokens";
  orochi::testing::FakeClock clock_;
  std::vector<std::string> errors_;
};

TEST_F(AccessFile, OnlyItsTokensAreSomebody) {
  Write(FileOf("app", "secret", R"({"*": "read"})"));
  auto const access = Load();
  EXPECT_EQ(Said(*access, "Bearer secret"), "app");
  EXPECT_EQ(Said(*access, "bearer secret"), "app");
  EXPECT_THAT(Said(*access, ""), HasSubstr("no token"));
  EXPECT_THAT(Said(*access, "Basic c2VjcmV0"), HasSubstr("no bearer"));
  EXPECT_THAT(Said(*access, "Bearer "), HasSubstr("no bearer"));
  EXPECT_THAT(Said(*access, "Bearer secre"), HasSubstr("nobody"));
  EXPECT_THAT(Said(*access, "Bearer secret "), HasSubstr("nobody"));
  EXPECT_THAT(Said(*access, "Bearer " + Hex(DigestOf("secret"))), HasSubstr("nobody"));
  EXPECT_THAT(Said(*access, "Bearer " + std::string(600, 'x')), HasSubstr("no bearer"));
}

TEST_F(AccessFile, TokensExpire) {
  clock_.SetWallMicros(1'803'859'198 * kSecond);
  Write(FileOf("app", "secret", "{}", R"(, "expires": "2027-02-28T23:59:59Z")"));
  auto const access = Load();
  EXPECT_EQ(Said(*access, "Bearer secret"), "app");
  clock_.SetWallMicros(1'803'859'199 * kSecond);
  EXPECT_THAT(Said(*access, "Bearer secret"), HasSubstr("expired"));
}

TEST_F(AccessFile, IsReadAgainWhenItChangesAndABadOneChangesNothing) {
  Write(FileOf("first", "one", "{}"));
  auto const access = Load();
  Write(FileOf("second", "two", "{}"));
  EXPECT_EQ(Said(*access, "Bearer one"), "first") << "it was looked at less than a second ago";
  clock_.AdvanceMicros(kSecond);
  EXPECT_EQ(Said(*access, "Bearer two"), "second");
  EXPECT_THAT(Said(*access, "Bearer one"), HasSubstr("nobody"));
  Write("{");
  for (int look = 0; look < 3; ++look) {
    clock_.AdvanceMicros(kSecond);
    EXPECT_EQ(Said(*access, "Bearer two"), "second");
  }
  ASSERT_EQ(errors_.size(), 1U) << "once for a change";
  EXPECT_THAT(errors_[0], HasSubstr(path_));
  std::remove(path_.c_str());
  clock_.AdvanceMicros(kSecond);
  EXPECT_EQ(Said(*access, "Bearer two"), "second");
  EXPECT_EQ(errors_.size(), 2U);
  Write(FileOf("third", "three", "{}"));
  clock_.AdvanceMicros(kSecond);
  EXPECT_EQ(Said(*access, "Bearer three"), "third");
}

TEST_F(AccessFile, MustBeGoodAtTheBeginning) {
  auto const load = [&] { return Access::Load(path_, kSecond, clock_, {}).status(); };
  EXPECT_THAT(load().message(), HasSubstr(path_));
  Write("{}");
  EXPECT_EQ(load().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace orochi::kv::http
