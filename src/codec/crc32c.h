#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace orochi::codec {

/// CRC-32C (Castagnoli, reflected 0x82F63B78, as in RFC 3720 appendix B.4) of `bytes`, continuing
/// from `crc`, the CRC of what came before: Crc32c(b, Crc32c(a)) == Crc32c(a followed by b).
uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc = 0);

/// The same without processor support, from a table. Crc32c uses it where SSE4.2 is missing.
uint32_t Crc32cPortable(std::span<const std::byte> bytes, uint32_t crc = 0);

}  // namespace orochi::codec
