#pragma once

#include <cstdint>
#include <mutex>

#include "base/clock.h"
#include "kv/http/message.h"
#include "kv/logs/log.h"

namespace orochi::kv {

/// Says which requests failed or were slow: those answered with 5xx or 429, and those that took
/// longer than `slow_us`, at most `line_count_max` a second; the next line after a gap has how many
/// were left out. Everything else is said at level debug.
///
/// Threads: any.    Borrows: log, clock.
class RequestLog {
 public:
  struct Options {
    int64_t slow_us = 1'000'000;
    int line_count_max = 50;
  };
  RequestLog(logs::Log& log, Clock& clock, const Options& options)
      : log_(log), clock_(clock), options_(options) {}

  void Note(const http::Served& served);

 private:
  /// How many lines were left out before this one, or -1: this is left out, too.
  int64_t Admit();

  logs::Log& log_;
  Clock& clock_;
  const Options options_;
  std::mutex mutex_;
  int64_t second_ = 0;  // guarded by mutex_, as the rest
  int line_count_ = 0;  // in that second
  int64_t omitted_count_ = 0;
};

}  // namespace orochi::kv
