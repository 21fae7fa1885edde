// Goal: what load sends to the server and shows to people is exact. Method: literal rows in COPY's
// text format; progress lines at chosen moments and widths.

#include <gtest/gtest.h>

#include "cli/copy_text.h"
#include "cli/json_text.h"
#include "cli/progress.h"

namespace orochi::cli {
namespace {

TEST(CopyTextWriter, EscapesWhatWouldEndAValue) {
  CopyTextWriter writer;
  writer.AddValue("plain");
  writer.AddValue("tab\there");
  writer.AddValue("line\r\nbreak");
  writer.AddValue("back\\slash");
  writer.EndRow();
  EXPECT_EQ(writer.text(), "plain\ttab\\there\tline\\r\\nbreak\tback\\\\slash\n");
}

TEST(CopyTextWriter, KeepsNullAndItsLookAlikesApart) {
  CopyTextWriter writer;
  writer.AddNull();
  writer.AddValue("");
  writer.AddValue("\\N");
  writer.EndRow();
  writer.AddValue("\\.");
  writer.EndRow();
  EXPECT_EQ(writer.text(), "\\N\t\t\\\\N\n\\\\.\n");
}

TEST(RenderProgress, ShowsRateAndTimeLeft) {
  ProgressState const state = {
      .label = "loading", .rows = 12345, .bytes = 5000000, .bytes_total = 20000000, .elapsed_s = 2};
  EXPECT_EQ(RenderProgress(state, Terminal::Plain(80)),
            "loading  ######.....................  25 %  12,345 rows  2.50 MB/s  6.00 s left");
  EXPECT_EQ(RenderProgress(state, Terminal::Plain(60)),
            "loading   25 %  12,345 rows  2.50 MB/s  6.00 s left");
}

TEST(RenderProgress, NeverWiderThanTheTerminal) {
  ProgressState const state = {.label = "loading",
                               .rows = 1234567890,
                               .bytes = 5000000000,
                               .bytes_total = 6000000000,
                               .elapsed_s = 2000};
  for (int width = 20; width < 120; ++width) {
    EXPECT_LE(DisplayWidth(RenderProgress(state, Terminal::Plain(width))), width);
  }
}

TEST(RenderProgress, NothingYetAndMoreThanAll) {
  EXPECT_EQ(RenderProgress({.label = "x", .bytes_total = 10}, Terminal::Plain(60)),
            "x  ..............................   0 %  0 rows");
  EXPECT_EQ(RenderProgress({.label = "x", .rows = 1, .bytes = 12, .bytes_total = 10},
                           Terminal::Plain(60)),
            "x  ############################## 100 %  1 row");
}

TEST(JsonObject, EscapesText) {
  JsonObject json;
  json.Add("a\"b", "c\\d\ne");
  json.Add("n", int64_t{-5});
  EXPECT_EQ(json.Text(), R"({"a\"b": "c\\d\u000ae", "n": -5})");
}

}  // namespace
}  // namespace orochi::cli
