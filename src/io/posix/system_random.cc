#include "io/posix/system_random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.h"

namespace orochi::io {

uint64_t SystemRandom::Next() {
  uint64_t value = 0;
  ssize_t count = -1;
  do {
    count = ::getrandom(&value, sizeof(value), 0);
  } while (count < 0 && errno == EINTR);
  // Up to 256 bytes are never given in part, and no other error is possible on a kernel since 3.17.
  ASSERT(count == sizeof(value));
  return value;
}

}  // namespace orochi::io
