#include "sstable/format/crc32.h"

#include <libdeflate.h>

namespace orochi::sstable {

uint32_t Crc32(std::span<const std::byte> bytes, uint32_t crc) {
  if (bytes.empty()) {
    return crc;  // a null pointer asks libdeflate for the initial value instead
  }
  return libdeflate_crc32(crc, bytes.data(), bytes.size());
}

}  // namespace orochi::sstable
