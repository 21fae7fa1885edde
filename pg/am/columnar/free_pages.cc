#include "pg/am/columnar/free_pages.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/bridge.h"

extern "C" {
#include "catalog/storage.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
}

namespace orochi::pg::vacuum {
namespace {

// The last page that stripes which somebody may see take, and how many stripes were left
// unfinished.
struct Stored {
  BlockNumber end_block;
  uint64_t unfinished_count;
};

Stored FindStored(uint64_t storage_id) {
  return Boundary([&]() -> Result<Stored> {
    Stored stored{.end_block = 1, .unfinished_count = 0};
    for (const StripeEntry& entry : stripe_catalog::ListNotRemovable(storage_id)) {
      if (entry.being_written()) {
        ++stored.unfinished_count;
      } else {
        stored.end_block = std::max(stored.end_block, PagesOf(entry).end);
      }
    }
    return stored;
  });
}

// Whether the page holds nothing. Those of stripes that somebody sees are not asked for.
bool IsFree(Run* run, BlockNumber block) {
  Buffer const buffer =
      ReadBufferExtended(run->relation, MAIN_FORKNUM, block, RBM_NORMAL, run->strategy);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(buffer);
  PageKind const kind = KindOf(block, page);
  bool const is_free = kind == PageKind::kNew || kind == PageKind::kStripe ||
                       (kind == PageKind::kRows && PageGetMaxOffsetNumber(page) == 0);
  UnlockReleaseBuffer(buffer);
  return is_free;
}

// The block after the last one in use.
BlockNumber FindEnd(Run* run, BlockNumber stored_end, BlockNumber file_end) {
  BlockNumber end = file_end;
  while (end > stored_end && IsFree(run, end - 1)) {
    CHECK_FOR_INTERRUPTS();
    --end;
  }
  return end;
}

}  // namespace

void OfferFreePages(Run* run) noexcept {
  PlainArray<BlockNumber>& blocks = run->free_blocks;
  std::sort(blocks.items, blocks.items + blocks.count);
  PlainArray<BlockRun> runs{};
  for (size_t i = 0; i < blocks.count; ++i) {
    if (runs.count > 0 && runs.items[runs.count - 1].end == blocks.items[i]) {
      ++runs.items[runs.count - 1].end;
    } else if (runs.count == 0 || runs.items[runs.count - 1].end < blocks.items[i]) {
      runs.Add({.first = blocks.items[i], .end = blocks.items[i] + 1});
    }
  }
  if (runs.count > 0) {
    LogConflictOnce(run);
    pg::OfferFreePages(run->relation, runs.items, runs.count);
  }
}

void TruncateTail(Run* run) noexcept {
  Relation const relation = run->relation;
  if (run->storage_id == 0) {
    return;
  }
  BlockNumber const file_end = RelationGetNumberOfBlocks(relation);
  Stored const stored = FindStored(run->storage_id);
  bool const has_tail = FindEnd(run, stored.end_block, file_end) < file_end;
  if (!has_tail && stored.unfinished_count == 0) {
    return;
  }
  if (stored.unfinished_count > 0) {
    BecomeOrdinaryTransaction();  // before the lock, which may take a transaction id
  }
  if (!ConditionalLockRelation(relation, AccessExclusiveLock)) {
    return;
  }
  // Nobody writes from here on.
  Stored const now = FindStored(run->storage_id);
  BlockNumber const end_now = RelationGetNumberOfBlocks(relation);
  BlockNumber const end = FindEnd(run, now.end_block, end_now);
  if (end < end_now) {
    uint64_t const end_offset_bytes = uint64_t{end - 1} * kPagePayloadBytes;
    if (ReadMetapage(relation).next_offset_bytes > end_offset_bytes) {
      SetEndOffset(relation, end_offset_bytes);
    }
    RelationTruncate(relation, end);
  }
  if (stored.unfinished_count > 0) {
    Boundary([&]() -> Status {
      stripe_catalog::DeleteUnfinished(run->storage_id);
      return Status::Ok();
    });
  }
}

}  // namespace orochi::pg::vacuum
