// Goal: commands send what the routes take and show what they answer; text becomes values by the
// schema; the benchmark's numbers are drawn and counted right.
// Method: commands in this process against nodes that answer by a script; pure functions by tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/kv/latency_histogram.h"
#include "cli/kv/record_text.h"
#include "cli/kv/value_json.h"
#include "cli/kv/zipfian.h"
#include "kv/client/testing/scripted_node.h"

namespace orochi::cli {
namespace {

using kv::client::Bytes;
using kv::client::Object;
using kv::client::SchemaDefinition;
using kv::client::Value;
using kv::client::testing::Act;
using kv::client::testing::Answer;
using kv::client::testing::Refuse;
using kv::client::testing::ScriptedNode;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Ran {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Ran RunKv(std::vector<std::string> words) {
  Invocation invocation(Terminal::Plain(100));
  CLI::App app("test", "orochi");
  AddKvCommand(app, invocation);
  words.insert(words.begin(), "kv");
  std::reverse(words.begin(), words.end());  // as the parser wants them
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  app.parse(words);
  return {.exit_code = invocation.exit_code,
          .out = ::testing::internal::GetCapturedStdout(),
          .err = ::testing::internal::GetCapturedStderr()};
}

Object Member(uint64_t number, const char* state, uint64_t replicas) {
  return {{"number", number}, {"address", StrCat("127.0.0.1:700", number)},
          {"http", Value()},  {"state", state},
          {"alive", true},    {"replicas", replicas},
          {"leads", Value()}};
}
Act Cluster(const char* state, uint64_t replicas) {
  return Answer(200, {{"cluster", "orochi"},
                      {"nodes", Value::Array{Member(1, "member", 3), Member(2, state, replicas)}}});
}

TEST(KvCommandTest, MembersAsATableAndAsLines) {
  ScriptedNode node({Cluster("draining", 2), Cluster("draining", 2)});
  Ran const table = RunKv({"members", "-n", node.address()});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("draining"));
  EXPECT_THAT(table.out, HasSubstr("127.0.0.1:7002"));
  Ran const lines = RunKv({"members", "-n", node.address(), "-o", "lines"});
  EXPECT_THAT(lines.out, StartsWith(R"({"number":1,"address":"127.0.0.1:7001","http":null,)"));
  EXPECT_THAT(node.requests()[0], StartsWith("GET /v1/cluster HTTP/1.1"));
}

TEST(KvCommandTest, PartitionsHaveTheirBoundsCutInTablesOnly) {
  std::string const end(40, 'a');
  Act const partitions = Answer(
      200, {{"partitions",
             Value::Array{Object{{"group", 1}, {"collection", Value()}, {"begin", ""}, {"end", ""}},
                          Object{{"group", 2},
                                 {"collection", "shop"},
                                 {"begin", "00"},
                                 {"end", end},
                                 {"replicas", Value::Array{1, 2, 3}},
                                 {"leader", 1},
                                 {"settled", true},
                                 {"size_bytes", 300'000'000}}}}});
  ScriptedNode node({partitions, partitions});
  Ran const table = RunKv({"partitions", "-n", node.address()});
  EXPECT_THAT(table.out, HasSubstr("1,2,3"));
  EXPECT_THAT(table.out, HasSubstr("aaaaaaaaaaaaaaaa.."));
  EXPECT_THAT(table.out, HasSubstr("300 MB"));
  EXPECT_THAT(RunKv({"partitions", "-n", node.address(), "-o", "json"}).out, HasSubstr(end));
}

TEST(KvCommandTest, ChangesGoToTheirRoutes) {
  struct Case {
    std::vector<std::string> words;
    std::string request;
    std::string body;
  };
  const std::vector<Case> cases = {
      {{"split", "7"}, "POST /v1/cluster/partitions/7/split HTTP", "{}"},
      {{"split", "7", "--at", "00ff"},
       "POST /v1/cluster/partitions/7/split HTTP",
       R"({"at":"00ff"})"},
      {{"move", "7", "1", "2", "4"},
       "POST /v1/cluster/partitions/7/move HTTP",
       R"({"nodes":[1,2,4]})"},
      {{"lead", "7", "2"}, "POST /v1/cluster/partitions/7/lead HTTP", R"({"node":2})"},
      {{"drain", "3"}, "POST /v1/cluster/nodes/3/drain HTTP", ""},
      {{"undrain", "3"}, "POST /v1/cluster/nodes/3/undrain HTTP", ""},
      {{"remove", "3"}, "POST /v1/cluster/nodes/3/remove HTTP", ""},
      {{"remove", "3", "--force"}, "POST /v1/cluster/nodes/3/remove?force=true HTTP", ""},
  };
  for (const Case& one : cases) {
    ScriptedNode node({Answer(200, Member(3, "draining", 0))});
    auto words = one.words;
    words.insert(words.end(), {"-n", node.address()});
    Ran const ran = RunKv(words);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    ASSERT_EQ(node.requests().size(), 1u);
    EXPECT_THAT(node.requests()[0], StartsWith(one.request));
    EXPECT_THAT(node.requests()[0], ::testing::EndsWith("\r\n\r\n" + one.body));
  }
}

TEST(KvCommandTest, LeavingWaitsUntilNoReplicaIsLeft) {
  ScriptedNode node({Answer(200, Member(2, "draining", 1)), Cluster("draining", 1),
                     Cluster("draining", 0), Answer(200, Member(2, "gone", 0))});
  Ran const ran = RunKv({"leave", "2", "-n", node.address()});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("gone"));
  EXPECT_THAT(node.requests()[3], StartsWith("POST /v1/cluster/nodes/2/remove "));
}

TEST(KvCommandTest, ANodeWithoutTheRouteSaysSo) {
  ScriptedNode node({Refuse(404, "no_such_route")});
  Ran const ran = RunKv({"drain", "2", "-n", node.address()});
  EXPECT_EQ(ran.exit_code, 4);
  EXPECT_THAT(ran.err, HasSubstr("the node is of a version that cannot do this"));
}

TEST(KvCommandTest, AnUnknownOutcomeHasAnExitCodeOfItsOwn) {
  ScriptedNode node({{.kind = Act::Kind::kClose}});
  EXPECT_EQ(RunKv({"put", "a", "b", "-n", node.address()}).exit_code, 7);
  EXPECT_EQ(node.requests().size(), 1u);
}

SchemaDefinition Things() {
  return {.name = "thing",
          .fields = {{.name = "a", .type = "text"},
                     {.name = "n", .type = "int64"},
                     {.name = "f", .type = "double"},
                     {.name = "b", .type = "bool"},
                     {.name = "u", .type = "uuid"},
                     {.name = "x", .type = "bytes"}},
          .partition_key = {"a"},
          .range_key = {"n"}};
}

TEST(RecordTextTest, TextBecomesValuesByTheSchema) {
  SchemaDefinition const things = Things();
  EXPECT_EQ(*KeyJson(things, {"z=y", "-5"}), R"({"a":"z=y","n":"-5"})");
  EXPECT_EQ(*KeyJson(things, {"n=5", "a=q\"uote"}), R"({"n":"5","a":"q\"uote"})");
  EXPECT_FALSE(KeyJson(things, {"a"}).ok());
  EXPECT_FALSE(KeyJson(things, {"a=1", "a=2"}).ok());
  EXPECT_FALSE(KeyJson(things, {"a=1", "f=2"}).ok());
  EXPECT_EQ(*KeyValuesJson(things, {"a"}), R"(["a"])");
  EXPECT_FALSE(KeyValuesJson(things, {"n=1"}).ok());
  EXPECT_EQ(*RecordJson(things, {"f=0.5", "b=true", "a:=null"}, false),
            R"({"a":null,"n":null,"f":0.5,"b":true,"u":null,"x":null})");
  EXPECT_EQ(*RecordJson(things, {"f=NaN"}, true), R"({"f":"NaN"})");
  for (const char* bad : {"f=x", "f=", "b=1", "zz=1", "a:={", "value"}) {
    EXPECT_EQ(RecordJson(things, {bad}, false).status().code(), StatusCode::kInvalidArgument)
        << bad;
  }
  EXPECT_FALSE(RecordJson(things, {"a=1", "a=2"}, false).ok());
}

TEST(RecordTextTest, TargetsHaveTwoPartsAndPerhapsAVersion) {
  EXPECT_EQ((*ParseTarget("shop/item@3")).version, 3u);
  EXPECT_EQ((*ParseTarget("shop/item")).schema, "item");
  for (const char* bad : {"", "shop", "/item", "shop/", "shop/item@", "shop/item@x"}) {
    EXPECT_FALSE(ParseTarget(bad).ok()) << bad;
  }
}

TEST(ValueJsonTest, ValuesAsJson) {
  Value const value = Object{{"a", Value::Array{1, -2, 0.5, true, Value(), "q\"\n"}},
                             {"b", Bytes{std::string("\0\xff", 2)}},
                             {"c", std::nan("")},
                             {"d", -0.0}};
  EXPECT_EQ(JsonOf(value), R"({"a":[1,-2,0.5,true,null,"q\"\n"],"b":"AP8=","c":"NaN","d":-0.0})");
  EXPECT_EQ(Base64Of(""), "");
  EXPECT_EQ(Base64Of("f"), "Zg==");
  EXPECT_EQ(Base64Of("fo"), "Zm8=");
  EXPECT_EQ(Base64Of("foo"), "Zm9v");
  Value const record = Object{
      {"u", Bytes{std::string(15, '\0') + "\x01"}}, {"a", Bytes{"\xff"}}, {"x", Bytes{"\xff"}}};
  EXPECT_EQ(JsonOf(Presentable(Things(), record)),
            R"({"u":"00000000-0000-0000-0000-000000000001","a":{"base64":"/w=="},"x":"/w=="})");
}

TEST(LatencyHistogramTest, QuantilesAreRightToOnePartIn64) {
  LatencyHistogram histogram;
  for (int64_t value = 1; value <= 100'000; ++value) {
    histogram.Record(value * 1000);
  }
  EXPECT_EQ(histogram.count(), 100'000u);
  EXPECT_EQ(histogram.max_ns(), 100'000'000u);
  for (double const fraction : {0.1, 0.5, 0.9, 0.99, 0.999}) {
    auto const found = static_cast<double>(histogram.Quantile(fraction));
    EXPECT_NEAR(found / (fraction * 1e8), 1, 1.0 / 64) << fraction;
  }
  EXPECT_EQ(histogram.Quantile(1), histogram.max_ns());
  LatencyHistogram both;
  both.Record(5);
  both.Merge(histogram);
  EXPECT_EQ(both.count(), 100'001u);
  EXPECT_EQ(both.Quantile(0), 5u);
}

TEST(ZipfianTest, RanksAreAsFrequentAsTheLawSays) {
  constexpr uint64_t kCount = 1000;
  constexpr int kDraws = 200'000;
  Zipfian const zipfian(kCount);
  double zeta = 0;
  for (uint64_t rank = 1; rank <= kCount; ++rank) {
    zeta += std::pow(static_cast<double>(rank), -0.99);
  }
  SeededRandom random(7);
  std::vector<int> seen(kCount);
  for (int draw = 0; draw < kDraws; ++draw) {
    ++seen[zipfian.Rank(random)];
    EXPECT_LT(zipfian.Scattered(random), kCount);
  }
  EXPECT_NEAR(seen[0], kDraws / zeta, kDraws * 0.005);
  EXPECT_NEAR(seen[1], kDraws / zeta * std::pow(2, -0.99), kDraws * 0.005);
  int upper = 0;
  for (uint64_t rank = 500; rank < kCount; ++rank) {
    upper += seen[rank];
  }
  EXPECT_NEAR(static_cast<double>(upper) / kDraws, std::log(2) / zeta, 0.02);
}

}  // namespace
}  // namespace orochi::cli
