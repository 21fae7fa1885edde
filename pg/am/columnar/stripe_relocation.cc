#include "pg/am/columnar/stripe_relocation.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/stub_chain.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "storage/freespace.h"
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
};

BlockNumber CountOf(const BlockRun& run) {
  return run.end - run.first;
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
  std::sort(
      stripes.items, stripes.items + stripes.count,
      [](const StripeEntry& a, const StripeEntry& b) { return a.offset_bytes > b.offset_bytes; });
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

void Relocate(Run* run, const StripeEntry& stripe, BlockNumber to) {
  BlockRun const from = PagesOf(stripe);
  INJECTION_POINT_PLAIN("columnar_stripe_relocation_begun");
  CopyStripePages(run->relation, from, to);
  INJECTION_POINT_PLAIN("columnar_stripe_copied");
  Boundary([&]() -> Status {
    stripe_catalog::RelocateInPlace(stripe, uint64_t{to - 1} * kPagePayloadBytes);
    return Status::Ok();
  });
  INJECTION_POINT_PLAIN("columnar_stripe_relocated");
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

// Returns how many stripes were copied: the first ones of layout->stripes.
size_t FillGaps(Run* run, Layout* layout) {
  for (size_t i = 0; i < layout->stripes.count; ++i) {
    const StripeEntry& stripe = layout->stripes.items[i];
    BlockRun const pages = PagesOf(stripe);
    BlockNumber const to = pages.end > layout->target ? TakeGap(run, layout, pages) : 0;
    if (to == 0) {
      return i;
    }
    Relocate(run, stripe, to);
  }
  return layout->stripes.count;
}

// Where the file would end if all stripes but the first `done` were put into the gaps that they and
// the free pages make from `first` on.
BlockNumber EndWhenPacked(const Layout& layout, BlockNumber first, size_t done) {
  PlainArray<BlockRun> runs = RunsWhere(layout, first, true);
  BlockNumber end = layout.end;
  while (end > first && layout.use[end - 1] != Use::kFixed) {
    --end;
  }
  for (size_t i = layout.stripes.count; i > done; --i) {
    BlockRun const pages = PagesOf(layout.stripes.items[i - 1]);
    if (pages.first < first) {
      end = std::max(end, pages.end);
      continue;
    }
    for (size_t j = 0; j < runs.count; ++j) {
      if (CountOf(runs.items[j]) >= CountOf(pages)) {
        runs.items[j].first += CountOf(pages);
        end = std::max(end, runs.items[j].first);
        break;
      }
    }
  }
  return end;
}

void WidenGaps(Run* run, const Layout& layout, size_t done) {
  BlockNumber first = 0;
  for (size_t i = 0; i < layout.gaps.count && first == 0; ++i) {
    first = CountOf(layout.gaps.items[i]) > 0 ? layout.gaps.items[i].first : 0;
  }
  if (first == 0 || done == layout.stripes.count) {
    return;
  }
  BlockNumber const slack = std::max(kSlackPagesMax, layout.target / kSlackShare);
  BlockNumber const last = PagesOf(layout.stripes.items[done]).end;
  if (last <= layout.target + slack || EndWhenPacked(layout, first, done) + slack >= last) {
    return;
  }
  // The last comes first, and so goes lowest the next time: the order stays.
  for (size_t i = done; i < layout.stripes.count; ++i) {
    const StripeEntry& stripe = layout.stripes.items[i];
    if (PagesOf(stripe).first < first) {
      return;
    }
    uint64_t const offset_bytes = ReserveBytes(run->relation, stripe.size_bytes);
    Relocate(run, stripe, static_cast<BlockNumber>(1 + offset_bytes / kPagePayloadBytes));
  }
}

}  // namespace

void RelocateStripes(Run* run, bool moved_rows) noexcept {
  if (run->storage_id == 0 || run->free_blocks.count == 0) {
    return;
  }
  Layout layout = MakeLayout(*run);
  if (layout.end <= layout.target || (moved_rows && layout.end / 2 < layout.target)) {
    return;
  }
  LogConflictOnce(run);
  BecomeOrdinaryTransaction();
  PackStubs(run, &layout);
  size_t const done = FillGaps(run, &layout);
  if (!moved_rows) {
    WidenGaps(run, layout, done);
  }
}

}  // namespace orochi::pg::vacuum
