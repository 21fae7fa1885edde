#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace orochi::kv::http {

inline constexpr size_t kRequestIdSizeBytesMax = 128;

/// Whether an X-Request-Id of a client may stand in logs and answers: 1 to 128 letters, digits and
/// any of -_.:/+=@
bool IsRequestId(std::string_view text);

/// The trace id of a W3C traceparent, 32 hexadecimal digits; empty when it is none.
std::string TraceIdOf(std::string_view traceparent);

/// Names for requests that have none: no two of a process, and hardly of two, are the same.
///
/// Threads: any.
class RequestIds {
 public:
  /// `instance` is drawn by each process.
  explicit RequestIds(uint64_t instance) : instance_(instance) {}
  std::string Next();

 private:
  const uint64_t instance_;
  std::atomic<uint64_t> last_{0};
};

}  // namespace orochi::kv::http
