#pragma once

#include <libpq-fe.h>

#include "base/status.h"
#include "cli/connection.h"

namespace orochi::cli {

/// While alive, Ctrl-C and SIGTERM do not kill the program: they ask the server to cancel what
/// `connection` runs, and Check() says so. A second one has no further effect.
///
/// Threads: one scope at a time in the process.
class InterruptScope {
 public:
  explicit InterruptScope(Connection& connection);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  /// kCancelled once a signal came.
  Status Check() const;
};

}  // namespace orochi::cli
