#pragma once

#include "pg/compat.h"

#include <optional>

extern "C" {
#include "storage/itemptr.h"
}

namespace orochi::pg {

/// A columnar relation has rows in stripes and rows on row pages, and two ranges of tuple ids.
///
/// Rows in stripes: row r of the relation has block 2^31 + r / 256, offset r % 256 + 1. These ids
/// name rows, not places in the file.
/// Rows on row pages: the block and offset where the heap tuple lies, blocks below 2^31.

inline constexpr uint32_t kRowsPerTidBlock = 256;
inline constexpr BlockNumber kFirstStripeTidBlock = BlockNumber{1} << 31;
/// Row numbers end here: block InvalidBlockNumber is nobody's.
inline constexpr uint64_t kRowNumbersMax =
    uint64_t{InvalidBlockNumber - kFirstStripeTidBlock} * kRowsPerTidBlock;

/// REQUIRES: row_number < kRowNumbersMax.
ItemPointerData TidOfRow(uint64_t row_number);

/// The number of a row in a stripe; nullopt for any other tuple id.
std::optional<uint64_t> RowOfTid(const ItemPointerData& tid);

/// Whether the id is one of a row page; such a tuple need not exist.
bool IsRowPageTid(const ItemPointerData& tid);

/// A tuple id as a number, in the order of ids.
uint64_t NumberOfTid(const ItemPointerData& tid);
ItemPointerData TidOfNumber(uint64_t number);

}  // namespace orochi::pg
