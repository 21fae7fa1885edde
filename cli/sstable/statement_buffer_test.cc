// Goal: a statement ends at its semicolon and nowhere else.
// Method: lines as they are typed, and what is whole after each.
#include "cli/sstable/statement_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace orochi::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> TakeAll(StatementBuffer& buffer) {
  std::vector<std::string> all;
  while (std::optional<std::string> statement = buffer.Take()) {
    all.push_back(*std::move(statement));
  }
  return all;
}

std::vector<std::string> Statements(std::string_view line) {
  StatementBuffer buffer;
  buffer.AddLine(line);
  return TakeAll(buffer);
}

TEST(StatementBufferTest, SeveralOnALine) {
  EXPECT_THAT(Statements("SELECT 1; SELECT 2;"), ElementsAre("SELECT 1", " SELECT 2"));
}

TEST(StatementBufferTest, OverSeveralLines) {
  StatementBuffer buffer;
  buffer.AddLine("SELECT *");
  EXPECT_THAT(TakeAll(buffer), IsEmpty());
  EXPECT_FALSE(buffer.empty());
  buffer.AddLine("FROM t;");
  EXPECT_THAT(TakeAll(buffer), ElementsAre("SELECT *\nFROM t"));
  EXPECT_TRUE(buffer.empty());
}

TEST(StatementBufferTest, SemicolonsInQuotesAndCommentsEndNothing) {
  EXPECT_THAT(Statements("SELECT 'a;b', \"c;d\", $$e;'f$$ -- g;h"), IsEmpty());
  EXPECT_THAT(Statements("SELECT 'it''s;' /* a; ' */ FROM t; // done;"),
              ElementsAre("SELECT 'it''s;' /* a; ' */ FROM t"));
}

TEST(StatementBufferTest, SaysWhatIsOpen) {
  for (auto const& [line, open] : std::vector<std::pair<std::string, char>>{
           {"SELECT 'a", '\''}, {"SELECT \"a", '"'}, {"SELECT /* a", '*'}, {"SELECT a", '\0'}}) {
    StatementBuffer buffer;
    buffer.AddLine(line);
    EXPECT_THAT(TakeAll(buffer), IsEmpty());
    EXPECT_EQ(buffer.open(), open) << line;
  }
}

TEST(StatementBufferTest, NothingIsNoStatement) {
  EXPECT_THAT(Statements(" ; ;; -- a comment\n /* and ; another */ ;"), IsEmpty());
  StatementBuffer buffer;
  buffer.AddLine("-- a comment");
  EXPECT_THAT(TakeAll(buffer), IsEmpty());
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.TakeRest(), "");
}

TEST(StatementBufferTest, TheRestIsWhatHasNoSemicolon) {
  StatementBuffer buffer;
  buffer.AddLine("SELECT 1; SELECT 2");
  EXPECT_THAT(TakeAll(buffer), ElementsAre("SELECT 1"));
  EXPECT_EQ(buffer.TakeRest(), " SELECT 2\n");
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace orochi::cli
