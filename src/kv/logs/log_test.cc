// Goal: every line is one object that readers of JSON take, with the members promised, whatever is
// said; levels below the chosen one cost a comparison and no line. Method: lines into memory, read
// by another parser.
#include "kv/logs/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

namespace orochi::kv::logs {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::vector<json> LinesOf(const std::ostringstream& out) {
  std::vector<json> lines;
  std::istringstream in(out.str());
  for (std::string line; std::getline(in, line);) {
    lines.push_back(json::parse(line));
  }
  return lines;
}

TEST(Log, ALineIsAnObjectWithTimeLevelMessageAndWhoSaysIt) {
  std::ostringstream out;
  Log log({.cluster = "c\"1", .node = 7}, &out);
  log.Warning("a \"b\"\n\x01 ü", {{"text", "x\\y"}, {"count", 3}, {"seconds", 0.5}, {"yes", true}});
  std::vector<json> const lines = LinesOf(out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0]["time"].get<std::string>(),
              MatchesRegex("20[0-9][0-9]-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9]+Z"));
  EXPECT_EQ(lines[0]["level"], "warning");
  EXPECT_EQ(lines[0]["message"], "a \"b\"\n\x01 ü");
  EXPECT_EQ(lines[0]["cluster"], "c\"1");
  EXPECT_EQ(lines[0]["node"], 7);
  EXPECT_EQ(lines[0]["text"], "x\\y");
  EXPECT_EQ(lines[0]["count"], 3);
  EXPECT_EQ(lines[0]["seconds"], 0.5);
  EXPECT_EQ(lines[0]["yes"], true);
}

TEST(Log, BytesThatAreNoTextAreRepaired) {
  std::ostringstream out;
  Log log({}, &out);
  log.Info(std::string("\xff\x00{}%v", 6), {{"path", "/\xc3\x28"}});
  std::vector<json> const lines = LinesOf(out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0]["message"].get<std::string>(), HasSubstr("{}%v"));
  for (unsigned char const byte : out.str()) {
    EXPECT_LT(byte, 0x80);
  }
  EXPECT_FALSE(lines[0].contains("node"));
}

TEST(Log, LevelsBelowTheChosenOneSayNothing) {
  std::ostringstream out;
  Log log({.level = Level::kWarning}, &out);
  EXPECT_FALSE(log.Has(Level::kInfo));
  log.Debug("a");
  log.Info("b");
  EXPECT_EQ(out.str(), "");
  log.Error("c", Status::Unavailable("d").WithHint("e"));
  std::vector<json> const lines = LinesOf(out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["level"], "error");
  EXPECT_EQ(lines[0]["message"], "c: d");
  EXPECT_EQ(lines[0]["hint"], "e");
}

TEST(Log, TextIsALineForPeople) {
  std::ostringstream out;
  Log log({.format = Format::kText, .node = 2}, &out);
  log.Info("one\ntwo", {{"count", 3}, {"path", "a b"}});
  EXPECT_THAT(out.str(), MatchesRegex("[^ ]+Z info: node 2: one two count=3 path=\"a b\"\n"));
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  std::ostringstream out;
  {
    Log log({}, &out);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&log, thread] {
        for (int line = 0; line < 500; ++line) {
          log.Info("x", {{"thread", thread}, {"line", line}});
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  EXPECT_EQ(LinesOf(out).size(), 2000U);
}

TEST(Log, NamesOfLevelsAndFormats) {
  EXPECT_EQ(*ParseLevel("warning"), Level::kWarning);
  EXPECT_EQ(*ParseFormat("text"), Format::kText);
  EXPECT_THAT(ParseLevel("loud").status().message(), HasSubstr("debug, info, warning, error"));
  EXPECT_FALSE(ParseFormat("xml").ok());
}

}  // namespace
}  // namespace orochi::kv::logs
