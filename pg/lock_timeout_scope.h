#pragma once

#include "pg/bridge.h"

extern "C" {
#include "storage/proc.h"
}

namespace orochi::pg {

/// Bounds every lock wait of a C++ scope, whatever the session's lock_timeout: the shorter of the
/// two counts. When time is up PostgreSQL raises 55P03.
class LockTimeoutScope {
 public:
  explicit LockTimeoutScope(int timeout_ms) : previous_(LockTimeout) {
    LockTimeout = previous_ > 0 ? std::min(previous_, timeout_ms) : timeout_ms;
  }
  ~LockTimeoutScope() { LockTimeout = previous_; }
  LockTimeoutScope(const LockTimeoutScope&) = delete;
  LockTimeoutScope& operator=(const LockTimeoutScope&) = delete;

 private:
  int previous_;
};

}  // namespace orochi::pg
