// Goal: a header that is split at the wrong delimiter is recognised, and one that is not never is.
// Method: literal headers.

#include "cli/load_schema.h"

#include <gtest/gtest.h>

namespace orochi::cli {
namespace {

bool SuggestsDelimiter(const std::vector<std::string>& columns, char delimiter,
                       const std::string& suggestion) {
  return HeaderHint(columns, delimiter, "advice").find("--delimiter '" + suggestion + "'") !=
         std::string::npos;
}

TEST(HeaderHint, NamesTheDelimiterThatTheFileSeemsToHave) {
  EXPECT_TRUE(SuggestsDelimiter({"t;v"}, ',', ";"));
  EXPECT_TRUE(SuggestsDelimiter({"t;value", " unit;note"}, ',', ";"));
  EXPECT_TRUE(SuggestsDelimiter({"t\tv"}, ',', "\\t"));
  EXPECT_TRUE(SuggestsDelimiter({"t|v"}, ';', "|"));
  EXPECT_TRUE(SuggestsDelimiter({"t,v"}, ';', ","));
}

TEST(HeaderHint, KeepsItsAdviceOtherwise) {
  EXPECT_EQ(HeaderHint({"t", "v"}, ',', "advice"), "advice");
  EXPECT_EQ(HeaderHint({"t", "load (1;5)"}, ',', "advice"), "advice");
  EXPECT_EQ(HeaderHint({"t,v"}, ',', "advice"), "advice");
}

}  // namespace
}  // namespace orochi::cli
