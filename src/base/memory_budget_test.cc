// Goal: a budget refuses what would pass its limit and reserves nothing then; charges give back
// all they hold.
#include "base/memory_budget.h"

#include <gtest/gtest.h>

namespace orochi {
namespace {

TEST(MemoryBudgetTest, RefusesPastTheLimitAndNamesTheOwner) {
  MemoryBudget budget("scan of metrics", 100);
  ASSERT_TRUE(budget.Reserve(60).ok());
  Status const status = budget.Reserve(41);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "scan of metrics: memory budget of 100 bytes exceeded: 60 in use, 41 more asked for");
  EXPECT_EQ(budget.used_bytes(), 60u);
  EXPECT_TRUE(budget.Reserve(40).ok());
  budget.Release(100);
  EXPECT_EQ(budget.peak_bytes(), 100u);
}

TEST(MemoryBudgetTest, ChargeFollowsItsOwner) {
  MemoryBudget budget("load", 100);
  {
    MemoryCharge charge(budget);
    ASSERT_TRUE(charge.Resize(80).ok());
    EXPECT_FALSE(charge.Resize(101).ok());
    EXPECT_EQ(charge.size_bytes(), 80u);
    ASSERT_TRUE(charge.Resize(30).ok());
    EXPECT_EQ(budget.used_bytes(), 30u);
    MemoryCharge const taken = std::move(charge);
    EXPECT_EQ(budget.used_bytes(), 30u);
  }
  EXPECT_EQ(budget.used_bytes(), 0u);
}

}  // namespace
}  // namespace orochi
