#include "base/random.h"

#include "base/assert.h"

namespace orochi {

uint64_t Random::Below(uint64_t bound) {
  ASSERT(bound > 0);
  // Rejects the tail that would make small results likelier; loops fewer than twice on average.
  uint64_t const tail = (UINT64_MAX % bound + 1) % bound;
  uint64_t value = Next();
  while (value > UINT64_MAX - tail) {
    value = Next();
  }
  return value % bound;
}

double Random::Unit() {
  return static_cast<double>(Next() >> 11) * 0x1.0p-53;
}

uint64_t SeededRandom::Next() {
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
  return mixed ^ (mixed >> 31);
}

}  // namespace orochi
