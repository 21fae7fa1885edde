// Goal: simulated time. Method: what is asked for, in which order it runs.
#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace orochi::sim {
namespace {

TEST(EventQueue, RunsByTimeAndAtOneTimeInTheOrderAskedFor) {
  EventQueue queue;
  std::vector<int> order;
  queue.After(20, [&] { order.push_back(3); });
  queue.After(10, [&] {
    order.push_back(1);
    queue.After(10, [&] { order.push_back(4); });
  });
  queue.After(10, [&] { order.push_back(2); });
  while (!queue.empty()) {
    queue.RunNext();
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(queue.now_us(), 20);
  EXPECT_EQ(queue.run_count(), 4U);
}

}  // namespace
}  // namespace orochi::sim
