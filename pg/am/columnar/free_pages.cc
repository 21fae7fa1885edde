#include "pg/am/columnar/free_pages.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/stub_map.h"
#include "pg/am/columnar/stub_chain.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "catalog/storage.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
}

namespace orochi::pg::vacuum {
namespace {

// The last page of stripes that somebody may see, where they are now, and how many stripes were
// left unfinished.
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

// What is on the page, if it is of no stripe that somebody sees.
enum class Content : uint8_t { kNothing, kRows, kStubs };

Content ContentOf(Run* run, BlockNumber block) {
  Buffer const buffer =
      ReadBufferExtended(run->relation, MAIN_FORKNUM, block, RBM_NORMAL, run->strategy);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(buffer);
  Content content = Content::kStubs;
  switch (KindOf(block, page)) {
    case PageKind::kNew:
    case PageKind::kStripe:
      content = Content::kNothing;
      break;
    case PageKind::kRows:
      content = IsFreePage(block, page) ? Content::kNothing : Content::kRows;
      break;
    default:
      break;
  }
  UnlockReleaseBuffer(buffer);
  return content;
}

// The block after the last one in use.
BlockNumber FindEnd(Run* run, BlockNumber stored_end, BlockNumber file_end) {
  BlockNumber end = file_end;
  while (end > stored_end && ContentOf(run, end - 1) == Content::kNothing) {
    CHECK_FOR_INTERRUPTS();
    --end;
  }
  return end;
}

// Empty row pages, from the first in the file on. Some may be in use by now.
struct FreePages {
  Run* run;
  size_t next;

  BlockNumber Take(BlockNumber below) {
    const PlainArray<BlockNumber>& blocks = run->free_blocks;
    for (; next < blocks.count && blocks.items[next] < below; ++next) {
      Buffer const buffer = ReadBuffer(run->relation, blocks.items[next]);
      LockBuffer(buffer, BUFFER_LOCK_SHARE);
      bool const is_free = IsFreePage(blocks.items[next], BufferGetPage(buffer));
      UnlockReleaseBuffer(buffer);
      if (is_free) {
        return blocks.items[next++];
      }
    }
    return InvalidBlockNumber;
  }
};

// The same after stubs at the end went to free pages before them. Nobody else uses the relation.
BlockNumber PackEnd(Run* run, BlockNumber stored_end, BlockNumber file_end) {
  std::sort(run->free_blocks.items, run->free_blocks.items + run->free_blocks.count);
  FreePages pages{.run = run, .next = 0};
  for (BlockNumber end = file_end;;) {
    CHECK_FOR_INTERRUPTS();
    end = FindEnd(run, stored_end, end);
    if (end == stored_end || ContentOf(run, end - 1) != Content::kStubs) {
      return end;
    }
    BlockNumber const to = pages.Take(end - 1);
    if (to == InvalidBlockNumber) {
      return end;
    }
    INJECTION_POINT_PLAIN("columnar_stubs_relocation_begun");
    if (!stub_chain::RelocatePage(run->relation, end - 1, to, true)) {
      return end;
    }
    INJECTION_POINT_PLAIN("columnar_stubs_relocated");
    RecordPageWithFreeSpace(run->relation, to, 0);
  }
}

// Whether a look at the file under the lock may make it shorter.
bool MayEndBefore(Run* run, BlockNumber stored_end, BlockNumber file_end) {
  BlockNumber const end = FindEnd(run, stored_end, file_end);
  return end < file_end ||
         (end > stored_end && ContentOf(run, end - 1) == Content::kStubs &&
          std::any_of(run->free_blocks.items, run->free_blocks.items + run->free_blocks.count,
                      [&](BlockNumber block) { return block < end - 1; }));
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
  bool const has_tail = MayEndBefore(run, stored.end_block, file_end);
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
  BlockNumber const end = PackEnd(run, now.end_block, end_now);
  if (end < end_now) {
    uint64_t const end_offset_bytes = uint64_t{end - 1} * kPagePayloadBytes;
    if (ReadMetapage(relation).next_offset_bytes > end_offset_bytes) {
      SetEndOffset(relation, end_offset_bytes);
    }
    INJECTION_POINT_PLAIN("columnar_before_truncation");
    stub_map::ForgetKnown();
    WAL_RECORD("tail_cut", RelationTruncate(relation, end));
    INJECTION_POINT_PLAIN("columnar_truncated");
  }
  if (stored.unfinished_count > 0) {
    Boundary([&]() -> Status {
      stripe_catalog::DeleteUnfinished(run->storage_id);
      return Status::Ok();
    });
  }
}

}  // namespace orochi::pg::vacuum
