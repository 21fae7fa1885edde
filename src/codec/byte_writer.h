#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace orochi::codec {

/// Appends the little-endian bytes of `value`.
template <std::unsigned_integral Unsigned>
void AppendFixed(std::vector<std::byte>& out, Unsigned value) {
  auto const* bytes = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof(value));
}

inline void AppendSpan(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace orochi::codec
