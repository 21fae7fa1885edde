#include "pg/am/columnar/vacuum_run.h"

#include "pg/am/columnar/page_kind.h"
#include "pg/move/standby_conflict.h"
#include "pg/injection.h"

extern "C" {
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::vacuum {
namespace {

using stub_page::kSegmentRows;

uint64_t PlaceOf(BlockNumber block, OffsetNumber offset) {
  return uint64_t{block} << 16 | offset;
}

bool HasMemory(const Run& run) {
  size_t const used = run.dead.places.count * sizeof(uint64_t) +
                      run.dead.in_stripes.count * sizeof(SegmentBits) +
                      run.successors.count * sizeof(Successor);
  return used < static_cast<size_t>(maintenance_work_mem) * 1024;
}

HeapTupleData TupleOn(Relation relation, Page page, BlockNumber block, OffsetNumber offset) {
  ItemId const item = PageGetItemId(page, offset);
  HeapTupleData tuple;
  tuple.t_tableOid = RelationGetRelid(relation);
  tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
  tuple.t_len = ItemIdGetLength(item);
  ItemPointerSet(&tuple.t_self, block, offset);
  return tuple;
}

}  // namespace

bool IsPreviousInUse(const StripeEntry& entry, TransactionId oldest_xmin) noexcept {
  uint64_t const next = U64FromFullTransactionId(ReadNextFullTransactionId());
  // Past half of the xid space nobody can be that old, and xids would compare wrongly.
  if (entry.relocated_by == 0 || entry.relocated_by + (uint64_t{1} << 31) < next) {
    return false;
  }
  return !TransactionIdPrecedes(
      XidFromFullTransactionId(FullTransactionIdFromU64(entry.relocated_by)), oldest_xmin);
}

PlainArray<BlockRun> PagesInUse(const PlainArray<StripeEntry>& stripes,
                                TransactionId oldest_xmin) noexcept {
  PlainArray<BlockRun> pages{};
  for (size_t i = 0; i < stripes.count; ++i) {
    StripeEntry entry = stripes.items[i];
    if (entry.being_written()) {
      continue;
    }
    pages.Add(PagesOf(entry));
    if (IsPreviousInUse(entry, oldest_xmin)) {
      entry.offset_bytes = entry.previous_offset_bytes;
      pages.Add(PagesOf(entry));
    }
  }
  std::sort(pages.items, pages.items + pages.count,
            [](const BlockRun& a, const BlockRun& b) { return a.first < b.first; });
  return pages;
}

const StripeEntry* StripeOf(const Run& run, uint64_t row_number) noexcept {
  const StripeEntry* const begin = run.stripes.items;
  const StripeEntry* const end = begin + run.stripes.count;
  const StripeEntry* const after = std::upper_bound(
      begin, end, row_number,
      [](uint64_t number, const StripeEntry& entry) { return number < entry.first_row_number; });
  return after != begin && std::prev(after)->Holds(row_number) ? std::prev(after) : nullptr;
}

bool NoteDeadRow(Run* run, uint64_t row_number) noexcept {
  auto& segments = run->dead.in_stripes;
  uint64_t const segment = row_number / kSegmentRows;
  if (segments.count == 0 || segments.items[segments.count - 1].segment != segment) {
    if (!HasMemory(*run)) {
      return false;
    }
    segments.Add(SegmentBits{.segment = segment, .words = {}});
  }
  uint64_t const bit = row_number % kSegmentRows;
  segments.items[segments.count - 1].words[bit / 64] |= uint64_t{1} << (bit % 64);
  return true;
}

bool NoteDeadPlace(Run* run, BlockNumber block, OffsetNumber offset) noexcept {
  if (!HasMemory(*run)) {
    return false;
  }
  run->dead.places.Add(PlaceOf(block, offset));
  return true;
}

void NoteSuccessor(Run* run, const ItemPointerData& successor, uint64_t row_number) noexcept {
  if (HasMemory(*run)) {
    run->successors.Add({.place = PlaceOf(ItemPointerGetBlockNumberNoCheck(&successor),
                                          ItemPointerGetOffsetNumberNoCheck(&successor)),
                         .row_number = row_number});
  }
}

std::optional<uint64_t> PredecessorOf(const Run& run, BlockNumber block,
                                      OffsetNumber offset) noexcept {
  const Successor* const begin = run.successors.items;
  const Successor* const end = begin + run.successors.count;
  uint64_t const place = PlaceOf(block, offset);
  const Successor* const found = std::lower_bound(
      begin, end, place,
      [](const Successor& successor, uint64_t wanted) { return successor.place < wanted; });
  return found != end && found->place == place ? std::optional<uint64_t>(found->row_number)
                                               : std::nullopt;
}

bool IsDeadRow(const DeadRows& dead, uint64_t row_number) noexcept {
  const SegmentBits* const begin = dead.in_stripes.items;
  const SegmentBits* const end = begin + dead.in_stripes.count;
  uint64_t const segment = row_number / kSegmentRows;
  const SegmentBits* const found = std::lower_bound(
      begin, end, segment,
      [](const SegmentBits& bits, uint64_t number) { return bits.segment < number; });
  uint64_t const bit = row_number % kSegmentRows;
  return found != end && found->segment == segment &&
         ((found->words[bit / 64] >> (bit % 64)) & 1) != 0;
}

bool IsDeadPlace(const DeadRows& dead, BlockNumber block, OffsetNumber offset) noexcept {
  return std::binary_search(dead.places.items, dead.places.items + dead.places.count,
                            PlaceOf(block, offset));
}

void FreezePage(Run* run, Buffer buffer) noexcept {
  Relation const relation = run->relation;
  Page const page = BufferGetPage(buffer);
  BlockNumber const block = BufferGetBlockNumber(buffer);
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  OffsetNumber old[MaxHeapTuplesPerPage];
  int old_count = 0;
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    if (!ItemIdIsNormal(PageGetItemId(page, offset))) {
      continue;
    }
    HeapTupleData tuple = TupleOn(relation, page, block, offset);
    TransactionId unused_xid = run->oldest_xid_left;
    MultiXactId unused_multi = run->oldest_multi_left;
    if (heap_tuple_would_freeze(tuple.t_data, run->freeze_limit, run->multi_limit, &unused_xid,
                                &unused_multi) &&
        HeapTupleSatisfiesVacuum(&tuple, run->oldest_xmin, buffer) != HEAPTUPLE_DEAD) {
      old[old_count++] = offset;
    }
  }
  if (old_count > 0) {
    GenericXLogState* const state = GenericXLogStart(relation);
    Page const copy = GenericXLogRegisterBuffer(state, buffer, 0);
    for (int i = 0; i < old_count; ++i) {
      heap_freeze_tuple(TupleOn(relation, copy, block, old[i]).t_data,
                        relation->rd_rel->relfrozenxid, relation->rd_rel->relminmxid,
                        run->freeze_limit, run->multi_limit);
    }
    WAL_RECORD("page_frozen", GenericXLogFinish(state));
  }
}

void NoteIdsLeft(Run* run, Buffer buffer) noexcept {
  Relation const relation = run->relation;
  Page const page = BufferGetPage(buffer);
  BlockNumber const block = BufferGetBlockNumber(buffer);
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    if (ItemIdIsNormal(PageGetItemId(page, offset))) {
      heap_tuple_would_freeze(TupleOn(relation, page, block, offset).t_data, run->freeze_limit,
                              run->multi_limit, &run->oldest_xid_left, &run->oldest_multi_left);
    }
  }
}

bool IsMovable(HeapTuple tuple, TransactionId oldest_xmin, Buffer buffer) noexcept {
  if (HeapTupleSatisfiesVacuum(tuple, oldest_xmin, buffer) != HEAPTUPLE_LIVE ||
      (tuple->t_data->t_infomask & HEAP_XMAX_INVALID) == 0) {
    return false;
  }
  return HeapTupleHeaderXminFrozen(tuple->t_data) ||
         TransactionIdPrecedes(HeapTupleHeaderGetRawXmin(tuple->t_data), oldest_xmin);
}

void LogConflictOnce(Run* run) noexcept {
  if (!run->logged_conflict) {
    run->logged_conflict = true;
    TransactionId newest = run->oldest_xmin;
    TransactionIdRetreat(newest);
    WAL_RECORD("conflict_logged", LogSnapshotConflict(run->relation, newest));
  }
}

void BecomeOrdinaryTransaction() noexcept {
  LWLockAcquire(ProcArrayLock, LW_EXCLUSIVE);
  MyProc->statusFlags &= static_cast<uint8>(~PROC_IN_VACUUM);
  ProcGlobal->statusFlags[MyProc->pgxactoff] = MyProc->statusFlags;
  LWLockRelease(ProcArrayLock);
}

}  // namespace orochi::pg::vacuum
