#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace orochi::sstable {

/// A serialised value, key or cell path, borrowed. Owned ones are std::string: bytes, not text.
using Bytes = std::span<const std::byte>;

inline Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void AppendBytes(std::string& out, Bytes bytes) {
  out.append(AsText(bytes));
}

/// Unsigned byte by byte, then the shorter first: negative, 0 or positive.
inline int CompareUnsigned(Bytes left, Bytes right) {
  return AsText(left).compare(AsText(right));
}

/// Big-endian, of any integral width. REQUIRES: bytes.size() >= sizeof(Integer).
template <class Integer>
Integer LoadBigEndian(Bytes bytes) {
  uint64_t value = 0;
  for (size_t index = 0; index < sizeof(Integer); ++index) {
    value = (value << 8) | std::to_integer<uint64_t>(bytes[index]);
  }
  return static_cast<Integer>(value);
}

template <class Integer>
void AppendBigEndian(std::string& out, Integer value) {
  auto const wide = static_cast<uint64_t>(value);
  char bytes[sizeof(Integer)];
  for (size_t index = 0; index < sizeof(Integer); ++index) {
    bytes[index] = static_cast<char>(wide >> (8 * (sizeof(Integer) - 1 - index)));
  }
  out.append(bytes, sizeof(Integer));
}

}  // namespace orochi::sstable
