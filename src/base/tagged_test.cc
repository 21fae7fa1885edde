// Goal: tagged ids compare and hash among themselves and convert to nothing else.
#include "base/tagged.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace orochi {
namespace {

using StripeId = Tagged<uint64_t, struct StripeIdTag>;
using ChunkId = Tagged<uint64_t, struct ChunkIdTag>;

static_assert(!std::is_convertible_v<StripeId, ChunkId>);
static_assert(!std::is_convertible_v<uint64_t, StripeId>);
static_assert(!std::is_convertible_v<StripeId, uint64_t>);
static_assert(sizeof(StripeId) == sizeof(uint64_t));

TEST(TaggedTest, ComparesAndCounts) {
  StripeId const first(1);
  EXPECT_LT(first, first.Next());
  EXPECT_EQ(first.Next().value(), 2u);
  EXPECT_EQ(StripeId().value(), 0u);
}

TEST(TaggedTest, IsAHashKey) {
  std::unordered_set<StripeId> const ids = {StripeId(1), StripeId(2), StripeId(1)};
  EXPECT_EQ(ids.size(), 2u);
}

}  // namespace
}  // namespace orochi
