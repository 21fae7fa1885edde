#pragma once

#include "pg/compat.h"

extern "C" {
#include "storage/block.h"
#include "storage/bufpage.h"
}

/// How stubs lie on one page. docs/formats/columnar-relation.md specifies it. Plain code; the page
/// is locked, for changes a copy that generic WAL gave.
namespace orochi::pg::stub_page {

/// A chain of stub pages serves as many neighbouring rows.
inline constexpr uint64_t kSegmentRows = 8192;

/// An item with the line pointer flag "dead", which heap's code passes over, tells of rows that
/// nobody sees any more: of one by its number, in the item's last 8 bytes, or of any rows of the
/// segment by a bit each. The latter is known by its length, which no stub has.
inline constexpr Size kGoneBitsBytes = kSegmentRows / 8;
inline constexpr Size kGoneBitsItemBytes = kGoneBitsBytes + 4;

/// How many items the page has; line pointers are used from the first on. `at_least`: as many are
/// known to be in use.
OffsetNumber Count(Page page, OffsetNumber at_least) noexcept;

/// The row a stub, or the item of one row that is gone, stands for.
uint64_t RowNumberAt(Page page, ItemId item) noexcept;

/// Whether the stub of the row is at that place.
bool IsStubOf(Page page, OffsetNumber offset, uint64_t row_number) noexcept;

/// The bits of an item, or null when it is none of that kind. Bit i: row i of the segment.
uint64_t* GoneBitsAt(Page page, ItemId item) noexcept;

/// Whether the item stands for one row that is gone.
inline bool IsGoneRow(ItemId item) {
  return ItemIdIsDead(item) && ItemIdHasStorage(item) &&
         ItemIdGetLength(item) != kGoneBitsItemBytes;
}

/// Whether there is room for an item more, when there are `count`.
bool Fits(Page page, OffsetNumber count, Size length) noexcept;

/// Adds an item that heap passes over, behind the `count` there are. REQUIRES: Fits.
OffsetNumber PutGone(Page page, OffsetNumber count, const void* data, Size length) noexcept;

/// Takes off the items whose `drops` is set ([offset], from FirstOffsetNumber), and what gone rows
/// have but for their numbers. Items get other offset numbers: nobody else may have the page
/// pinned.
void Repack(Page page, BlockNumber block, const bool* drops) noexcept;

/// The page was copied from block `from` to `to`: stubs that are the newest version name
/// themselves.
void Rebase(Page page, BlockNumber from, BlockNumber to) noexcept;

}  // namespace orochi::pg::stub_page
