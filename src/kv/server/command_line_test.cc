// Goal: options mean the same wherever they stand, the nearer one wins, and what is wrong is
// refused with its name. Method: lines, an environment and files made up here.
#include "kv/server/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/str_cat.h"

namespace orochi::kv {
namespace {

using ::testing::HasSubstr;
using Lines = std::vector<std::string>;

const Lines kLeast = {"--data", "/d", "--node", "2", "--peer", "1=a:1", "--peer", "2=b:2"};

ParsedCommandLine Parse(Lines more, const std::map<std::string, std::string>& environment = {},
                        bool with_least = true) {
  Lines arguments = with_least ? kLeast : Lines();
  arguments.insert(arguments.end(), more.begin(), more.end());
  return ParseCommandLine(arguments, [&](const std::string& name) -> std::optional<std::string> {
    auto const found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
}

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(StrCat(::testing::TempDir(), "command_line_test.",
                     ::testing::UnitTest::GetInstance()->current_test_info()->name(), ".toml")) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(CommandLine, TakesWhatIsGivenAndDefaults) {
  ParsedCommandLine const parsed = Parse({"--cluster", "c", "--http", "8001"});
  ASSERT_TRUE(parsed.run) << parsed.text;
  const NodeServerOptions& node = parsed.run->node;
  EXPECT_EQ(node.data_directory, "/d");
  EXPECT_EQ(node.number, NodeNumber(2));
  EXPECT_EQ(node.cluster, "c");
  ASSERT_EQ(node.peers.size(), 2U);
  EXPECT_EQ(node.peers[1].number, NodeNumber(2));
  EXPECT_EQ(node.peers[1].address, "b:2");
  EXPECT_EQ(node.http.host, "127.0.0.1");
  EXPECT_EQ(node.http.port, 8001);
  EXPECT_FALSE(parsed.run->checks_only);
  EXPECT_EQ(Parse({}).run->node.cluster, "orochi");
  EXPECT_EQ(Parse({}).run->node.http.port, 8000);
}

TEST(CommandLine, HttpIsAPortAnAddressOrASocket) {
  EXPECT_EQ(Parse({"--http", "127.0.0.2:80"}).run->node.http.host, "127.0.0.2");
  EXPECT_EQ(Parse({"--http", "127.0.0.2:80"}).run->node.http.port, 80);
  EXPECT_EQ(Parse({"--http", "[::1]:81"}).run->node.http.host, "::1");
  EXPECT_EQ(Parse({"--http", "unix:/run/s"}).run->node.http.socket_path, "/run/s");
  for (const char* const wrong :
       {"x", "unix:", "host:", ":80", "65536", "1e3", "-1", "host:99999"}) {
    ParsedCommandLine const parsed = Parse({StrCat("--http=", wrong)});
    EXPECT_FALSE(parsed.run) << wrong;
    EXPECT_THAT(parsed.text, HasSubstr(StrCat("--http '", wrong))) << wrong;
    EXPECT_EQ(parsed.exit_code, kExitUsage);
  }
}

TEST(CommandLine, OthersAreServedWithTlsAndTokensOnly) {
  Lines const tls = {"--http-certificate", "c", "--http-key", "k"};
  Lines const tokens = {"--tokens", "t"};
  for (const char* const host : {"0.0.0.0", "10.1.2.3", "[::]", "[fe80::1]", "node-1.example"}) {
    Lines const at = {"--http", StrCat(host, ":8000")};
    auto const with = [&](std::vector<Lines> parts) {
      Lines all = at;
      for (const Lines& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
      }
      return Parse(all);
    };
    EXPECT_THAT(with({}).text, HasSubstr("need TLS and tokens")) << host;
    EXPECT_FALSE(with({tls}).run) << host;
    EXPECT_FALSE(with({tokens}).run) << host;
    EXPECT_TRUE(with({tls, tokens}).run) << host;
    EXPECT_TRUE(with({{"--insecure-listen"}}).run) << host;
  }
  for (const char* const own :
       {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:/s"}) {
    EXPECT_TRUE(Parse({"--http", own}).run) << own;
  }
}

TEST(CommandLine, FilesOfTlsBelongTogether) {
  EXPECT_THAT(Parse({"--http-key", "k"}).text, HasSubstr("--http-certificate is missing"));
  EXPECT_THAT(Parse({"--http-client-authority", "a"}).text, HasSubstr("--http-certificate"));
  EXPECT_THAT(Parse({"--peer-certificate", "c", "--peer-key", "k"}).text,
              HasSubstr("--peer-authority is missing"));
  ParsedCommandLine const parsed =
      Parse({"--peer-certificate", "c", "--peer-key", "k", "--peer-authority", "a", "--peer-name",
             "n", "--http-certificate", "hc", "--http-key", "hk", "--http-client-authority", "ha"});
  ASSERT_TRUE(parsed.run) << parsed.text;
  EXPECT_EQ(parsed.run->node.tls->authority, "a");
  EXPECT_EQ(parsed.run->node.tls->peer_name, "n");
  EXPECT_EQ(parsed.run->node.http.tls->client_authority, "ha");
  EXPECT_FALSE(Parse({}).run->node.tls);
  EXPECT_FALSE(Parse({}).run->node.http.tls);
}

TEST(CommandLine, GossipBeyondThisMachineNeedsKeys) {
  std::string const key(64, 'a');
  ConfigFile const good(StrCat(key, "\n", std::string(64, '0'), "\n"));
  Lines const far = {"--listen", "10.0.0.1:7001"};
  auto const with = [&](Lines more) {
    more.insert(more.end(), far.begin(), far.end());
    return Parse(more);
  };
  EXPECT_THAT(with({}).text, HasSubstr("gossip at 10.0.0.1:7001 needs keys"));
  EXPECT_TRUE(with({"--gossip", "off"}).run);
  EXPECT_TRUE(with({"--gossip", "127.0.0.1:7002"}).run);
  EXPECT_THAT(Parse({"--gossip", "10.0.0.1:7002"}).text, HasSubstr("needs keys"));
  ParsedCommandLine const parsed = with({"--gossip-keys", good.path()});
  ASSERT_TRUE(parsed.run) << parsed.text;
  EXPECT_EQ(parsed.run->node.gossip_keys.size(), 2U);
  EXPECT_FALSE(with({"--gossip-keys", "/no/such/file"}).run);
  std::ofstream(good.path()) << "short\n";
  ParsedCommandLine const refused = with({"--gossip-keys", good.path()});
  EXPECT_FALSE(refused.run);
  EXPECT_EQ(refused.text.find("short"), std::string::npos) << "keys are not repeated";
}

TEST(CommandLine, LogsAndLimits) {
  ParsedCommandLine const parsed =
      Parse({"--log-format", "text", "--log-level", "debug", "--log-slow-ms", "20",
             "--http-connections", "7", "--http-waiting", "8", "--http-client-requests", "9"});
  ASSERT_TRUE(parsed.run) << parsed.text;
  EXPECT_EQ(parsed.run->node.log.format, logs::Format::kText);
  EXPECT_EQ(parsed.run->node.log.level, logs::Level::kDebug);
  EXPECT_EQ(parsed.run->node.requests.slow_us, 20'000);
  EXPECT_EQ(parsed.run->node.http.thread_count, 7U);
  EXPECT_EQ(parsed.run->node.http.waiting_count_max, 8U);
  EXPECT_EQ(parsed.run->node.http.client_request_count_max, 9U);
  EXPECT_THAT(Parse({"--log-level", "loud"}).text, HasSubstr("loud"));
  EXPECT_THAT(Parse({"--log-format", "xml"}).text, HasSubstr("xml"));
}

TEST(CommandLine, TheNearerPlaceWins) {
  ConfigFile const file(
      "data = \"/file\"\nnode = 1\npeer = [\"1=f:1\", \"2=f:2\"]\ncluster = \"file\"\nhttp = "
      "\"1\"\n");
  std::map<std::string, std::string> const environment = {{"OROCHI_KVD_CLUSTER", "environment"},
                                                          {"OROCHI_KVD_HTTP", "2"},
                                                          {"OROCHI_KVD_CONFIG", file.path()}};
  ParsedCommandLine const parsed = Parse({"--http", "3"}, environment, false);
  ASSERT_TRUE(parsed.run) << parsed.text;
  EXPECT_EQ(parsed.run->node.data_directory, "/file");
  EXPECT_EQ(parsed.run->node.peers.size(), 2U);
  EXPECT_EQ(parsed.run->node.cluster, "environment");
  EXPECT_EQ(parsed.run->node.http.port, 3);
}

TEST(CommandLine, SeveralValuesOfAVariableAreSeparatedByCommas) {
  ParsedCommandLine const parsed =
      Parse({"--data=/d", "--node=1"}, {{"OROCHI_KVD_PEER", "1=a:1,2=b:2,3=c:3"}}, false);
  ASSERT_TRUE(parsed.run) << parsed.text;
  EXPECT_EQ(parsed.run->node.peers.size(), 3U);
}

TEST(CommandLine, RefusesWithTheNameOfWhatIsWrong) {
  struct Case {
    Lines arguments;
    const char* says;
  };
  for (const Case& one : std::vector<Case>{{{"--nonsense"}, "--nonsense"},
                                           {{"word"}, "word"},
                                           {{"--peer", "x"}, "--peer 'x'"},
                                           {{"--peer", "0=a:1"}, "--peer '0=a:1'"},
                                           {{"--peer", "4294967296=a:1"}, "4294967296"},
                                           {{"--http-connections", "0"}, "--http-connections"},
                                           {{"--config", "/no/such/file"}, "/no/such/file"}}) {
    ParsedCommandLine const parsed = Parse(one.arguments);
    EXPECT_FALSE(parsed.run) << one.says;
    EXPECT_EQ(parsed.exit_code, kExitUsage);
    EXPECT_THAT(parsed.text, HasSubstr(one.says));
  }
  EXPECT_THAT(Parse({"--data=/d", "--node=3", "--peer=1=a:1"}, {}, false).text,
              HasSubstr("node 3 itself"));
  EXPECT_THAT(Parse({"--node=3", "--peer=1=a:1"}, {}, false).text, HasSubstr("--data"));
}

TEST(CommandLine, RefusesWhatAFileHasAndNoOption) {
  ConfigFile const file("clustre = \"x\"\n");
  ParsedCommandLine const parsed = Parse({"--config", file.path()});
  EXPECT_FALSE(parsed.run);
  EXPECT_THAT(parsed.text, HasSubstr("clustre"));
}

TEST(CommandLine, HelpIsNoError) {
  ParsedCommandLine const parsed = Parse({"--help"});
  EXPECT_FALSE(parsed.run);
  EXPECT_EQ(parsed.exit_code, 0);
  EXPECT_THAT(parsed.text, HasSubstr("--check-config"));
  EXPECT_TRUE(Parse({"--check-config"}).run->checks_only);
}

}  // namespace
}  // namespace orochi::kv
