#include "pg/am/columnar/page_kind.h"

namespace orochi::pg {

PageTrailer* TrailerOf(Page page) noexcept {
  return reinterpret_cast<PageTrailer*>(PageGetSpecialPointer(page));
}

PageKind KindOf(BlockNumber block, Page page) noexcept {
  if (block == 0) {
    return PageKind::kMetapage;
  }
  if (PageIsNew(page)) {
    return PageKind::kNew;
  }
  if (PageGetSpecialSize(page) == MAXALIGN(sizeof(PageTrailer))) {
    return TrailerOf(page)->magic == kStubPageMagic ? PageKind::kStubs : PageKind::kDirectory;
  }
  // Row pages never become all-visible: VACUUM of heap, which would say so, does not run here.
  return PageIsAllVisible(page) ? PageKind::kStripe : PageKind::kRows;
}

bool IsFreePage(BlockNumber block, Page page) noexcept {
  PageKind const kind = KindOf(block, page);
  if (kind != PageKind::kRows) {
    return kind == PageKind::kNew;
  }
  // Freeing line pointers leaves the first one on the page.
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    if (ItemIdIsUsed(PageGetItemId(page, offset))) {
      return false;
    }
  }
  return true;
}

void InitStripePage(Page page, uint32_t payload_bytes) noexcept {
  PageInit(page, BLCKSZ, 0);
  PageSetAllVisible(page);
  auto* const header = reinterpret_cast<PageHeader>(page);
  header->pd_lower = static_cast<LocationIndex>(SizeOfPageHeaderData + payload_bytes);
  header->pd_upper = header->pd_lower;
}

}  // namespace orochi::pg
