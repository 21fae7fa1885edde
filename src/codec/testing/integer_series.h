#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/random.h"

namespace orochi::codec::testing {

/// The shapes of integer sequences that encodings treat differently.
enum class Shape {
  kConstant,
  kRegular,    // the same step every time
  kWander,     // small steps up and down
  kSmall,      // a few bits
  kMultiples,  // of a common unit
  kOutliers,   // small, and now and then huge
  kRandom,     // any 64 bits
  kExtremes,   // the least and greatest numbers, zero and their neighbours
};
inline constexpr Shape kShapes[] = {Shape::kConstant, Shape::kRegular,   Shape::kWander,
                                    Shape::kSmall,    Shape::kMultiples, Shape::kOutliers,
                                    Shape::kRandom,   Shape::kExtremes};

/// Counts around the sizes of packing groups and blocks.
inline constexpr size_t kCounts[] = {1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 129, 1023, 1025, 5000};

inline std::vector<int64_t> MakeSeries(Shape shape, size_t count, Random& random) {
  constexpr int64_t kExtremes[] = {
      std::numeric_limits<int64_t>::min(),     std::numeric_limits<int64_t>::min() + 1, -1, 0, 1,
      std::numeric_limits<int64_t>::max() - 1, std::numeric_limits<int64_t>::max()};
  // Unsigned arithmetic, so that sums may wrap.
  uint64_t const start = random.Next();
  uint64_t const step = random.Next() >> random.Below(64);
  uint64_t running = start;
  std::vector<int64_t> values;
  for (size_t index = 0; index < count; ++index) {
    switch (shape) {
      case Shape::kConstant:
        break;
      case Shape::kRegular:
        running += step;
        break;
      case Shape::kWander:
        running += random.Below(64) - 32;
        break;
      case Shape::kSmall:
        running = random.Below(13);
        break;
      case Shape::kMultiples:
        running = start % 1000 + random.Below(5000) * 1'000'000;
        break;
      case Shape::kOutliers:
        running = random.OneIn(100) ? random.Next() : random.Below(16);
        break;
      case Shape::kRandom:
        running = random.Next();
        break;
      case Shape::kExtremes:
        running = static_cast<uint64_t>(kExtremes[random.Below(7)]);
        break;
    }
    values.push_back(static_cast<int64_t>(running));
  }
  return values;
}

}  // namespace orochi::codec::testing
