#include "pg/am/columnar/row_pages.h"

#include "pg/am/columnar/metapage.h"
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
  if (block == InvalidBlockNumber) {
    block = AddPage(relation);
  }
  RelationSetTargetBlock(relation, block);
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

// The blocks of the stripes, ascending.
std::vector<Blocks::Run> RunsOf(const std::vector<StripeEntry>& stripes) {
  std::vector<Blocks::Run> runs;
  runs.reserve(stripes.size());
  for (const StripeEntry& stripe : stripes) {
    auto const first = static_cast<BlockNumber>(1 + stripe.offset_bytes / kPagePayloadBytes);
    auto const pages =
        static_cast<BlockNumber>((stripe.size_bytes + kPagePayloadBytes - 1) / kPagePayloadBytes);
    runs.push_back({.first = first, .end = first + pages});
  }
  std::sort(runs.begin(), runs.end(),
            [](const Blocks::Run& a, const Blocks::Run& b) { return a.first < b.first; });
  return runs;
}

}  // namespace

Blocks::Blocks(Relation relation, const std::vector<StripeEntry>& stripes) {
  BlockNumber const end =
      TryPg([&]() noexcept -> BlockNumber { return RelationGetNumberOfBlocks(relation); });
  BlockNumber next = 1;
  auto const add = [&](BlockNumber until) {
    if (next < until) {
      runs_.push_back({.first = next, .end = until});
      starts_.push_back(count_);
      count_ += until - next;
    }
  };
  for (const Run& run : RunsOf(stripes)) {
    add(std::min(run.first, end));
    next = std::max(next, run.end);
  }
  add(end);
}

void Blocks::Skip(const std::vector<StripeEntry>& stripes) {
  skipped_ = RunsOf(stripes);
}

BlockNumber Blocks::At(uint64_t index) const {
  if (index >= count_) {
    return InvalidBlockNumber;
  }
  auto const run = static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), index) -
                                       starts_.begin() - 1);
  auto const block = runs_[run].first + static_cast<BlockNumber>(index - starts_[run]);
  auto const after =
      std::upper_bound(skipped_.begin(), skipped_.end(), block,
                       [](BlockNumber number, const Run& other) { return number < other.first; });
  bool const is_skipped = after != skipped_.begin() && block < std::prev(after)->end;
  return is_skipped ? InvalidBlockNumber : block;
}

}  // namespace orochi::pg::row_pages
