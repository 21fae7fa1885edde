// Goal: tables stay aligned whatever the text, and fit the terminal. Method: whole renderings
// against what a person would write.

#include "cli/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orochi::cli {
namespace {

using testing::ElementsAre;

TextTable TwoColumns() {
  return TextTable({{"chunk"}, {"rows", TextTable::Align::kRight}});
}

TEST(TextTable, AlignsTextLeftAndNumbersRight) {
  TextTable table = TwoColumns();
  table.AddRow({"metrics_1", "12"});
  table.AddRow({"m", "1,234"});
  EXPECT_THAT(table.Render(Terminal::Plain(80)), ElementsAre("chunk       rows",  //
                                                             "---------  -----",  //
                                                             "metrics_1     12",  //
                                                             "m          1,234"));
}

TEST(TextTable, CountsCodePointsNotBytes) {
  TextTable table = TwoColumns();
  table.AddRow({"h\u00f6he", "1"});
  table.AddRow({"tiefe", "22"});
  EXPECT_THAT(table.Render(Terminal::Plain(80)), ElementsAre("chunk  rows",       //
                                                             "-----  ----",       //
                                                             "h\u00f6he      1",  //
                                                             "tiefe    22"));
}

TEST(TextTable, ShortensTheWidestTextToFit) {
  TextTable table = TwoColumns();
  table.AddRow({"a_very_long_chunk_name_that_does_not_fit", "123456"});
  std::vector<std::string> const lines = table.Render(Terminal::Plain(30));
  EXPECT_EQ(lines[2], "a_very_long_chunk_na..  123456");
}

TEST(TextTable, NeverShortensNumbers) {
  TextTable table({{"rows", TextTable::Align::kRight}, {"bytes", TextTable::Align::kRight}});
  table.AddRow({"123456789012345678901234567890", "123456789012345678901234567890"});
  EXPECT_EQ(table.Render(Terminal::Plain(40))[2],
            "123456789012345678901234567890  123456789012345678901234567890");
}

TEST(Shorten, CutsBetweenCodePoints) {
  EXPECT_EQ(Shorten("\u00e4\u00f6\u00fc\u00df", 4, true), "\u00e4\u00f6\u00fc\u00df");
  EXPECT_EQ(Shorten("\u00e4\u00f6\u00fc\u00df", 3, true), "\u00e4\u00f6\u2026");
  EXPECT_EQ(Shorten("abcd", 3, false), "a..");
}

}  // namespace
}  // namespace orochi::cli
