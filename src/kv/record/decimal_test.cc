// Goal: decimals are numbers by value: text gives them back, comparing agrees with arithmetic.
// Method: written cases; random ones beside long integers and doubles.
#include "kv/record/decimal.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"

namespace orochi::kv {
namespace {

TEST(DecimalTest, TextGivesTheNumberBack) {
  const std::pair<const char*, const char*> cases[] = {{"0", "0"},
                                                       {"-0.00", "0"},
                                                       {"1.50", "1.5"},
                                                       {"+12", "12"},
                                                       {".5", "0.5"},
                                                       {"5.", "5"},
                                                       {"1.5e-7", "0.00000015"},
                                                       {"-12.0e1", "-120"},
                                                       {"1e41", "1e41"},
                                                       {"1.5E-20", "1.5e-20"},
                                                       {"000123.4500", "123.45"}};
  for (const auto& [text, expected] : cases) {
    auto const number = Decimal::Parse(text);
    ASSERT_TRUE(number.ok()) << text;
    EXPECT_EQ(number->ToText(), expected);
    EXPECT_EQ(*Decimal::Parse(number->ToText()), *number);
  }
  for (const char* const text :
       {"", "-", ".", "1e", "1e+-5", "1x", "0x10", "1.2.3", "nan", " 1", "1e99999999999999"}) {
    EXPECT_EQ(Decimal::Parse(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(Decimal::Parse("1e100000000").status().code(), StatusCode::kOutOfRange);
}

TEST(DecimalTest, OrderIsThatOfNumbers) {
  SeededRandom random(orochi::testing::TestSeed(31));
  for (int count = 0; count < 3000; ++count) {
    auto const left = static_cast<int64_t>(random.Next()) >> random.Below(64);
    auto const right =
        random.OneIn(10) ? left : static_cast<int64_t>(random.Next()) >> random.Below(64);
    ASSERT_EQ(Decimal::FromSigned(left) <=> Decimal::FromSigned(right), left <=> right);
    double const left_double =
        std::ldexp(static_cast<double>(left), static_cast<int>(random.Below(200)) - 100);
    double const right_double = random.OneIn(4) ? left_double : static_cast<double>(right);
    auto const expected = left_double < right_double   ? std::strong_ordering::less
                          : left_double > right_double ? std::strong_ordering::greater
                                                       : std::strong_ordering::equal;
    ASSERT_EQ(Decimal::FromDouble(left_double) <=> Decimal::FromDouble(right_double), expected);
  }
  EXPECT_EQ(Decimal::FromDouble(0.1).ToText(),
            "0.1000000000000000055511151231257827021181583404541015625");
  EXPECT_EQ(Decimal::FromUnsigned(UINT64_MAX).ToText(), "18446744073709551615");
  EXPECT_EQ(Decimal::FromSigned(INT64_MIN).ToText(), "-9223372036854775808");
}

}  // namespace
}  // namespace orochi::kv
