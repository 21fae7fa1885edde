#pragma once

#include <string>
#include <string_view>

#include "codec/byte_reader.h"
#include "codec/byte_writer.h"

namespace orochi::kv {

/// What this store encodes is appended to strings, since keys and values are strings.

inline void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<char>(value | 0x80));
  }
  out.push_back(static_cast<char>(value));
}

/// The size as a varint, then the bytes.
inline void AppendText(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out.append(text);
}

[[nodiscard]] inline bool ReadText(codec::ByteReader& reader, std::string& text) {
  uint64_t size_bytes = 0;
  std::span<const std::byte> bytes;
  if (!reader.ReadVarint(size_bytes) || size_bytes > reader.remaining_bytes() ||
      !reader.ReadSpan(static_cast<size_t>(size_bytes), bytes)) {
    return false;
  }
  text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return true;
}

/// Big-endian, so that the order of the bytes is that of the numbers.
inline void AppendBigEndian(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

/// REQUIRES: eight bytes.
inline uint64_t BigEndianAt(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t index = 0; index < 8; ++index) {
    value = value << 8 | static_cast<uint8_t>(bytes[index]);
  }
  return value;
}

}  // namespace orochi::kv
