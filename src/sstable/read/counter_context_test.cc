// Goal: bytes that are no counter are told from those that are one. Method: contexts cut short and
// with a header of another length. How contexts merge is tested in sstable/check.
#include "sstable/read/internal/counter_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sstable/types/bytes.h"

namespace orochi::sstable::internal {
namespace {

/// One global shard that has counted to 7.
std::string OneShard() {
  std::string out("\x00\x01\x80\x00", 4);
  out += std::string(16, 'n');
  out += std::string("\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x07", 16);
  return out;
}

TEST(CounterContextTest, ACounterIsMadeOfWholeShards) {
  std::string const good = OneShard();
  EXPECT_TRUE(CheckCounterContext(AsBytes(good)).ok());
  EXPECT_EQ(CounterTotal(AsBytes(good)), 7);
  for (const std::string& bad :
       {std::string(), std::string(1, '\0'), good.substr(0, 3), good.substr(0, good.size() - 1),
        good + "x", std::string("\x00\x09", 2) + good.substr(2)}) {
    EXPECT_THAT(CheckCounterContext(AsBytes(bad)).message(),
                ::testing::HasSubstr("is not made of shards"))
        << bad.size();
  }
}

// As release 2.0 wrote them.
TEST(CounterContextTest, ANegativeCountIsThatOfAsManyEntries) {
  std::string old = OneShard();
  old.replace(0, 2, "\xFF\xFF");
  EXPECT_TRUE(CheckCounterContext(AsBytes(old)).ok());
  EXPECT_EQ(CounterTotal(AsBytes(old)), 7);
}

}  // namespace
}  // namespace orochi::sstable::internal
