// Goal: files of other kinds are recognised by their first bytes, and text never is one of them.
// Method: the starts of files as the programs that make them write them, and texts that resemble
// them.

#include "cli/foreign_format.h"

#include <gtest/gtest.h>

namespace orochi::cli {
namespace {

using namespace std::string_view_literals;

std::string Name(std::string_view start) {
  auto const format = RecognizeForeignFormat(start);
  return format.has_value() ? std::string(format->name) : "";
}

TEST(ForeignFormat, KnowsCompressedFiles) {
  EXPECT_EQ(Name("\x1F\x8B\x08\x00\x00"sv), "gzip-compressed data");
  EXPECT_EQ(Name("\x28\xB5\x2F\xFD\x24"sv), "zstd-compressed data");
  EXPECT_EQ(Name("\xFD"
                 "7zXZ\x00\x00"sv),
            "xz-compressed data");
  EXPECT_EQ(Name("BZh91AY&SY\x01"sv), "bzip2-compressed data");
  EXPECT_EQ(Name("PK\x03\x04\x14"sv), "a zip archive");
}

TEST(ForeignFormat, KnowsOtherEncodingsAndBinaryData) {
  EXPECT_EQ(Name("\xFF\xFEt\x00"sv), "UTF-16");
  EXPECT_NE(Name("t\x00,\x00v\x00"sv), "");
  EXPECT_NE(Name("\x7F"
                 "ELF\x02\x00"sv),
            "");
}

TEST(ForeignFormat, LeavesTextAlone) {
  EXPECT_EQ(Name(""), "");
  EXPECT_EQ(Name("time,value\n"), "");
  EXPECT_EQ(Name("\xEF\xBB\xBFtime,value\n"), "");
  EXPECT_EQ(Name("gr\xC3\xB6sse;\xE9\n"), "");
  EXPECT_EQ(Name("PK,PAR1,BZh9\n"), "");
  EXPECT_EQ(Name("PAR1,v\n"), "");
  EXPECT_EQ(Name("BZh9,v\n"), "");
}

TEST(ForeignFormat, AdviceNamesTheFile) {
  EXPECT_EQ(AdviceFor(*RecognizeForeignFormat("\x1F\x8B"), "a.gz"),
            "make text of it first: zcat a.gz > new.csv");
  EXPECT_EQ(AdviceFor(*RecognizeForeignFormat("PAR1\x15"), "a"), "save it as CSV first");
}

}  // namespace
}  // namespace orochi::cli
