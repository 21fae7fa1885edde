#pragma once

#include "pg/compat.h"

extern "C" {
#include "storage/block.h"
#include "storage/bufpage.h"
}

namespace orochi::pg {

/// What a page of a columnar relation's main fork holds. docs/formats/columnar-relation.md
/// specifies how each kind is told: heap's own code works on row and stub pages, so only what it
/// leaves alone can carry the mark.
enum class PageKind : uint8_t {
  kNew,        // zeros: the file was extended, nothing was written
  kMetapage,   // block 0
  kStripe,     // a piece of a stripe
  kRows,       // heap tuples: rows not in stripes
  kStubs,      // heap tuples that stand for rows in stripes, see row_stub.h
  kDirectory,  // where stub pages are
};

/// What lies in the special space of stub and directory pages.
struct PageTrailer {
  uint32_t magic;    // kStubPageMagic or kDirectoryPageMagic
  BlockNumber next;  // stub pages: the next page of the segment's chain
  uint64_t segment;  // stub pages: which rows, see row_stub.h
  // Of a chain's first stub page: increased whenever a line pointer of the chain changes otherwise
  // than by a stub that is added.
  uint32_t generation;
  uint16_t level;  // directory pages: 0 points at stub pages
  uint16_t unused;
};
static_assert(sizeof(PageTrailer) == 24);

inline constexpr uint32_t kStubPageMagic = 0x4F435342;       // "OCSB"
inline constexpr uint32_t kDirectoryPageMagic = 0x4F435344;  // "OCSD"

/// Plain; the page is pinned and locked.
PageKind KindOf(BlockNumber block, Page page) noexcept;
PageTrailer* TrailerOf(Page page) noexcept;
/// Whether it holds nothing: new, or a row page without a line pointer in use.
bool IsFreePage(BlockNumber block, Page page) noexcept;

/// Makes an empty stripe page. Heap's code finds no room on it.
void InitStripePage(Page page, uint32_t payload_bytes) noexcept;

}  // namespace orochi::pg
