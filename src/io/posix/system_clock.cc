#include "io/posix/system_clock.h"

#include <chrono>
#include <thread>

namespace orochi::io {

int64_t SystemClock::NowMicros() {
  auto const since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
}

int64_t SystemClock::MonotonicNanos() {
  auto const since_start = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count();
}

void SleepMicros(int64_t duration_us) {
  std::this_thread::sleep_for(std::chrono::microseconds(duration_us));
}

}  // namespace orochi::io
