#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace orochi::sstable {

/// CRC-32 with zlib's polynomial, which all of Cassandra's checksums are. `crc` continues an
/// earlier one: Crc32(b, Crc32(a)) is that of a followed by b.
uint32_t Crc32(std::span<const std::byte> bytes, uint32_t crc = 0);

}  // namespace orochi::sstable
