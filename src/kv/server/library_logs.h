#pragma once

#include "kv/logs/log.h"

namespace orochi::kv {

/// Takes what gRPC says, which it would write to standard error in a form of its own: its errors as
/// warnings, the rest at level debug. One at a time in a process.
///
/// Borrows: log.
class LibraryLogs {
 public:
  explicit LibraryLogs(logs::Log& log);
  ~LibraryLogs();
  LibraryLogs(const LibraryLogs&) = delete;
  LibraryLogs& operator=(const LibraryLogs&) = delete;
};

}  // namespace orochi::kv
