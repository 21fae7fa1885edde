#include "kv/server/request_log.h"

#include <utility>

namespace orochi::kv {
namespace {

constexpr int64_t kNanosInMilli = 1'000'000;
constexpr int64_t kNanosInSecond = 1'000'000'000;
constexpr int kServersFault = 500;
constexpr int kTooMany = 429;

}  // namespace

void RequestLog::Note(const http::Served& served) {
  bool const failed = served.status >= kServersFault || served.status == kTooMany;
  bool const slow = served.duration_ns / 1000 >= options_.slow_us;
  logs::Level const level = failed || slow ? logs::Level::kWarning : logs::Level::kDebug;
  if (!log_.Has(level)) {
    return;
  }
  int64_t const omitted = level == logs::Level::kDebug ? 0 : Admit();
  if (omitted < 0) {
    return;
  }
  log_.Write(level,
             failed ? "request failed"
             : slow ? "request was slow"
                    : "request",
             {{"request_id", served.request_id},
              {"trace_id", served.trace_id},
              {"method", served.method},
              {"path", served.path},
              {"route", served.route},
              {"status", served.status},
              {"code", served.code},
              {"error", served.message},
              {"milliseconds", static_cast<double>(served.duration_ns) / kNanosInMilli},
              {"request_bytes", static_cast<int64_t>(served.request_size_bytes)},
              {"reply_bytes", static_cast<int64_t>(served.reply_size_bytes)},
              {"client", served.client},
              {"user", served.user},
              {"omitted", omitted}});
}

int64_t RequestLog::Admit() {
  int64_t const second = clock_.MonotonicNanos() / kNanosInSecond;
  std::lock_guard const guard(mutex_);
  if (second != second_) {
    second_ = second;
    line_count_ = 0;
  }
  if (line_count_ >= options_.line_count_max) {
    ++omitted_count_;
    return -1;
  }
  ++line_count_;
  return std::exchange(omitted_count_, 0);
}

}  // namespace orochi::kv
