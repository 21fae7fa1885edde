#pragma once

#include <cstdint>

namespace orochi {

/// Where core logic gets time from. The real one is io/posix/system_clock.h, the one for tests
/// base/testing/fake_clock.h.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Microseconds since 1970-01-01 00:00:00 UTC. May jump in either direction.
  virtual int64_t NowMicros() = 0;
  /// Nanoseconds since some fixed moment. Never goes back.
  virtual int64_t MonotonicNanos() = 0;
};

}  // namespace orochi
