#pragma once

#include <cstdint>

namespace orochi::sstable {

// The first byte of every row and marker in Data.db.
inline constexpr uint8_t kEndOfPartition = 0x01;
inline constexpr uint8_t kIsMarker = 0x02;
inline constexpr uint8_t kHasTimestamp = 0x04;
inline constexpr uint8_t kHasTtl = 0x08;
inline constexpr uint8_t kHasDeletion = 0x10;
inline constexpr uint8_t kHasAllColumns = 0x20;
inline constexpr uint8_t kHasComplexDeletion = 0x40;
inline constexpr uint8_t kHasExtendedFlags = 0x80;

// The byte after it, with kHasExtendedFlags.
inline constexpr uint8_t kIsStatic = 0x01;
inline constexpr uint8_t kHasShadowableDeletion = 0x02;
inline constexpr uint8_t kKnownExtendedFlags = 0x03;

// The first byte of every cell.
inline constexpr uint8_t kCellIsDeleted = 0x01;
inline constexpr uint8_t kCellIsExpiring = 0x02;
inline constexpr uint8_t kCellHasEmptyValue = 0x04;
inline constexpr uint8_t kCellUsesRowTimestamp = 0x08;
inline constexpr uint8_t kCellUsesRowTtl = 0x10;
inline constexpr uint8_t kKnownCellFlags = 0x1F;

}  // namespace orochi::sstable
