#include "pg/am/columnar/vacuum_rows.h"

#include "pg/am/columnar/large_value.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/injection.h"

extern "C" {
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "storage/freespace.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::vacuum {
namespace {

// What one visit of a row page found.
struct Contents {
  int kept_count;  // line pointers that stay in use
  int dead_count;  // noted for FreeDeadPlaces
  int movable_count;
};

Contents LookAtRows(Run* run, Buffer buffer) {
  Contents found{};
  Page const page = BufferGetPage(buffer);
  BlockNumber const block = BufferGetBlockNumber(buffer);
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (!ItemIdIsUsed(item)) {
      continue;
    }
    if (ItemIdIsDead(item) && NoteDeadPlace(run, block, offset)) {
      ++found.dead_count;
      continue;
    }
    ++found.kept_count;
    if (!ItemIdIsNormal(item)) {
      continue;
    }
    HeapTupleData tuple;
    tuple.t_tableOid = RelationGetRelid(run->relation);
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&tuple.t_self, block, offset);
    switch (HeapTupleSatisfiesVacuum(&tuple, run->oldest_xmin, buffer)) {
      case HEAPTUPLE_LIVE:
        run->live_row_count += 1;
        if (IsMovable(&tuple, run->oldest_xmin, buffer) &&
            !HasLargeValue(RelationGetDescr(run->relation), tuple)) {
          ++found.movable_count;
        }
        break;
      case HEAPTUPLE_DELETE_IN_PROGRESS:
        run->live_row_count += 1;
        break;
      case HEAPTUPLE_INSERT_IN_PROGRESS:
        break;
      default:
        run->left_dead_count += 1;
        break;
    }
  }
  return found;
}

void NoteFreeSpace(Run* run, Buffer buffer) {
  Page const page = BufferGetPage(buffer);
  BlockNumber const block = BufferGetBlockNumber(buffer);
  Size const free_bytes =
      PageIsNew(page) ? BLCKSZ - SizeOfPageHeaderData : PageGetHeapFreeSpace(page);
  if (IsFreePage(block, page)) {
    run->free_blocks.Add(block);
  }
  RecordPageWithFreeSpace(run->relation, block, free_bytes);
}

void VisitRows(Run* run, Buffer buffer, bool is_clean, GlobalVisState* visibility) {
  if (is_clean) {
    int newly_dead_count = 0;
    WAL_RECORD("row_page_pruned",
               heap_page_prune(run->relation, buffer, run->oldest_xmin, visibility,
                               InvalidTransactionId, 0, &newly_dead_count, nullptr));
    FreezePage(run, buffer);
  }
  // Not frozen unless pruned: a chain leads from a dead version to the next by that one's xmin.
  NoteIdsLeft(run, buffer);
  Contents const found = LookAtRows(run, buffer);
  if (found.movable_count > 0) {
    run->movable_blocks.Add(BufferGetBlockNumber(buffer));
    run->movable_row_count += found.movable_count;
  }
  if (found.dead_count == 0) {
    NoteFreeSpace(run, buffer);
  }
}

void EmptyPage(Run* run, Buffer buffer) {
  GenericXLogState* const state = GenericXLogStart(run->relation);
  PageInit(GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE), BLCKSZ, 0);
  WAL_RECORD("stripe_page_emptied", GenericXLogFinish(state));
}

// A page of a stripe that nobody sees, or that was never finished, becomes an empty row page.
void FreeStripePage(Run* run, Buffer buffer) {
  if (run->stripes_being_written) {
    return;
  }
  LogConflictOnce(run);
  EmptyPage(run, buffer);
  NoteFreeSpace(run, buffer);
}

void VisitBlock(Run* run, BlockNumber block, GlobalVisState* visibility) {
  Buffer const buffer =
      ReadBufferExtended(run->relation, MAIN_FORKNUM, block, RBM_NORMAL, run->strategy);
  bool const is_clean = ConditionalLockBufferForCleanup(buffer);
  if (!is_clean) {
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  }
  switch (KindOf(block, BufferGetPage(buffer))) {
    case PageKind::kNew:
      NoteFreeSpace(run, buffer);
      break;
    case PageKind::kRows:
      VisitRows(run, buffer, is_clean, visibility);
      break;
    case PageKind::kStripe:
      FreeStripePage(run, buffer);
      break;
    default:
      run->stub_blocks.Add(block);
      break;
  }
  UnlockReleaseBuffer(buffer);
}

}  // namespace

void VisitRowPages(Run* run) noexcept {
  PlainArray<BlockRun> const taken = PagesInUse(run->stripes, run->oldest_xmin);
  GlobalVisState* const visibility = GlobalVisTestFor(run->relation);
  size_t next = 0;
  for (BlockNumber block = 1; block < run->end_block;) {
    while (next < taken.count && taken.items[next].end <= block) {
      ++next;
    }
    if (next < taken.count && taken.items[next].first <= block) {
      block = taken.items[next].end;
      continue;
    }
    vacuum_delay_point();
    VisitBlock(run, block, visibility);
    ++block;
  }
}

void EmptyStripePages(Run* run, const BlockRun& pages) noexcept {
  for (BlockNumber block = pages.first; block < pages.end; ++block) {
    vacuum_delay_point();
    Buffer const buffer =
        ReadBufferExtended(run->relation, MAIN_FORKNUM, block, RBM_NORMAL, run->strategy);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    if (KindOf(block, BufferGetPage(buffer)) == PageKind::kStripe) {
      EmptyPage(run, buffer);
    }
    UnlockReleaseBuffer(buffer);
  }
}

void FreeDeadPlaces(Run* run) noexcept {
  const PlainArray<uint64_t>& places = run->dead.places;
  for (size_t begin = 0; begin < places.count;) {
    vacuum_delay_point();
    auto const block = static_cast<BlockNumber>(places.items[begin] >> 16);
    Buffer const buffer =
        ReadBufferExtended(run->relation, MAIN_FORKNUM, block, RBM_NORMAL, run->strategy);
    LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    GenericXLogState* const state = GenericXLogStart(run->relation);
    Page const page = GenericXLogRegisterBuffer(state, buffer, 0);
    size_t end = begin;
    for (; end < places.count && places.items[end] >> 16 == block; ++end) {
      ItemId const item = PageGetItemId(page, static_cast<OffsetNumber>(places.items[end]));
      if (ItemIdIsDead(item)) {
        ItemIdSetUnused(item);
      }
    }
    PageTruncateLinePointerArray(page);
    WAL_RECORD("places_freed", GenericXLogFinish(state));
    NoteFreeSpace(run, buffer);
    UnlockReleaseBuffer(buffer);
    begin = end;
  }
}

}  // namespace orochi::pg::vacuum
