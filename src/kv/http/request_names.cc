#include "kv/http/request_names.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace orochi::kv::http {
namespace {

constexpr size_t kTraceIdSize = 32;
constexpr size_t kParentIdSize = 16;

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdSizeBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  std::string_view("-_.:/+=@").find(c) != std::string_view::npos;
         });
}

// version "-" trace-id "-" parent-id "-" flags; later versions may go on after another "-".
std::string TraceIdOf(std::string_view traceparent) {
  constexpr size_t kSize = 2 + 1 + kTraceIdSize + 1 + kParentIdSize + 1 + 2;
  if (traceparent.size() < kSize) {
    return "";
  }
  std::string_view const version = traceparent.substr(0, 2);
  std::string_view const trace = traceparent.substr(3, kTraceIdSize);
  std::string_view const parent = traceparent.substr(3 + kTraceIdSize + 1, kParentIdSize);
  std::string_view const flags = traceparent.substr(kSize - 2, 2);
  bool const dashes = traceparent[2] == '-' && traceparent[2 + 1 + kTraceIdSize] == '-' &&
                      traceparent[kSize - 3] == '-';
  bool const ends = traceparent.size() == kSize || (version != "00" && traceparent[kSize] == '-');
  bool const right = dashes && ends && version != "ff" && IsLowerHex(version) &&
                     IsLowerHex(trace) && IsLowerHex(parent) && IsLowerHex(flags) &&
                     !IsZero(trace) && !IsZero(parent);
  return right ? std::string(trace) : "";
}

std::string RequestIds::Next() {
  std::array<char, 40> text{};
  int const length = std::snprintf(
      text.data(), text.size(), "%016llx-%08llx", static_cast<unsigned long long>(instance_),
      static_cast<unsigned long long>(last_.fetch_add(1, std::memory_order_relaxed) + 1));
  return {text.data(), static_cast<size_t>(length)};
}

}  // namespace orochi::kv::http
