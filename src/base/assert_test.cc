// Goal: a broken invariant reaches the installed handler with its text and place, and never lets
// the caller go on.
#include "base/assert.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace orochi {
namespace {

void Throw(const AssertFailure& failure) {
  throw std::logic_error(failure.condition);
}
void Return(const AssertFailure&) {}

TEST(AssertTest, HandlerReceivesTheCondition) {
  AssertHandler const previous = SetAssertHandler(&Throw);
  int const two = 2;
  try {
    ASSERT(two == 3);
    FAIL() << "went on after a broken invariant";
  } catch (const std::logic_error& error) {
    EXPECT_EQ(std::string(error.what()), "two == 3");
  }
  EXPECT_EQ(SetAssertHandler(previous), &Throw);
}

TEST(AssertTest, HoldingInvariantCostsNothing) {
  ASSERT(1 + 1 == 2);
}

TEST(AssertDeathTest, DefaultHandlerAborts) {
  EXPECT_DEATH(ASSERT(1 == 2), "broken invariant: 1 == 2");
}

TEST(AssertDeathTest, AHandlerThatReturnsAbortsAllTheSame) {
  EXPECT_DEATH(
      {
        SetAssertHandler(&Return);
        ASSERT(1 == 2);
      },
      "broken invariant");
}

}  // namespace
}  // namespace orochi
