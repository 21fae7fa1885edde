// Goal: a Result is a value or an error; touching the missing one is caught, and an error inside
// one cannot be dropped unread.
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace orochi {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) {
    return Status::InvalidArgument("odd");
  }
  return number / 2;
}

Result<std::string> Quarter(int number) {
  ASSIGN_OR_RETURN(int const half, Half(number));
  ASSIGN_OR_RETURN(int const quarter, Half(half));
  return std::to_string(quarter);
}

struct Base {
  virtual ~Base() = default;
};
struct Derived : Base {};

Result<std::unique_ptr<Base>> MakeDerived() {
  return std::make_unique<Derived>();
}

TEST(ResultTest, CarriesTheValue) {
  Result<std::string> const result = Quarter(12);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, "3");
  EXPECT_EQ(result->size(), 1u);
}

TEST(ResultTest, CarriesTheFirstError) {
  EXPECT_EQ(Quarter(6).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Quarter(7).status().message(), "odd");
}

TEST(ResultTest, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<Base>> result = MakeDerived();
  ASSERT_TRUE(result.ok());
  std::unique_ptr<Base> const taken = *std::move(result);
  EXPECT_NE(taken, nullptr);
}

TEST(ResultDeathTest, TouchingTheMissingValueFails) {
  EXPECT_DEATH(
      {
        Result<int> const result = Half(3);
        std::printf("%d", *result);
      },
      "value_.has_value");
}

#if defined(OROCHI_CHECK_STATUS)
TEST(ResultDeathTest, AnUnreadErrorAborts) {
  EXPECT_DEATH({ Result<int> const dropped = Half(3); }, "dropped unread");
}
#endif

}  // namespace
}  // namespace orochi
