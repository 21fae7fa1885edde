#pragma once

#include <cstdint>

namespace orochi {

/// Where core logic gets randomness from: 64 uniformly distributed bits a call.
/// Not for secrets.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;

  /// Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);
  /// Uniform in [0, 1), a multiple of 2^-53.
  double Unit();
  /// True once in `one_in` calls on average. REQUIRES: one_in > 0.
  bool OneIn(uint64_t one_in) { return Below(one_in) == 0; }
};

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
/// The same seed gives the same sequence on every machine and in every version.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() override;

 private:
  uint64_t state_;
};

}  // namespace orochi
