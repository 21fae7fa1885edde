#pragma once

#include "base/random.h"

namespace orochi::io {

/// Randomness of the operating system: for seeds and for names that must not collide.
/// Threads: any.
class SystemRandom final : public Random {
 public:
  uint64_t Next() override;
};

}  // namespace orochi::io
