#pragma once

#include "base/clock.h"

namespace orochi::io {

/// The operating system's clock. Threads: any.
class SystemClock final : public Clock {
 public:
  int64_t NowMicros() override;
  int64_t MonotonicNanos() override;
};

/// For who may wait and has nothing better to wait for.
void SleepMicros(int64_t duration_us);

}  // namespace orochi::io
