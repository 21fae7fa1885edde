#include "pg/am/columnar/row_pages.h"

#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/bridge.h"

extern "C" {
#include "access/heapam.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "utils/rel.h"
}

namespace orochi::pg::row_pages {
namespace {

// What a page must have free to be worth trying: heap asks again with the tuple's true size.
constexpr Size kWantedBytes = 256;

// A zeroed page of our own at the end of the file. Heap makes it a heap page with its first tuple.
BlockNumber AddPage(Relation relation) {
  bool const shared = !RELATION_IS_LOCAL(relation);
  if (shared) {
    LockRelationForExtension(relation, ExclusiveLock);
  }
  Buffer const buffer =
      ReadBufferExtended(relation, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, nullptr);
  BlockNumber const block = BufferGetBlockNumber(buffer);
  UnlockReleaseBuffer(buffer);
  if (shared) {
    UnlockRelationForExtension(relation, ExclusiveLock);
  }
  if (block >= kFirstStripeTidBlock) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("columnar table \"%s\" cannot have row pages beyond block %u",
                           RelationGetRelationName(relation), kFirstStripeTidBlock),
                    errhint("VACUUM FULL or CLUSTER the table.")));
  }
  return block;
}

bool HoldsTuple(Page page, ItemId item) noexcept {
  uint32_t const start = ItemIdGetOffset(item);
  uint32_t const size_bytes = ItemIdGetLength(item);
  if (start < SizeOfPageHeaderData || start != MAXALIGN(start) || start + size_bytes > BLCKSZ ||
      size_bytes < SizeofHeapTupleHeader) {
    return false;
  }
  auto const* const tuple = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
  bool const has_nulls = (tuple->t_infomask & HEAP_HASNULL) != 0;
  uint32_t const bitmap_bytes = has_nulls ? BITMAPLEN(HeapTupleHeaderGetNatts(tuple)) : 0;
  return tuple->t_hoff <= size_bytes && tuple->t_hoff == MAXALIGN(tuple->t_hoff) &&
         tuple->t_hoff >= SizeofHeapTupleHeader + bitmap_bytes;
}

}  // namespace

OffsetNumber CheckItems(Relation relation, BlockNumber block, Page page) noexcept {
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  if (last > MaxHeapTuplesPerPage) {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("columnar table \"%s\", block %u: %d items, at most %d expected",
                           RelationGetRelationName(relation), block, static_cast<int>(last),
                           static_cast<int>(MaxHeapTuplesPerPage))));
  }
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (ItemIdIsNormal(item) && !HoldsTuple(page, item)) {
      ereport(ERROR,
              (errcode(ERRCODE_DATA_CORRUPTED),
               errmsg("columnar table \"%s\", block %u, item %d: a tuple on the page expected, "
                      "found one of %u bytes at %u",
                      RelationGetRelationName(relation), block, static_cast<int>(offset),
                      ItemIdGetLength(item), ItemIdGetOffset(item))));
    }
  }
  return last;
}

void PrepareTarget(Relation relation) noexcept {
  // With a target heap tries it, then the free space map, which has row pages only, then extends.
  // Without one it would try the file's last page, whatever that is.
  if (RelationGetTargetBlock(relation) != InvalidBlockNumber) {
    return;
  }
  BlockNumber block = GetPageWithFreeSpace(relation, kWantedBytes);
  // The map is not logged: after an operating system crash it may name pages the file never got.
  // Servers before 15.7 do not look themselves.
  while (block != InvalidBlockNumber && block >= RelationGetNumberOfBlocks(relation)) {
    block = RecordAndGetPageWithFreeSpace(relation, block, 0, kWantedBytes);
  }
  if (block == InvalidBlockNumber) {
    block = AddPage(relation);
  }
  RelationSetTargetBlock(relation, block);
}

Buffer Pin(Relation relation, BlockNumber block) noexcept {
  if (block >= RelationGetNumberOfBlocks(relation)) {
    return InvalidBuffer;
  }
  Buffer const buffer = ReadBuffer(relation, block);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  bool const is_ours = KindOf(block, BufferGetPage(buffer)) == PageKind::kRows;
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  if (!is_ours) {
    ReleaseBuffer(buffer);
    return InvalidBuffer;
  }
  return buffer;
}

void RowPage::Copy(Relation relation, BlockNumber block, char* page) {
  std::memcpy(copy_.data, page, BLCKSZ);
  block_ = block;
  relation_id_ = RelationGetRelid(relation);
}

bool RowPage::Load(Relation relation, BlockNumber block, Snapshot snapshot) noexcept {
  count_ = 0;
  Buffer const buffer = ReadBuffer(relation, block);
  char* const page = static_cast<char*>(BufferGetPage(buffer));
  // Stub pages are not laid out for it. A page never gets or loses a special space.
  if (PageGetSpecialSize(page) == 0 &&
      TransactionIdIsValid(reinterpret_cast<PageHeader>(page)->pd_prune_xid)) {
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    if (KindOf(block, page) == PageKind::kRows) {
      CheckItems(relation, block, page);
    }
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    heap_page_prune_opt(relation, buffer);
  }
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  bool const is_ours = KindOf(block, page) == PageKind::kRows;
  if (is_ours) {
    OffsetNumber const last = CheckItems(relation, block, page);
    for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
      ItemId const item = PageGetItemId(page, offset);
      if (!ItemIdIsNormal(item)) {
        continue;
      }
      HeapTupleData tuple;
      tuple.t_tableOid = RelationGetRelid(relation);
      tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
      tuple.t_len = ItemIdGetLength(item);
      ItemPointerSet(&tuple.t_self, block, offset);
      bool const visible = HeapTupleSatisfiesVisibility(&tuple, snapshot, buffer);
      HeapCheckForSerializableConflictOut(visible, relation, &tuple, buffer, snapshot);
      if (visible) {
        offsets_[count_++] = offset;
      }
    }
    if (count_ > 0) {
      Copy(relation, block, page);
    }
  }
  UnlockReleaseBuffer(buffer);
  return is_ours;
}

bool RowPage::LoadAll(Relation relation, BlockNumber block) noexcept {
  count_ = 0;
  Buffer const buffer = ReadBuffer(relation, block);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  char* const page = static_cast<char*>(BufferGetPage(buffer));
  bool const is_ours = KindOf(block, page) == PageKind::kRows;
  if (is_ours) {
    OffsetNumber const last = CheckItems(relation, block, page);
    for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
      if (ItemIdIsNormal(PageGetItemId(page, offset))) {
        offsets_[count_++] = offset;
      }
    }
    Copy(relation, block, page);
  }
  UnlockReleaseBuffer(buffer);
  return is_ours;
}

namespace {

// Ascending, those that touch made one.
void Normalize(std::vector<BlockRun>& runs) {
  std::sort(runs.begin(), runs.end(),
            [](const BlockRun& a, const BlockRun& b) { return a.first < b.first; });
  size_t count = 0;
  for (const BlockRun& run : runs) {
    if (count > 0 && run.first <= runs[count - 1].end) {
      runs[count - 1].end = std::max(runs[count - 1].end, run.end);
    } else {
      runs[count++] = run;
    }
  }
  runs.resize(count);
}

}  // namespace

Blocks::Blocks(Relation relation, const std::vector<StripeEntry>& stripes)
    : end_(TryPg([&]() noexcept -> BlockNumber { return RelationGetNumberOfBlocks(relation); })) {
  Skip(stripes);
}

void Blocks::Skip(const std::vector<StripeEntry>& stripes) {
  skipped_.reserve(skipped_.size() + stripes.size());
  for (const StripeEntry& stripe : stripes) {
    BlockRun const pages = PagesOf(stripe);
    if (pages.first < pages.end) {
      skipped_.push_back(pages);
    }
  }
  Normalize(skipped_);
}

uint64_t Blocks::unknown_count() const {
  uint64_t left = count();
  for (const BlockRun& run : skipped_) {
    BlockNumber const end = std::min(run.end, end_);
    left -= end > run.first ? end - run.first : 0;
  }
  return left;
}

BlockNumber Blocks::At(uint64_t index) const {
  if (index >= count()) {
    return InvalidBlockNumber;
  }
  auto const block = static_cast<BlockNumber>(index + 1);
  auto const after =
      std::upper_bound(skipped_.begin(), skipped_.end(), block,
                       [](BlockNumber number, const BlockRun& run) { return number < run.first; });
  bool const is_skipped = after != skipped_.begin() && block < std::prev(after)->end;
  return is_skipped ? InvalidBlockNumber : block;
}

}  // namespace orochi::pg::row_pages
