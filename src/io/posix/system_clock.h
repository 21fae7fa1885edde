#pragma once

#include "base/clock.h"

namespace orochi::io {

/// The operating system's clock. Threads: any.
class SystemClock final : public Clock {
 public:
  int64_t NowMicros() override;
  int64_t MonotonicNanos() override;
};

}  // namespace orochi::io
