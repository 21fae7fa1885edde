// Goal: a column gets the narrowest type that PostgreSQL accepts all its values in. Method: single
// values around every border of their kind, then whole columns.

#include "cli/type_inference.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace orochi::cli {
namespace {

void ExpectKind(ValueKind kind, std::initializer_list<std::string_view> values) {
  for (std::string_view const value : values) {
    EXPECT_EQ(ClassifyValue(value), kind) << value;
  }
}

TEST(ClassifyValue, Integers) {
  ExpectKind(ValueKind::kInteger,
             {"0", "-0", "7", "-12", " 42 ", "9223372036854775807", "-9223372036854775808"});
  ExpectKind(ValueKind::kBigInteger,
             {"9223372036854775808", "-9223372036854775809", "123456789012345678901234567890"});
  ExpectKind(ValueKind::kText, {"007", "-01", "1_000", "0x10", "1,000", "-", "+5", "--1", "1 2"});
}

TEST(ClassifyValue, Floats) {
  ExpectKind(ValueKind::kFloat,
             {"1.5", "-0.25", "1e5", "1E-5", ".5", "5.", "inf", "-Infinity", "NaN", "1e308"});
  ExpectKind(ValueKind::kText, {"1e400", "1.5.2", "1e", "nan(1)", "e5", ".", "1.5x"});
}

TEST(ClassifyValue, Dates) {
  ExpectKind(ValueKind::kDate, {"2024-02-29", "2024/12/31", "0001-01-01", "2000-02-29"});
  ExpectKind(ValueKind::kText,
             {"2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "2024-1-1",
              "2024-01/01", "0000-01-01", "01/02/2024", "2024-01-01x"});
}

TEST(ClassifyValue, Timestamps) {
  ExpectKind(ValueKind::kTimestamp,
             {"2024-02-29 13:45", "2024-02-29 13:45:01", "2024-02-29T00:00:00",
              "2024-02-29 13:45:01.123456", "2024/02/29 13:45:01"});
  ExpectKind(ValueKind::kTimestampTz,
             {"2024-02-29T13:45:01Z", "2024-02-29 13:45:01+02", "2024-02-29 13:45:01.5-0330",
              "2024-02-29 13:45+05:30", "2024-02-29 13:45:01 UTC"});
  ExpectKind(ValueKind::kText, {"2024-02-29 24:00:00", "2024-02-29 13:60", "2024-02-29 13:45:60",
                                "2024-02-29 13", "2024-02-29 13:45:01.", "2024-02-29  13:45",
                                "2024-02-29 13:45:01+", "2024-02-29 1:45", "2024-02-29 13:45:01+16",
                                "2024-02-29 13:45:01 CEST", "2024-02-29T"});
}

TEST(ClassifyValue, Text) {
  ExpectKind(ValueKind::kText, {"x", " ", "true", "a1", "\xC3\xA9"});
}

ColumnType TypeOf(std::initializer_list<std::string_view> values, bool has_zone = false) {
  ColumnProfile profile;
  int64_t line = 1;
  for (std::string_view const value : values) {
    profile.Add(value, "f.csv", ++line);
  }
  return profile.Type(has_zone);
}

TEST(ColumnProfile, NarrowestTypeForAllValues) {
  EXPECT_EQ(TypeOf({"1", "2"}), ColumnType::kBigint);
  EXPECT_EQ(TypeOf({"1", "", "2"}), ColumnType::kBigint);
  EXPECT_EQ(TypeOf({"1", "9223372036854775808"}), ColumnType::kNumeric);
  EXPECT_EQ(TypeOf({"1", "2.5"}), ColumnType::kDouble);
  EXPECT_EQ(TypeOf({"9223372036854775808", "2.5"}), ColumnType::kDouble);
  EXPECT_EQ(TypeOf({"2024-01-01"}), ColumnType::kDate);
  EXPECT_EQ(TypeOf({"2024-01-01", "2024-01-01 10:00"}), ColumnType::kTimestamp);
  EXPECT_EQ(TypeOf({"2024-01-01 10:00Z"}), ColumnType::kTimestampTz);
}

TEST(ColumnProfile, OneOddValueMakesText) {
  EXPECT_EQ(TypeOf({"1", "2", "x"}), ColumnType::kText);
  EXPECT_EQ(TypeOf({"x", "1"}), ColumnType::kText);
  EXPECT_EQ(TypeOf({"1", "2024-01-01"}), ColumnType::kText);
  EXPECT_EQ(TypeOf({"1", "007"}), ColumnType::kText);
}

TEST(ColumnProfile, WithoutValuesText) {
  EXPECT_EQ(TypeOf({}), ColumnType::kText);
  EXPECT_EQ(TypeOf({"", ""}), ColumnType::kText);
}

TEST(ColumnProfile, ZonesMixOnlyWhenOneIsNamed) {
  EXPECT_EQ(TypeOf({"2024-01-01 10:00", "2024-01-01 10:00Z"}), ColumnType::kText);
  EXPECT_EQ(TypeOf({"2024-01-01 10:00", "2024-01-01 10:00Z"}, true), ColumnType::kTimestampTz);
  EXPECT_EQ(TypeOf({"2024-01-01 10:00"}, true), ColumnType::kTimestampTz);
  EXPECT_EQ(TypeOf({"2024-01-01"}, true), ColumnType::kDate);
}

TEST(ColumnProfile, RemembersTheFirstOfEachKind) {
  ColumnProfile profile;
  profile.Add("1", "a.csv", 2);
  profile.Add("", "a.csv", 3);
  profile.Add("oops", "b.csv", 7);
  profile.Add("again", "b.csv", 8);
  EXPECT_EQ(profile.First(ValueKind::kText)->text, "oops");
  EXPECT_EQ(profile.First(ValueKind::kText)->file, "b.csv");
  EXPECT_EQ(profile.First(ValueKind::kText)->line, 7);
  EXPECT_EQ(profile.first_null()->line, 3);
  EXPECT_EQ(profile.value_count(), 3);
  EXPECT_EQ(profile.null_count(), 1);
}

}  // namespace
}  // namespace orochi::cli
