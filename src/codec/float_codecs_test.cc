// Goal: Gorilla and decimal coding give back every bit pattern, -0.0, NaN payloads, infinities and
// denormals included, and decimal coding finds the decimals.
// Method: series of different nature, for float and double, plus every cut of what was encoded.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "base/random.h"
#include "base/testing/test_seed.h"
#include "codec/decimal.h"
#include "codec/gorilla.h"
#include "codec/testing/integer_series.h"

namespace orochi::codec {
namespace {

using testing::kCounts;

template <class Unsigned>
class FloatCodecsTest : public ::testing::Test {
 public:
  using Float = std::conditional_t<sizeof(Unsigned) == 4, float, double>;

  enum class Nature { kDecimals, kIntegers, kWander, kAnyBits, kSpecial, kMixed };
  static constexpr Nature kNatures[] = {Nature::kDecimals, Nature::kIntegers, Nature::kWander,
                                        Nature::kAnyBits,  Nature::kSpecial,  Nature::kMixed};

  static Unsigned BitsOf(double value) {
    return std::bit_cast<Unsigned>(static_cast<Float>(value));
  }

  static Unsigned Special(Random& random) {
    using Limits = std::numeric_limits<Float>;
    Float const values[] = {Float{0},
                            -Float{0},
                            Limits::infinity(),
                            -Limits::infinity(),
                            Limits::max(),
                            Limits::lowest(),
                            Limits::min(),
                            Limits::denorm_min(),
                            Limits::quiet_NaN(),
                            Limits::signaling_NaN(),
                            Float{0.1f},
                            Float{1}};
    auto bits = std::bit_cast<Unsigned>(values[random.Below(std::size(values))]);
    return random.OneIn(4) ? static_cast<Unsigned>(bits ^ 1) : bits;  // other NaN payloads, too
  }

  static std::vector<Unsigned> Make(Nature nature, size_t count, Random& random) {
    std::vector<Unsigned> values;
    double running = 20;
    for (size_t index = 0; index < count; ++index) {
      running += random.Unit() - 0.5;
      switch (nature) {
        case Nature::kDecimals:
          values.push_back(BitsOf(std::round(running * 100) / 100));
          break;
        case Nature::kIntegers:
          values.push_back(BitsOf(static_cast<double>(random.Below(1000)) - 500));
          break;
        case Nature::kWander:
          values.push_back(BitsOf(running));
          break;
        case Nature::kAnyBits:
          values.push_back(static_cast<Unsigned>(random.Next()));
          break;
        case Nature::kSpecial:
          values.push_back(Special(random));
          break;
        case Nature::kMixed:
          values.push_back(random.OneIn(20) ? Special(random)
                                            : BitsOf(std::round(running * 10) / 10));
          break;
      }
    }
    return values;
  }
};

using Patterns = ::testing::Types<uint32_t, uint64_t>;
TYPED_TEST_SUITE(FloatCodecsTest, Patterns);

TYPED_TEST(FloatCodecsTest, GorillaGivesBackEveryBit) {
  SeededRandom random(orochi::testing::TestSeed(31));
  for (auto const nature : TestFixture::kNatures) {
    for (size_t const count : kCounts) {
      std::vector<TypeParam> const values = TestFixture::Make(nature, count, random);
      std::vector<std::byte> bytes;
      EncodeGorilla(std::span<const TypeParam>(values), bytes);
      std::vector<TypeParam> found(count);
      ByteReader reader(bytes);
      Status const status = DecodeGorilla(reader, std::span(found));
      ASSERT_TRUE(status.ok()) << status.ToString();
      ASSERT_EQ(reader.remaining_bytes(), 0u);
      ASSERT_EQ(found, values);
      size_t const step = std::max<size_t>(1, bytes.size() / 50);
      for (size_t size = 0; size < bytes.size(); size += step) {
        ByteReader cut{std::span(bytes).first(size)};
        ASSERT_EQ(DecodeGorilla(cut, std::span(found)).code(), StatusCode::kCorruption);
      }
    }
  }
}

TYPED_TEST(FloatCodecsTest, GorillaMarksLeadToEveryValue) {
  SeededRandom random(orochi::testing::TestSeed(35));
  for (auto const nature : TestFixture::kNatures) {
    std::vector<TypeParam> const values =
        TestFixture::Make(nature, 5 * kGorillaMarkStride + 3, random);
    std::vector<std::byte> bytes;
    EncodeGorilla(std::span<const TypeParam>(values), bytes);
    std::vector<GorillaMark> marks;
    for (int i = 0; i < 100; ++i) {
      size_t const index = i == 50 ? values.size() - 1 : random.Below(values.size());
      TypeParam value = 0;
      Status const status = ReadGorillaAt(ByteReader(bytes), index, marks, value);
      ASSERT_TRUE(status.ok()) << status.ToString();
      ASSERT_EQ(value, values[index]) << "value " << index;
    }
    ASSERT_EQ(marks.size(), 6u);
    // Marks of the whole stream, and a stream that ends early.
    ByteReader const cut{std::span(bytes).first(bytes.size() / 2)};
    TypeParam value = 0;
    ASSERT_EQ(ReadGorillaAt(cut, values.size() - 1, marks, value).code(), StatusCode::kCorruption);
  }
}

TYPED_TEST(FloatCodecsTest, GorillaTakesOneBitForARepeatedValue) {
  std::vector<TypeParam> const values(8001, TestFixture::BitsOf(3.25));
  std::vector<std::byte> bytes;
  EncodeGorilla(std::span<const TypeParam>(values), bytes);
  EXPECT_EQ(bytes.size(), sizeof(TypeParam) + 1000);
}

TYPED_TEST(FloatCodecsTest, GorillaRefusesAWindowThatWasNotGiven) {
  std::vector<std::byte> bytes(sizeof(TypeParam) + 2, std::byte{0});
  bytes[sizeof(TypeParam)] = std::byte{0b1000'0000};  // "reuse the window" as the first thing
  std::vector<TypeParam> found(2);
  ByteReader reader(bytes);
  EXPECT_EQ(DecodeGorilla(reader, std::span(found)).code(), StatusCode::kCorruption);
}

TYPED_TEST(FloatCodecsTest, DecimalGivesBackEveryBitWhereItApplies) {
  SeededRandom random(orochi::testing::TestSeed(32));
  size_t applied = 0;
  for (auto const nature : TestFixture::kNatures) {
    for (size_t const count : kCounts) {
      std::vector<TypeParam> const values = TestFixture::Make(nature, count, random);
      std::optional<DecimalPlan> const plan = PlanDecimal(std::span<const TypeParam>(values));
      if (!plan) {
        continue;
      }
      ++applied;
      std::vector<std::byte> bytes;
      EncodeDecimal(std::span<const TypeParam>(values), *plan, bytes);
      ASSERT_GE(bytes.size(), plan->size_bytes);
      std::vector<TypeParam> found(count);
      std::vector<uint64_t> scratch;
      ByteReader reader(bytes);
      Status const status = DecodeDecimal(reader, std::span(found), scratch);
      ASSERT_TRUE(status.ok()) << status.ToString();
      ASSERT_EQ(reader.remaining_bytes(), 0u);
      ASSERT_EQ(found, values);
      size_t const step = std::max<size_t>(1, bytes.size() / 50);
      for (size_t size = 0; size < bytes.size(); size += step) {
        ByteReader cut{std::span(bytes).first(size)};
        ASSERT_EQ(DecodeDecimal(cut, std::span(found), scratch).code(), StatusCode::kCorruption);
      }
    }
  }
  EXPECT_GT(applied, 3 * std::size(kCounts) - 4);  // at least decimals, integers and mixed ones
}

TYPED_TEST(FloatCodecsTest, DecimalFindsEveryExponent) {
  SeededRandom random(orochi::testing::TestSeed(33));
  uint32_t const digits = sizeof(TypeParam) == 4 ? 6 : 15;
  for (uint32_t exponent = 0; exponent <= (sizeof(TypeParam) == 4 ? 5u : 10u); ++exponent) {
    uint64_t bound = 1;
    for (uint32_t digit = 0; digit < digits - 1; ++digit) {
      bound *= 10;
    }
    std::vector<TypeParam> values;
    for (int index = 0; index < 1000; ++index) {
      auto const integer = static_cast<double>(random.Below(bound) + 1);
      values.push_back(TestFixture::BitsOf(integer / std::pow(10.0, exponent)));
    }
    std::optional<DecimalPlan> const plan = PlanDecimal(std::span<const TypeParam>(values));
    ASSERT_TRUE(plan.has_value()) << exponent;
    EXPECT_EQ(plan->exceptions.size(), 0u) << exponent;
    EXPECT_LE(plan->exponent, exponent);
  }
}

TYPED_TEST(FloatCodecsTest, OnlyExceptionsAreNoDecimals) {
  std::vector<TypeParam> const values(100, TestFixture::BitsOf(-0.0));
  EXPECT_FALSE(PlanDecimal(std::span<const TypeParam>(values)).has_value());
}

TYPED_TEST(FloatCodecsTest, AnExceptionPastTheValuesIsRefused) {
  std::vector<TypeParam> values(50, TestFixture::BitsOf(0.5));
  values[20] = TestFixture::BitsOf(-0.0);
  std::optional<DecimalPlan> plan = PlanDecimal(std::span<const TypeParam>(values));
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->exceptions, std::vector<int64_t>{20});
  std::vector<std::byte> bytes;
  EncodeDecimal(std::span<const TypeParam>(values), *plan, bytes);
  ASSERT_EQ(bytes[3], std::byte{40});  // zigzag of the position
  bytes[3] = std::byte{100};
  std::vector<TypeParam> found(values.size());
  std::vector<uint64_t> scratch;
  ByteReader reader(bytes);
  EXPECT_EQ(DecodeDecimal(reader, std::span(found), scratch).code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace orochi::codec
