#include "kv/record/utf8.h"

#include <cstddef>
#include <cstdint>

namespace orochi::kv {

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    auto const lead = static_cast<uint8_t>(text[at]);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    size_t const size_bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - at < size_bytes) {
      return false;
    }
    uint32_t point = lead & (0x7Fu >> size_bytes);
    for (size_t index = 1; index < size_bytes; ++index) {
      auto const byte = static_cast<uint8_t>(text[at + index]);
      if ((byte & 0xC0) != 0x80) {
        return false;
      }
      point = point << 6 | (byte & 0x3F);
    }
    bool const too_long =
        (size_bytes == 3 && point < 0x800) || (size_bytes == 4 && point < 0x10000);
    if (too_long || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
      return false;
    }
    at += size_bytes;
  }
  return true;
}

}  // namespace orochi::kv
