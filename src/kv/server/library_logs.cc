#include "kv/server/library_logs.h"

#include <grpc/support/log.h>

#include <mutex>

#include "base/assert.h"

namespace orochi::kv {
namespace {

// gRPC takes a function without context.
std::mutex log_mutex;
logs::Log* log_of_process = nullptr;  // guarded by log_mutex

void Take(gpr_log_func_args* said) {
  std::lock_guard const guard(log_mutex);
  if (log_of_process == nullptr) {
    return;
  }
  bool const is_error = said->severity == GPR_LOG_SEVERITY_ERROR;
  log_of_process->Write(is_error ? logs::Level::kWarning : logs::Level::kDebug, said->message,
                        {{"library", "gRPC"}});
}

}  // namespace

LibraryLogs::LibraryLogs(logs::Log& log) {
  {
    std::lock_guard const guard(log_mutex);
    ASSERT(log_of_process == nullptr);
    log_of_process = &log;
  }
  gpr_set_log_function(Take);
}

LibraryLogs::~LibraryLogs() {
  gpr_set_log_function(nullptr);
  std::lock_guard const guard(log_mutex);
  log_of_process = nullptr;
}

}  // namespace orochi::kv
