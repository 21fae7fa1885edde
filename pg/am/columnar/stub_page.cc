#include "pg/am/columnar/stub_page.h"

#include "pg/am/columnar/page_kind.h"

extern "C" {
#include "access/htup_details.h"
}

namespace orochi::pg::stub_page {

OffsetNumber Count(Page page, OffsetNumber at_least) noexcept {
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  OffsetNumber count = at_least;
  while (count < last && ItemIdIsUsed(PageGetItemId(page, static_cast<OffsetNumber>(count + 1)))) {
    ++count;
  }
  return count;
}

uint64_t RowNumberAt(Page page, ItemId item) noexcept {
  uint64_t number = 0;
  std::memcpy(
      &number,
      static_cast<char*>(page) + ItemIdGetOffset(item) + ItemIdGetLength(item) - sizeof(number),
      sizeof(number));
  return number;
}

bool IsStubOf(Page page, OffsetNumber offset, uint64_t row_number) noexcept {
  if (offset < FirstOffsetNumber || offset > PageGetMaxOffsetNumber(page)) {
    return false;
  }
  ItemId const item = PageGetItemId(page, offset);
  return ItemIdIsNormal(item) && RowNumberAt(page, item) == row_number;
}

uint64_t* GoneBitsAt(Page page, ItemId item) noexcept {
  return ItemIdIsDead(item) && ItemIdGetLength(item) == kGoneBitsItemBytes
             ? reinterpret_cast<uint64_t*>(static_cast<char*>(page) + ItemIdGetOffset(item))
             : nullptr;
}

bool Fits(Page page, OffsetNumber count, Size length) noexcept {
  auto const* const header = reinterpret_cast<PageHeader>(page);
  return count < PageGetMaxOffsetNumber(page) &&
         header->pd_lower + MAXALIGN(length) <= header->pd_upper;
}

OffsetNumber PutGone(Page page, OffsetNumber count, const void* data, Size length) noexcept {
  auto* const header = reinterpret_cast<PageHeader>(page);
  auto const offset = static_cast<OffsetNumber>(count + 1);
  header->pd_upper = static_cast<LocationIndex>(header->pd_upper - MAXALIGN(length));
  std::memcpy(static_cast<char*>(page) + header->pd_upper, data, length);
  ItemId const item = PageGetItemId(page, offset);
  ItemIdSetNormal(item, header->pd_upper, length);
  ItemIdMarkDead(item);
  return offset;
}

void Repack(Page page, BlockNumber block, const bool* drops) noexcept {
  PGAlignedBlock before;
  std::memcpy(before.data, page, BLCKSZ);
  auto* const header = reinterpret_cast<PageHeader>(page);
  LocationIndex upper = header->pd_special;
  OffsetNumber kept_count = 0;
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    ItemIdData const old = *PageGetItemId(page, offset);
    ItemIdSetUnused(PageGetItemId(page, offset));
    if (old.lp_len == 0 || drops[offset]) {
      continue;
    }
    Size const kept = IsGoneRow(const_cast<ItemId>(&old)) ? sizeof(uint64_t) : Size{old.lp_len};
    upper = static_cast<LocationIndex>(upper - MAXALIGN(kept));
    char* const data = static_cast<char*>(page) + upper;
    std::memcpy(data, before.data + old.lp_off + (old.lp_len - kept), kept);
    ItemId const item = PageGetItemId(page, ++kept_count);
    ItemIdSetNormal(item, upper, kept);
    if (old.lp_flags == LP_DEAD) {
      ItemIdMarkDead(item);
      continue;
    }
    auto* const stub = reinterpret_cast<HeapTupleHeader>(data);
    if (ItemPointerGetBlockNumberNoCheck(&stub->t_ctid) == block &&
        ItemPointerGetOffsetNumberNoCheck(&stub->t_ctid) == offset) {
      ItemPointerSet(&stub->t_ctid, block, kept_count);
    }
  }
  header->pd_upper = upper;
  ++TrailerOf(page)->generation;
}

void Rebase(Page page, BlockNumber from, BlockNumber to) noexcept {
  OffsetNumber const count = Count(page, 0);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item)) {
      continue;
    }
    auto* const stub = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    if (ItemPointerGetBlockNumberNoCheck(&stub->t_ctid) == from &&
        ItemPointerGetOffsetNumberNoCheck(&stub->t_ctid) == offset) {
      ItemPointerSet(&stub->t_ctid, to, offset);
    }
  }
}

}  // namespace orochi::pg::stub_page
