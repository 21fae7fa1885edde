// Goal: the faults of the simulated network happen as often as asked, and no others.
// Method: many messages over one link, counted on arrival.
#include "sim/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace orochi::sim {
namespace {

class NetworkTest : public testing::Test {
 protected:
  void Send(int count) {
    for (int number = 0; number < count; ++number) {
      network_.Send(1, 2, number);
    }
    while (!queue_.empty()) {
      queue_.RunNext();
    }
  }

  EventQueue queue_;
  SeededRandom random_{17};
  std::vector<int> arrived_;
  Network<int> network_{queue_, random_,
                        [this](uint64_t /*to*/, const int& number) { arrived_.push_back(number); }};
};

TEST_F(NetworkTest, WithoutFaultsEveryMessageArrivesOnceWithinItsDelay) {
  Send(1'000);
  std::sort(arrived_.begin(), arrived_.end());
  ASSERT_EQ(arrived_.size(), 1'000U);
  for (int number = 0; number < 1'000; ++number) {
    EXPECT_EQ(arrived_[static_cast<size_t>(number)], number);
  }
  EXPECT_LE(queue_.now_us(), network_.faults().delay_us_max);
}

TEST_F(NetworkTest, DropsAndDuplicatesAtTheirRates) {
  network_.faults().drop_permille = 500;
  Send(10'000);
  EXPECT_NEAR(static_cast<double>(arrived_.size()), 5'000, 300);
  arrived_.clear();
  network_.faults() = {.duplicate_permille = 200};
  Send(10'000);
  EXPECT_NEAR(static_cast<double>(arrived_.size()), 12'000, 300);
}

TEST_F(NetworkTest, ACutLinkCarriesNothingInItsDirection) {
  network_.Cut(1, 2);
  Send(10);
  EXPECT_TRUE(arrived_.empty());
  EXPECT_FALSE(network_.IsCut(2, 1));
  network_.HealAll();
  Send(10);
  EXPECT_EQ(arrived_.size(), 10U);
}

}  // namespace
}  // namespace orochi::sim
