#include "pg/am/columnar/stripe_relocation.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/stub_chain.h"
#include "pg/am/columnar/vacuum_rows.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/xact.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
}

namespace orochi::pg::vacuum {
namespace {

// So much longer than its pages in use the file may stay, whichever is more.
constexpr BlockNumber kSlackPagesMax = 4;
constexpr BlockNumber kSlackShare = 40;

enum class Use : uint8_t { kFixed, kFree, kStripe };

struct Layout {
  BlockNumber end;                  // of the file
  Use* use;                         // [end]
  BlockNumber target;               // where the file may end
  PlainArray<StripeEntry> stripes;  // those that may be copied, from the last in the file on
  PlainArray<BlockRun> gaps;        // ascending
  PlainArray<BlockRun> left;        // where stripes were copied from, perhaps read there still
  PlainArray<BlockRun> emptied;     // the same when it is free; the free space map knows nothing
};

BlockNumber CountOf(const BlockRun& run) {
  return run.end - run.first;
}

void SortFromLast(PlainArray<StripeEntry>* stripes) {
  std::sort(
      stripes->items, stripes->items + stripes->count,
      [](const StripeEntry& a, const StripeEntry& b) { return a.offset_bytes > b.offset_bytes; });
}

PlainArray<StripeEntry> RelocatableStripes(const Run& run) {
  PlainArray<StripeEntry> stripes{};
  Boundary([&]() -> Status {
    auto const entries =
        stripe_catalog::ListSettled(run.storage_id, run.moved_stripe_count, run.oldest_xmin);
    TryPg([&]() noexcept {
      for (const StripeEntry& entry : entries) {
        // One previous place is all the catalog remembers.
        if (entry.row_count > 0 && !IsPreviousInUse(entry, run.oldest_xmin)) {
          stripes.Add(entry);
        }
      }
    });
    return Status::Ok();
  });
  SortFromLast(&stripes);
  return stripes;
}

PlainArray<BlockRun> RunsWhere(const Layout& layout, BlockNumber first, bool with_stripes) {
  PlainArray<BlockRun> runs{};
  for (BlockNumber block = first; block < layout.end; ++block) {
    Use const use = layout.use[block];
    if (use == Use::kFixed || (use == Use::kStripe && !with_stripes)) {
      continue;
    }
    if (runs.count > 0 && runs.items[runs.count - 1].end == block) {
      ++runs.items[runs.count - 1].end;
    } else {
      runs.Add({.first = block, .end = block + 1});
    }
  }
  return runs;
}

Layout MakeLayout(const Run& run) {
  Layout layout{};
  layout.end = RelationGetNumberOfBlocks(run.relation);
  layout.use = static_cast<Use*>(palloc_extended(layout.end, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
  BlockNumber used_count = layout.end;
  for (size_t i = 0; i < run.free_blocks.count; ++i) {
    BlockNumber const block = run.free_blocks.items[i];
    if (block < layout.end && layout.use[block] == Use::kFixed) {
      layout.use[block] = Use::kFree;
      --used_count;
    }
  }
  layout.stripes = RelocatableStripes(run);
  for (size_t i = 0; i < layout.stripes.count; ++i) {
    BlockRun const pages = PagesOf(layout.stripes.items[i]);
    for (BlockNumber block = pages.first; block < std::min(pages.end, layout.end); ++block) {
      layout.use[block] = Use::kStripe;
    }
  }
  layout.target = used_count + std::max(kSlackPagesMax, used_count / kSlackShare);
  return layout;
}

void Relocate(Run* run, Layout* layout, StripeEntry* stripe, BlockNumber to) {
  BlockRun const from = PagesOf(*stripe);
  INJECTION_POINT_PLAIN("columnar_stripe_relocation_begun");
  CopyStripePages(run->relation, from, to);
  INJECTION_POINT_PLAIN("columnar_stripe_copied");
  Boundary([&]() -> Status {
    stripe_catalog::RelocateInPlace(*stripe, uint64_t{to - 1} * kPagePayloadBytes);
    return Status::Ok();
  });
  INJECTION_POINT_PLAIN("columnar_stripe_relocated");
  stripe->offset_bytes = uint64_t{to - 1} * kPagePayloadBytes;
  layout->left.Add(from);
  BlockRun const pages = PagesOf(*stripe);
  std::fill(layout->use + from.first, layout->use + from.end, Use::kFixed);
  std::fill(layout->use + pages.first, layout->use + pages.end, Use::kStripe);
}

// Pages of stubs, which are small and many, go before everything else: gaps are wider without them.
void PackStubs(Run* run, Layout* layout) {
  BlockNumber free = 1;
  for (size_t i = 0; i < run->stub_blocks.count; ++i) {
    BlockNumber const block = run->stub_blocks.items[i];
    while (free < block && layout->use[free] != Use::kFree) {
      ++free;
    }
    if (free >= block || block >= layout->end || layout->use[block] == Use::kFree) {
      continue;
    }
    vacuum_delay_point();
    INJECTION_POINT_PLAIN("columnar_stubs_relocation_begun");
    if (stub_chain::RelocatePage(run->relation, block, free, false)) {
      RecordPageWithFreeSpace(run->relation, free, 0);
      RecordPageWithFreeSpace(run->relation, block, BLCKSZ - SizeOfPageHeaderData);
      std::swap(layout->use[free], layout->use[block]);
    }
    ++free;  // filled, or not to be had
    INJECTION_POINT_PLAIN("columnar_stubs_relocated");
  }
  layout->gaps = RunsWhere(*layout, 1, false);
}

// Takes pages for the stripe from the first gap before it that is wide enough. 0 without one.
BlockNumber TakeGap(Run* run, Layout* layout, const BlockRun& pages) {
  for (size_t i = 0; i < layout->gaps.count; ++i) {
    BlockRun* const gap = &layout->gaps.items[i];
    if (gap->first >= pages.first) {
      break;
    }
    while (CountOf(*gap) >= CountOf(pages)) {
      BlockNumber const to = gap->first;
      BlockNumber const obstacle = ClaimPages(run->relation, to, CountOf(pages));
      gap->first = obstacle == InvalidBlockNumber ? to + CountOf(pages) : obstacle + 1;
      if (obstacle == InvalidBlockNumber) {
        return to;
      }
    }
  }
  return 0;
}

// From the last stripe on, those that end behind the target.
void FillGaps(Run* run, Layout* layout) {
  for (size_t i = 0; i < layout->stripes.count; ++i) {
    StripeEntry* const stripe = &layout->stripes.items[i];
    BlockRun const pages = PagesOf(*stripe);
    BlockNumber const to = pages.end > layout->target ? TakeGap(run, layout, pages) : 0;
    if (to == 0) {
      return;
    }
    Relocate(run, layout, stripe, to);
  }
}

// Where a stripe goes that slides: SIZE_MAX for none.
struct Slide {
  size_t stripe;  // index of Layout::stripes
  BlockNumber to;
  BlockNumber end;  // where the file ends when all have slid
};

// The stripes that lie behind `first`, in their order, each to the first run of pages that is wide
// enough: never behind where it is, because those before it leave at least as much as they take.
// Finds the first stripe that is not there yet.
Slide NextSlide(const Layout& layout, BlockNumber first) {
  Slide slide{.stripe = SIZE_MAX, .to = 0, .end = layout.end};
  while (slide.end > 0 && layout.use[slide.end - 1] != Use::kFixed) {
    --slide.end;
  }
  PlainArray<BlockRun> runs = RunsWhere(layout, first, true);
  for (size_t i = layout.stripes.count; i > 0; --i) {
    BlockRun const pages = PagesOf(layout.stripes.items[i - 1]);
    if (pages.first < first) {
      slide.end = std::max(slide.end, pages.end);
      continue;
    }
    for (size_t j = 0; j < runs.count; ++j) {
      BlockRun* const free = &runs.items[j];
      if (CountOf(*free) < CountOf(pages)) {
        continue;
      }
      if (slide.stripe == SIZE_MAX && free->first < pages.first) {
        slide.stripe = i - 1;
        slide.to = free->first;
      }
      free->first += CountOf(pages);
      slide.end = std::max(slide.end, free->first);
      break;
    }
  }
  if (runs.items != nullptr) {
    pfree(runs.items);
  }
  return slide;
}

// The last page from which on it is enough to close gaps; 0 when closing all of them would hardly
// shorten the file.
BlockNumber FirstToSlide(const Layout& layout) {
  PlainArray<BlockRun> const gaps = RunsWhere(layout, 1, false);
  size_t low = 0;
  size_t high = gaps.count;
  while (low < high) {  // the fewer gaps are closed, the longer is the file
    size_t const middle = low + (high - low) / 2;
    if (NextSlide(layout, gaps.items[middle].first).end <= layout.target) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low > 0 || gaps.count == 0) {
    return low > 0 ? gaps.items[low - 1].first : 0;
  }
  BlockNumber const slack = std::max(kSlackPagesMax, layout.target / kSlackShare);
  BlockNumber const first = gaps.items[0].first;
  BlockNumber const end = NextSlide(layout, layout.end).end;
  return NextSlide(layout, first).end + slack < end ? first : 0;
}

// Whether nobody reads where stripes were copied from; then those pages are free. For a moment
// nobody has the relation open, and who comes later learns the new places.
bool ForgetPreviousPlaces(Run* run, Layout* layout) {
  if (layout->left.count == 0) {
    return true;
  }
  if (!ConditionalLockRelation(run->relation, AccessExclusiveLock)) {
    return false;
  }
  INJECTION_POINT_PLAIN("columnar_before_places_forgotten");
  Boundary([&]() -> Status {
    stripe_catalog::ForgetPreviousPlaces(run->storage_id);
    return Status::Ok();
  });
  INJECTION_POINT_PLAIN("columnar_places_forgotten");
  UnlockRelation(run->relation, AccessExclusiveLock);
  for (size_t i = 0; i < layout->left.count; ++i) {
    BlockRun const pages = layout->left.items[i];
    EmptyStripePages(run, pages);
    layout->emptied.Add(pages);
    std::fill(layout->use + pages.first, layout->use + pages.end, Use::kFree);
  }
  layout->left.count = 0;
  return true;
}

// Pages at the file's end for the stripe, which is in its own way.
BlockNumber TakeEnd(Run* run, Layout* layout, const StripeEntry& stripe) {
  uint64_t const offset_bytes = ReserveBytes(run->relation, stripe.size_bytes);
  BlockNumber const end = RelationGetNumberOfBlocks(run->relation);
  layout->use = static_cast<Use*>(repalloc_huge(layout->use, end));
  // What others added meanwhile is theirs.
  std::fill(layout->use + layout->end, layout->use + end, Use::kFixed);
  layout->end = end;
  return static_cast<BlockNumber>(1 + offset_bytes / kPagePayloadBytes);
}

// Copies one stripe on its way. False when there is nothing more to do, or not now.
bool SlideOne(Run* run, Layout* layout, BlockNumber first, PlainArray<uint64_t>* lifted) {
  Slide const slide = NextSlide(*layout, first);
  if (slide.stripe == SIZE_MAX) {
    return false;
  }
  StripeEntry* const stripe = &layout->stripes.items[slide.stripe];
  BlockRun const pages = PagesOf(*stripe);
  BlockNumber to = slide.to;
  if (to + CountOf(pages) > pages.first) {
    uint64_t* const lifted_end = lifted->items + lifted->count;
    if (std::find(lifted->items, lifted_end, stripe->stripe_number) != lifted_end) {
      return false;
    }
    lifted->Add(stripe->stripe_number);
    to = TakeEnd(run, layout, *stripe);
  } else if (ClaimPages(run->relation, to, CountOf(pages)) != InvalidBlockNumber) {
    return false;  // somebody took a page meanwhile
  }
  Relocate(run, layout, stripe, to);
  SortFromLast(&layout->stripes);
  return true;
}

// Closes gaps that are too narrow for the stripes behind them. A stripe that would overlap itself
// goes to the file's end, once; the others slide into its place, and it comes back behind them.
void CloseGaps(Run* run, Layout* layout) {
  SortFromLast(&layout->stripes);
  if (layout->stripes.count == 0 || PagesOf(layout->stripes.items[0]).end <= layout->target ||
      !ForgetPreviousPlaces(run, layout)) {
    return;
  }
  BlockNumber const first = FirstToSlide(*layout);
  PlainArray<uint64_t> lifted{};
  while (first != 0 && SlideOne(run, layout, first, &lifted)) {
    if (!ForgetPreviousPlaces(run, layout)) {
      break;
    }
  }
  for (size_t i = 0; i < layout->emptied.count; ++i) {
    BlockRun const pages = layout->emptied.items[i];
    for (BlockNumber block = pages.first; block < pages.end; ++block) {
      if (layout->use[block] == Use::kFree) {
        run->free_blocks.Add(block);
        RecordPageWithFreeSpace(run->relation, block, BLCKSZ - SizeOfPageHeaderData);
      }
    }
  }
}

}  // namespace

BlockNumber RelocateStripes(Run* run, bool moved_rows) noexcept {
  if (run->storage_id == 0 || run->free_blocks.count == 0) {
    return InvalidBlockNumber;
  }
  Layout layout = MakeLayout(*run);
  if (layout.end <= layout.target || (moved_rows && layout.end / 2 < layout.target)) {
    return layout.target;
  }
  LogConflictOnce(run);
  BecomeOrdinaryTransaction();
  PackStubs(run, &layout);
  FillGaps(run, &layout);
  if (!moved_rows) {
    CloseGaps(run, &layout);
  }
  return layout.target;
}

double RowsOnTheirWay(const Run& run, BlockNumber target) noexcept {
  if (RelationGetNumberOfBlocks(run.relation) <= target) {
    return 0;
  }
  return Boundary([&]() -> Result<double> {
    double count = 0;
    for (const StripeEntry& entry :
         stripe_catalog::ListSettled(run.storage_id, run.moved_stripe_count, run.oldest_xmin)) {
      if (IsPreviousInUse(entry, run.oldest_xmin)) {
        count += static_cast<double>(entry.row_count);
      }
    }
    return count;
  });
}

}  // namespace orochi::pg::vacuum
