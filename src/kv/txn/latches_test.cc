// Goal: writers of a key go one after the other in the order they came, and readers wait for the
// writers before them that may write below them, for no others.
#include "kv/txn/latches.h"

#include <gtest/gtest.h>

#include <string>

namespace orochi::kv {
namespace {

class LatchesTest : public ::testing::Test {
 protected:
  Latches::Id Acquire(const std::string& key, uint64_t bound, char name) {
    return latches_.Acquire({KeySpan::Of(key)}, Timestamp(bound),
                            [this, name](Latches::Id) { ready_.push_back(name); });
  }
  void Await(const KeySpan& span, uint64_t timestamp, char name) {
    latches_.AwaitWriters({span}, Timestamp(timestamp),
                          [this, name](Latches::Id) { ready_.push_back(name); });
  }

  Latches latches_;
  std::string ready_;
};

TEST_F(LatchesTest, WritersOfAKeyQueue) {
  auto const a = Acquire("k", 1, 'a');
  auto const b = Acquire("k", 2, 'b');
  auto const other = Acquire("l", 3, 'o');
  auto const c = Acquire("k", 1, 'c');
  EXPECT_EQ(ready_, "ao");
  latches_.Release(a);
  EXPECT_EQ(ready_, "aob");
  latches_.Release(other);
  latches_.Release(b);
  EXPECT_EQ(ready_, "aobc");
  latches_.Release(c);
}

TEST_F(LatchesTest, ReadersWaitForEarlierWritersBelowThem) {
  auto const low = Acquire("k", 10, 'l');
  auto const high = Acquire("m", 30, 'h');
  Await(KeySpan{.begin = "a", .end = "z"}, 20, 'r');
  Await(KeySpan{.begin = "a", .end = "z"}, 9, 's');
  Await(KeySpan::Of("n"), 99, 't');
  EXPECT_EQ(ready_, "lhst");
  auto const later = Acquire("k", 5, 'w');  // behind low, and no reader waits for it
  latches_.Release(low);
  EXPECT_EQ(ready_, "lhstrw");
  latches_.Release(high);
  latches_.Release(later);
}

TEST_F(LatchesTest, ReadyMayReleaseAndAcquire) {
  auto const first = Acquire("k", 1, 'a');
  latches_.Acquire({KeySpan::Of("k")}, Timestamp(1), [this](Latches::Id id) {
    ready_.push_back('b');
    latches_.Release(id);
    Acquire("k", 1, 'd');
  });
  Acquire("k", 1, 'c');
  latches_.Release(first);
  EXPECT_EQ(ready_, "abc");
}

}  // namespace
}  // namespace orochi::kv
