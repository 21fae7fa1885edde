#include "pg/am/columnar/vacuum_stubs.h"

#include "pg/am/columnar/stub_chain.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/injection.h"

extern "C" {
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "storage/freespace.h"
#include "utils/rel.h"
}

namespace orochi::pg::vacuum {
namespace {

using stub_page::kSegmentRows;

// From as many rows on that are gone, a bit each takes less than their numbers.
constexpr int kGoneRowsMax = 64;

uint64_t SegmentCount(const Run& run) {
  return (run.settled_row_count + kSegmentRows - 1) / kSegmentRows;
}

// The chain's pages, first to last. Only VACUUM takes pages out; new ones come in front.
PlainArray<BlockNumber> PagesOfChain(Relation relation, uint64_t segment) {
  PlainArray<BlockNumber> blocks{};
  Buffer buffer = stub_chain::FirstPage(relation, segment);
  while (buffer != InvalidBuffer) {
    blocks.Add(BufferGetBlockNumber(buffer));
    buffer = stub_chain::NextPage(relation, buffer);
  }
  return blocks;
}

HeapTupleData StubAt(Relation relation, Page page, BlockNumber block, OffsetNumber offset) {
  ItemId const item = PageGetItemId(page, offset);
  HeapTupleData tuple;
  tuple.t_tableOid = RelationGetRelid(relation);
  tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
  tuple.t_len = ItemIdGetLength(item);
  ItemPointerSet(&tuple.t_self, block, offset);
  return tuple;
}

void NoteDeadOnPage(Run* run, Buffer buffer) {
  Page const page = BufferGetPage(buffer);
  BlockNumber const block = BufferGetBlockNumber(buffer);
  OffsetNumber const count = stub_page::Count(page, 0);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item)) {
      continue;
    }
    HeapTupleData stub = StubAt(run->relation, page, block, offset);
    if (HeapTupleSatisfiesVacuum(&stub, run->oldest_xmin, buffer) == HEAPTUPLE_DEAD) {
      uint64_t const row_number = stub_page::RowNumberAt(page, item);
      NoteDeadRow(run, row_number);
      if (IsRowPageTid(stub.t_data->t_ctid) &&
          !ItemPointerEquals(&stub.t_data->t_ctid, &stub.t_self)) {
        NoteSuccessor(run, stub.t_data->t_ctid, row_number);
      }
    }
  }
}

// What FoldPage makes of one stub.
enum class Fate : uint8_t { kStay, kGone, kUnneeded };

Fate FateOf(Run* run, Page page, Buffer buffer, OffsetNumber offset) {
  ItemId const item = PageGetItemId(page, offset);
  HeapTupleData stub = StubAt(run->relation, page, BufferGetBlockNumber(buffer), offset);
  switch (HeapTupleSatisfiesVacuum(&stub, run->oldest_xmin, buffer)) {
    case HEAPTUPLE_DEAD:
      return IsDeadRow(run->dead, stub_page::RowNumberAt(page, item)) ? Fate::kGone : Fate::kStay;
    case HEAPTUPLE_LIVE:
      return (stub.t_data->t_infomask & HEAP_XMAX_INVALID) != 0 ? Fate::kUnneeded : Fate::kStay;
    default:
      run->hidden_row_count += 1;
      return Fate::kStay;
  }
}

// Nobody can see the row, nor ever will.
bool IsNobodys(const Run& run, uint64_t row_number) {
  return row_number < run.settled_row_count && StripeOf(run, row_number) == nullptr;
}

// Whether an item of rows that are gone still hides any that somebody would see without it.
bool HidesAny(const Run& run, Page page, OffsetNumber offset) {
  ItemId const item = PageGetItemId(page, offset);
  const uint64_t* const bits = stub_page::GoneBitsAt(page, item);
  if (bits == nullptr) {
    return !IsNobodys(run, stub_page::RowNumberAt(page, item));
  }
  uint64_t const first = TrailerOf(page)->segment * kSegmentRows;
  for (uint64_t row = 0; row < kSegmentRows; ++row) {
    if (((bits[row / 64] >> (row % 64)) & 1) != 0 && !IsNobodys(run, first + row)) {
      return true;
    }
  }
  return false;
}

// Step 1 of Fold for one page.
void FoldPage(Run* run, Buffer buffer) {
  Page const page = BufferGetPage(buffer);
  OffsetNumber const count = stub_page::Count(page, 0);
  bool gone[MaxHeapTuplesPerPage + 1] = {};
  bool drops[MaxHeapTuplesPerPage + 1] = {};
  bool changes = false;
  for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (ItemIdIsNormal(item) && !IsNobodys(*run, stub_page::RowNumberAt(page, item))) {
      Fate const fate = FateOf(run, page, buffer, offset);
      gone[offset] = fate == Fate::kGone;
      drops[offset] = fate == Fate::kUnneeded;
    } else {
      drops[offset] = ItemIdIsNormal(item) || !HidesAny(*run, page, offset);
    }
    changes = changes || gone[offset] || drops[offset];
  }
  if (!changes) {
    return;
  }
  LogConflictOnce(run);
  GenericXLogState* const state = GenericXLogStart(run->relation);
  Page const copy = GenericXLogRegisterBuffer(state, buffer, 0);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
    if (gone[offset]) {
      ItemIdMarkDead(PageGetItemId(copy, offset));
    }
  }
  stub_page::Repack(copy, BufferGetBlockNumber(buffer), drops);
  WAL_RECORD("stubs_folded", GenericXLogFinish(state));
}

// Adds the page's rows that are gone to `gone`. Returns how many of them are single items.
int CollectGone(Page page, SegmentBits* gone) {
  int singles = 0;
  OffsetNumber const count = stub_page::Count(page, 0);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (const uint64_t* const bits = stub_page::GoneBitsAt(page, item); bits != nullptr) {
      for (size_t word = 0; word < kSegmentRows / 64; ++word) {
        gone->words[word] |= bits[word];
      }
    } else if (stub_page::IsGoneRow(item)) {
      uint64_t const row = stub_page::RowNumberAt(page, item) % kSegmentRows;
      gone->words[row / 64] |= uint64_t{1} << (row % 64);
      ++singles;
    }
  }
  return singles;
}

// Writes the bits on the chain's last page, whose readers come there after all others. False when
// it has no room.
bool PutBits(Run* run, BlockNumber block, const SegmentBits& gone) {
  Buffer const buffer = stub_chain::ReadKind(run->relation, block, BUFFER_LOCK_EXCLUSIVE,
                                             PageKind::kStubs, "a page of row stubs");
  GenericXLogState* const state = GenericXLogStart(run->relation);
  Page const page = GenericXLogRegisterBuffer(state, buffer, 0);
  uint64_t* bits = nullptr;
  OffsetNumber const count = stub_page::Count(page, 0);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= count && bits == nullptr; ++offset) {
    bits = stub_page::GoneBitsAt(page, PageGetItemId(page, offset));
  }
  if (bits == nullptr && stub_page::Fits(page, count, stub_page::kGoneBitsItemBytes)) {
    char const empty[stub_page::kGoneBitsItemBytes] = {};
    OffsetNumber const offset = stub_page::PutGone(page, count, empty, sizeof(empty));
    bits = stub_page::GoneBitsAt(page, PageGetItemId(page, offset));
  }
  if (bits != nullptr) {
    std::memcpy(bits, gone.words, sizeof(gone.words));
    WAL_RECORD("gone_bits_written", GenericXLogFinish(state));
  } else {
    GenericXLogAbort(state);
  }
  UnlockReleaseBuffer(buffer);
  return bits != nullptr;
}

// Takes off the page what the bits on the last page say as well.
void DropMerged(Run* run, BlockNumber block, bool is_last) {
  Buffer const buffer = ReadBuffer(run->relation, block);
  if (ConditionalLockBufferForCleanup(buffer)) {
    GenericXLogState* const state = GenericXLogStart(run->relation);
    Page const page = GenericXLogRegisterBuffer(state, buffer, 0);
    bool drops[MaxHeapTuplesPerPage + 1] = {};
    OffsetNumber const count = stub_page::Count(page, 0);
    for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
      ItemId const item = PageGetItemId(page, offset);
      drops[offset] =
          stub_page::IsGoneRow(item) || (!is_last && stub_page::GoneBitsAt(page, item) != nullptr);
    }
    stub_page::Repack(page, block, drops);
    WAL_RECORD("gone_rows_merged", GenericXLogFinish(state));
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  }
  ReleaseBuffer(buffer);
}

// Returns how many went.
uint32_t RemoveEmptyPages(Run* run, uint64_t segment, const PlainArray<BlockNumber>& blocks) {
  uint32_t removed_count = 0;
  for (size_t i = 0; i < blocks.count; ++i) {
    BlockNumber const block = blocks.items[i];
    Buffer const buffer = stub_chain::ReadKind(run->relation, block, BUFFER_LOCK_SHARE,
                                               PageKind::kStubs, "a page of row stubs");
    bool const is_empty = stub_page::Count(BufferGetPage(buffer), 0) == 0;
    UnlockReleaseBuffer(buffer);
    if (is_empty && stub_chain::RemovePage(run->relation, segment, block)) {
      run->free_blocks.Add(block);
      RecordPageWithFreeSpace(run->relation, block, BLCKSZ - SizeOfPageHeaderData);
      ++removed_count;
    }
  }
  return removed_count;
}

// 1. Dead stubs become items of rows that are gone, stubs nobody needs go away.
// 2. What is left on each page is frozen.
// 3. Many rows that are gone become bits on the chain's last page, first there, then off the
//    others: who walks the chain meanwhile finds them at least once.
// 4. Empty pages leave the chain.
void Fold(Run* run, uint64_t segment) {
  PlainArray<BlockNumber> const blocks = PagesOfChain(run->relation, segment);
  if (blocks.count == 0) {
    return;
  }
  SegmentBits gone{.segment = segment, .words = {}};
  int singles = 0;
  auto page_count = static_cast<uint32_t>(blocks.count);
  for (size_t i = 0; i < blocks.count; ++i) {
    vacuum_delay_point();
    Buffer const buffer =
        ReadBufferExtended(run->relation, MAIN_FORKNUM, blocks.items[i], RBM_NORMAL, run->strategy);
    if (ConditionalLockBufferForCleanup(buffer)) {
      FoldPage(run, buffer);
    } else {
      LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    }
    FreezePage(run, buffer);
    NoteIdsLeft(run, buffer);
    singles += CollectGone(BufferGetPage(buffer), &gone);
    UnlockReleaseBuffer(buffer);
  }
  if (singles >= kGoneRowsMax) {
    BlockNumber last = blocks.items[blocks.count - 1];
    if (!PutBits(run, last, gone)) {
      stub_chain::AddLastPage(run->relation, last);
      PlainArray<BlockNumber> const longer = PagesOfChain(run->relation, segment);
      last = longer.items[longer.count - 1];
      ++page_count;
      if (!PutBits(run, last, gone)) {
        elog(ERROR, "a new page of row stubs of columnar table \"%s\" has no room",
             RelationGetRelationName(run->relation));
      }
    }
    for (size_t i = 0; i < blocks.count; ++i) {
      DropMerged(run, blocks.items[i], blocks.items[i] == last);
    }
  }
  page_count -= RemoveEmptyPages(run, segment, blocks);
  if (page_count > 0) {
    run->stub_segments.Add({.gone = gone, .page_count = page_count});
  }
}

}  // namespace

void VisitStubs(Run* run) noexcept {
  for (uint64_t segment = 0; segment < SegmentCount(*run); ++segment) {
    PlainArray<BlockNumber> const blocks = PagesOfChain(run->relation, segment);
    for (size_t i = 0; i < blocks.count; ++i) {
      vacuum_delay_point();
      Buffer const buffer = ReadBufferExtended(run->relation, MAIN_FORKNUM, blocks.items[i],
                                               RBM_NORMAL, run->strategy);
      LockBuffer(buffer, BUFFER_LOCK_SHARE);
      NoteDeadOnPage(run, buffer);
      UnlockReleaseBuffer(buffer);
    }
  }
  std::sort(run->successors.items, run->successors.items + run->successors.count,
            [](const Successor& a, const Successor& b) { return a.place < b.place; });
}

void FoldStubs(Run* run) noexcept {
  for (uint64_t segment = 0; segment < SegmentCount(*run); ++segment) {
    Fold(run, segment);
  }
}

uint64_t GoneRowsOf(const Run& run, const StripeEntry& stripe) noexcept {
  uint64_t count = 0;
  for (size_t i = 0; i < run.stub_segments.count; ++i) {
    const SegmentBits& gone = run.stub_segments.items[i].gone;
    uint64_t const base = gone.segment * kSegmentRows;
    if (base + kSegmentRows <= stripe.first_row_number ||
        base >= stripe.first_row_number + stripe.row_count) {
      continue;
    }
    for (uint64_t word = 0; word < kSegmentRows / 64; ++word) {
      for (uint64_t left = gone.words[word]; left != 0; left &= left - 1) {
        count += stripe.Holds(base + word * 64 + static_cast<uint64_t>(__builtin_ctzll(left)));
      }
    }
  }
  return count;
}

}  // namespace orochi::pg::vacuum
