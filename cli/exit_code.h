#pragma once

#include "base/status.h"

namespace orochi::cli {

/// What `orochi` tells the shell. Stable: scripts may rely on the numbers (docs/guide and the man
/// page repeat this table).
///
/// `orochi sql` ends as psql does: 0 success, 1 its own fatal error, 2 connection lost, 3 a script
/// stopped by ON_ERROR_STOP.
enum class ExitCode : int {
  kSuccess = 0,
  kFailed = 1,      // the operation failed for a reason not listed below
  kUsage = 2,       // the command line cannot be understood, or an option's value is wrong
  kNotRunning = 3,  // the server is not up and the command needs it (`status` says so this way)
  kMissing = 4,     // something must be installed or exist first: PostgreSQL, the extension, a file
  kInTheWay = 5,    // something must go or change first: a taken port, a foreign directory, a table
  kBadInput = 6,    // the data to load is malformed; nothing was loaded
  kUnknown = 7,     // what was asked for may or may not have happened
  kCancelled = 130,  // Ctrl-C or SIGTERM; nothing was loaded
};

/// The number for an error, from its code alone.
ExitCode ExitCodeOf(const Status& status);

}  // namespace orochi::cli
