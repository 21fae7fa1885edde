// Goal: numbers for people read right at the borders between units. Method: fixed pairs.

#include "cli/number_format.h"

#include <gtest/gtest.h>

namespace orochi::cli {
namespace {

TEST(NumberFormat, CountsAreGrouped) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(-100), "-100");
  EXPECT_EQ(FormatCount(-1234), "-1,234");
  EXPECT_EQ(FormatCount(INT64_MIN), "-9,223,372,036,854,775,808");
}

TEST(NumberFormat, OneThingIsSingular) {
  EXPECT_EQ(FormatQuantity(0, "row"), "0 rows");
  EXPECT_EQ(FormatQuantity(1, "row"), "1 row");
  EXPECT_EQ(FormatQuantity(-1, "row"), "-1 rows");
  EXPECT_EQ(FormatQuantity(1234, "file"), "1,234 files");
}

TEST(NumberFormat, BytesKeepThreeDigits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.00 kB");
  EXPECT_EQ(FormatBytes(9994), "9.99 kB");
  EXPECT_EQ(FormatBytes(9996), "10.0 kB");
  EXPECT_EQ(FormatBytes(99960), "100 kB");
  EXPECT_EQ(FormatBytes(999499), "999 kB");
  EXPECT_EQ(FormatBytes(999500), "1.00 MB");
  EXPECT_EQ(FormatBytes(1536000), "1.54 MB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "18.4 EB");
}

TEST(NumberFormat, DurationsChangeUnit) {
  EXPECT_EQ(FormatDuration(0.00042), "0.42 ms");
  EXPECT_EQ(FormatDuration(0.0123), "12.3 ms");
  EXPECT_EQ(FormatDuration(0.9996), "1.00 s");
  EXPECT_EQ(FormatDuration(99.94), "99.9 s");
  EXPECT_EQ(FormatDuration(125), "2 m 05 s");
  EXPECT_EQ(FormatDuration(3599.7), "1 h 00 m");
  EXPECT_EQ(FormatDuration(11220), "3 h 07 m");
  EXPECT_EQ(FormatDuration(4 * 86400 + 2 * 3600), "4 d 02 h");
}

TEST(NumberFormat, RatiosLoseDecimalsWhenLarge) {
  EXPECT_EQ(FormatRatio(8.234), "8.2x");
  EXPECT_EQ(FormatRatio(123.4), "123x");
}

}  // namespace
}  // namespace orochi::cli
