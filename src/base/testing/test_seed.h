#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace orochi::testing {

/// The seed of a random test: OROCHI_SEED when set, which replays a run, else `fallback`, which
/// keeps ordinary runs the same. Prints it.
inline uint64_t TestSeed(uint64_t fallback) {
  const char* const chosen = std::getenv("OROCHI_SEED");
  uint64_t const seed = chosen == nullptr ? fallback : std::strtoull(chosen, nullptr, 10);
  std::printf("OROCHI_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace orochi::testing
