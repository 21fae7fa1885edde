#include "cli/interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>

#include "base/assert.h"

namespace orochi::cli {

namespace {

// A signal handler reaches only globals.
std::atomic<bool> interrupted = false;
std::atomic<PGcancel*> cancel_handle = nullptr;
struct sigaction previous_int = {};
struct sigaction previous_term = {};

void OnSignal(int) {
  int const saved_errno = errno;
  interrupted = true;
  if (PGcancel* handle = cancel_handle.load(); handle != nullptr) {
    char message[256];
    PQcancel(handle, message, sizeof(message));  // libpq promises it is safe here
  }
  errno = saved_errno;
}

}  // namespace

InterruptScope::InterruptScope(Connection& connection) {
  ASSERT(cancel_handle.load() == nullptr);
  interrupted = false;
  cancel_handle = PQgetCancel(connection.raw());
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &previous_int);
  sigaction(SIGTERM, &action, &previous_term);
}

InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &previous_int, nullptr);
  sigaction(SIGTERM, &previous_term, nullptr);
  PQfreeCancel(cancel_handle.exchange(nullptr));
}

Status InterruptScope::Check() const {
  return interrupted.load() ? Status::Cancelled("cancelled") : Status::Ok();
}

}  // namespace orochi::cli
