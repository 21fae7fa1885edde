// Goal: Tab offers what can stand there and nothing else.
// Method: the text before the cursor, and what is offered.
#include "cli/sstable/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace orochi::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

CompletionNames Shop() {
  return {.tables = {{.keyspace = "shop", .table = "orders", .columns = {"customer", "status"}},
                     {.keyspace = "shop", .table = "users", .columns = {"cust_id", "Name"}}}};
}

TEST(CompletionTest, KeywordsKeepTheCaseInWhichTheyAreTyped) {
  EXPECT_THAT(Complete("sel", Shop()), ElementsAre("select"));
  EXPECT_THAT(Complete("SEL", Shop()), ElementsAre("SELECT"));
}

TEST(CompletionTest, TablesAfterFrom) {
  EXPECT_THAT(Complete("SELECT * FROM o", Shop()), ElementsAre("orders"));
  EXPECT_THAT(Complete("SELECT * FROM ", Shop()),
              ElementsAre("orders", "shop.orders", "shop.users", "users"));
  EXPECT_THAT(Complete("\\d u", Shop()), ElementsAre("users"));
}

TEST(CompletionTest, ColumnsOfTheTablesNamed) {
  EXPECT_THAT(Complete("SELECT * FROM orders WHERE cust", Shop()), ElementsAre("customer"));
  EXPECT_THAT(Complete("SELECT cust", Shop()), ElementsAre("cust_id", "customer"));
  EXPECT_THAT(Complete("SELECT \"N", Shop()), ElementsAre("\"Name\""));
}

TEST(CompletionTest, FunctionsAndKeywordsInsideAStatement) {
  EXPECT_THAT(Complete("SELECT write", Shop()), ElementsAre("writetime("));
  EXPECT_THAT(Complete("SELECT * FROM orders ALL", Shop()), ElementsAre("ALLOW FILTERING"));
  EXPECT_THAT(Complete("SELECT * FROM orders WHERE ", Shop()), Contains("status"));
}

TEST(CompletionTest, CommandsAtTheStart) {
  EXPECT_THAT(Complete("\\t", Shop()), ElementsAre("\\timing"));
  EXPECT_THAT(Complete("\\format j", Shop()), ElementsAre("json"));
  EXPECT_THAT(Complete("", Shop()), Contains("\\d"));
  EXPECT_THAT(Complete("nonsense", Shop()), IsEmpty());
}

TEST(CompletionTest, FilesAfterSource) {
  namespace fs = std::filesystem;
  fs::path const directory =
      fs::path(::testing::TempDir()) / ("completion-" + std::to_string(getpid()));
  fs::create_directories(directory / "more");
  std::ofstream(directory / "queries.cql") << "SELECT 1;";
  std::string const line = "\\i " + directory.string() + "/que";
  // What is offered takes the place of the last word alone.
  EXPECT_EQ(WordStart(line), line.size() - 3);
  EXPECT_THAT(Complete(line, Shop()), ElementsAre("queries.cql"));
  EXPECT_THAT(Complete("SOURCE '" + directory.string() + "/m", Shop()), ElementsAre("more/"));
  EXPECT_THAT(Complete("\\i " + directory.string() + "/", Shop()), Not(Contains("select")));
  fs::remove_all(directory);
}

}  // namespace
}  // namespace orochi::cli
