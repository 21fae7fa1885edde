#pragma once

#include <cstdint>

#include "base/random.h"

namespace orochi::cli {

/// Numbers below `count` of which few are frequent: rank r with probability proportional to
/// 1 / r^0.99. The method and the constant are those of YCSB (Gray et al., "Quickly generating
/// billion-record synthetic databases", 1994). Making one costs `count` powers.
class Zipfian {
 public:
  explicit Zipfian(uint64_t count);
  /// The rank: 0 is the most frequent.
  uint64_t Rank(Random& random) const;
  /// The same, but frequent ones lie anywhere among the others.
  uint64_t Scattered(Random& random) const;
  uint64_t count() const { return count_; }

 private:
  uint64_t count_;
  double zeta_;
  double eta_;
};

}  // namespace orochi::cli
