#pragma once

#include "base/assert.h"
#include "base/clock.h"

namespace orochi::testing {

/// A clock that moves only when told to.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t now_micros = 0) : now_micros_(now_micros) {}

  int64_t NowMicros() override { return now_micros_; }
  int64_t MonotonicNanos() override { return monotonic_nanos_; }

  void AdvanceMicros(int64_t micros) {
    ASSERT(micros >= 0);
    now_micros_ += micros;
    monotonic_nanos_ += micros * 1000;
  }
  /// Moves wall time alone, as an operator or NTP does.
  void SetWallMicros(int64_t now_micros) { now_micros_ = now_micros; }

 private:
  int64_t now_micros_;
  int64_t monotonic_nanos_ = 0;
};

}  // namespace orochi::testing
