#include "pg/am/columnar/row_stub.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/stub_chain.h"
#include "pg/am/columnar/stub_map.h"
#include "pg/bridge.h"

extern "C" {
#include "catalog/catalog.h"
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/heapam_xlog.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xloginsert.h"
#include "catalog/pg_class.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
}

namespace orochi::pg::row_stub {
namespace {

bool KeepsAll(Relation relation) {
  return relation->rd_rel->relreplident == REPLICA_IDENTITY_FULL &&
         RelationIsLogicallyLogged(relation);
}

// The columns whose old values heap compares or logs when the row changes. Not to be changed.
Bitmapset* ColumnsKept(Relation relation) {
  if (KeepsAll(relation)) {
    return bms_add_range(nullptr, 1 - FirstLowInvalidHeapAttributeNumber,
                         RelationGetDescr(relation)->natts - FirstLowInvalidHeapAttributeNumber);
  }
  bms_free(RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_KEY));  // fills the cached sets
  if (bms_is_empty(relation->rd_idattr)) {
    return relation->rd_keyattr;
  }
  return bms_union(relation->rd_keyattr, relation->rd_idattr);
}

// A frozen heap tuple with the row's number behind it.
HeapTuple FormStub(Relation relation, uint64_t row_number, TupleTableSlot* row) {
  TupleDesc const descriptor = RelationGetDescr(relation);
  Bitmapset* const kept = ColumnsKept(relation);
  auto const count = static_cast<size_t>(descriptor->natts);
  auto* const values = static_cast<Datum*>(palloc0(count * sizeof(Datum)));
  auto* const nulls = static_cast<bool*>(palloc(count * sizeof(bool)));
  std::memset(nulls, 1, count * sizeof(bool));
  int member = -1;
  while ((member = bms_next_member(kept, member)) >= 0) {
    int const attribute = member + FirstLowInvalidHeapAttributeNumber;
    if (attribute > 0 && !TupleDescAttr(descriptor, attribute - 1)->attisdropped) {
      values[attribute - 1] = slot_getattr(row, attribute, &nulls[attribute - 1]);
    }
  }
  HeapTuple const formed = heap_form_tuple(descriptor, values, nulls);
  Size const data_bytes = MAXALIGN(formed->t_len);
  Size const length = data_bytes + sizeof(row_number);
  if (length > BLCKSZ - SizeOfPageHeaderData - stub_chain::kTrailerBytes - sizeof(ItemIdData)) {
    ereport(
        ERROR,
        (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
         errmsg("row of columnar table \"%s\" cannot be changed: its key columns take %zu bytes",
                RelationGetRelationName(relation), static_cast<size_t>(formed->t_len)),
         errdetail("Key and replica identity columns must fit a page.")));
  }
  auto* const stub = static_cast<HeapTuple>(palloc0(HEAPTUPLESIZE + length));
  stub->t_len = static_cast<uint32>(length);
  stub->t_data = reinterpret_cast<HeapTupleHeader>(reinterpret_cast<char*>(stub) + HEAPTUPLESIZE);
  std::memcpy(stub->t_data, formed->t_data, formed->t_len);
  std::memcpy(reinterpret_cast<char*>(stub->t_data) + data_bytes, &row_number, sizeof(row_number));
  stub->t_tableOid = RelationGetRelid(relation);
  stub->t_data->t_infomask &= ~HEAP_XACT_MASK;
  stub->t_data->t_infomask2 &= ~HEAP2_XACT_MASK;
  stub->t_data->t_infomask |= HEAP_XMAX_INVALID;
  HeapTupleHeaderSetXmin(stub->t_data, GetCurrentTransactionId());
  HeapTupleHeaderSetXminFrozen(stub->t_data);
  HeapTupleHeaderSetCmin(stub->t_data, FirstCommandId);
  HeapTupleHeaderSetXmax(stub->t_data, InvalidTransactionId);
  return stub;
}

// Puts the stub on the page if it has room, logged as heap logs an insertion.
bool Put(Relation relation, Buffer buffer, HeapTuple stub, OffsetNumber count) {
  Page const page = BufferGetPage(buffer);
  if (!stub_page::Fits(page, count, stub->t_len)) {
    return false;
  }
  auto const offset = static_cast<OffsetNumber>(count + 1);
  ItemPointerSet(&stub->t_self, BufferGetBlockNumber(buffer), offset);
  stub->t_data->t_ctid = stub->t_self;
  START_CRIT_SECTION();
  if (PageAddItem(page, reinterpret_cast<Item>(stub->t_data), stub->t_len, offset, true, true) !=
      offset) {
    elog(PANIC, "could not add a row stub to block %u", BufferGetBlockNumber(buffer));
  }
  MarkBufferDirty(buffer);
  if (RelationNeedsWAL(relation)) {
    xl_heap_insert record{};
    record.offnum = offset;
    xl_heap_header tuple_header{};
    tuple_header.t_infomask2 = stub->t_data->t_infomask2;
    tuple_header.t_infomask = stub->t_data->t_infomask;
    tuple_header.t_hoff = stub->t_data->t_hoff;
    XLogBeginInsert();
    XLogRegisterData(reinterpret_cast<char*>(&record), SizeOfHeapInsert);
    XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
    XLogRegisterBufData(0, reinterpret_cast<char*>(&tuple_header), SizeOfHeapHeader);
    XLogRegisterBufData(0, reinterpret_cast<char*>(stub->t_data) + SizeofHeapTupleHeader,
                        static_cast<int>(stub->t_len - SizeofHeapTupleHeader));
    XLogRecPtr const end = XLogInsert(RM_HEAP_ID, XLOG_HEAP_INSERT);  // PageSetLSN is a macro
    PageSetLSN(page, end);
  }
  END_CRIT_SECTION();
  return true;
}

bool PutGone(Relation relation, Buffer buffer, uint64_t row_number, OffsetNumber count) {
  if (!stub_page::Fits(BufferGetPage(buffer), count, sizeof(row_number))) {
    return false;
  }
  GenericXLogState* const state = GenericXLogStart(relation);
  stub_page::PutGone(GenericXLogRegisterBuffer(state, buffer, 0), count, &row_number,
                     sizeof(row_number));
  GenericXLogFinish(state);
  return true;
}

Outcome OutcomeOf(const stub_map::SegmentMap* map, uint64_t row_number) {
  BlockNumber const block = map->blocks[row_number % kSegmentRows];
  if (block == InvalidBlockNumber) {
    return Outcome::kGone;
  }
  return block == 0 ? Outcome::kNone : Outcome::kStub;
}

// Finds the row's stub and leaves its page pinned and locked for sharing.
Outcome FindLocked(Relation relation, uint64_t row_number, Target* target) {
  target->pin = InvalidBuffer;
  for (;;) {
    stub_map::SegmentMap* const map = stub_map::Fresh(relation, row_number);
    Outcome const outcome = map == nullptr ? Outcome::kNone : OutcomeOf(map, row_number);
    if (outcome != Outcome::kStub) {
      return outcome;
    }
    uint64_t const row = row_number % kSegmentRows;
    Buffer const buffer = ReadBuffer(relation, map->blocks[row]);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    Page const page = BufferGetPage(buffer);
    if (KindOf(map->blocks[row], page) == PageKind::kStubs &&
        stub_page::IsStubOf(page, map->offsets[row], row_number)) {
      ItemPointerSet(&target->tid, map->blocks[row], map->offsets[row]);
      target->pin = buffer;
      return outcome;
    }
    UnlockReleaseBuffer(buffer);
    stub_map::Clear(map);  // VACUUM was there
  }
}

// One try to put a stub on the chain's first page, or to note there that the row is gone.
struct Try {
  Outcome outcome;    // kStub: there is one already, to be found; kNone: see `put`
  bool put;           // else the page had no room
  BlockNumber front;  // the chain's first page
};

Try TryPut(Relation relation, uint64_t row_number, HeapTuple stub, Target* target) {
  uint64_t const segment = row_number / kSegmentRows;
  uint32_t entry = 0;
  // Held while we look and put, so that nobody else makes a stub of the same row.
  Metapage const metapage = ReadMetapage(relation);
  Buffer const leaf =
      stub_chain::FindLeaf(relation, metapage, segment, BUFFER_LOCK_EXCLUSIVE, &entry);
  Try tried{.outcome = Outcome::kNone, .put = false, .front = 0};
  tried.front = leaf == InvalidBuffer ? 0 : stub_chain::EntriesOf(BufferGetPage(leaf))[entry];
  if (tried.front != 0) {
    stub_map::SegmentMap* const map = stub_map::Get(metapage.storage_id, segment);
    stub_map::Refresh(relation, map, tried.front);
    tried.outcome = OutcomeOf(map, row_number);
    if (tried.outcome == Outcome::kNone) {
      Buffer const buffer = stub_chain::ReadKind(relation, tried.front, BUFFER_LOCK_EXCLUSIVE,
                                                 PageKind::kStubs, "a page of row stubs");
      // VACUUM may have packed the page since; the map will find out by its generation.
      OffsetNumber const count = stub_page::Count(BufferGetPage(buffer), 0);
      tried.put = stub == nullptr ? PutGone(relation, buffer, row_number, count)
                                  : Put(relation, buffer, stub, count);
      if (tried.put && stub != nullptr) {
        target->tid = stub->t_self;
        target->pin = buffer;
        LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
      } else {
        UnlockReleaseBuffer(buffer);
      }
    }
  }
  if (leaf != InvalidBuffer) {
    UnlockReleaseBuffer(leaf);
  }
  return tried;
}

struct HiddenSearch {
  HiddenBits rows;
  Relation relation;
  Snapshot snapshot;
};

void Hide(HiddenBits* rows, uint64_t row_number) {
  if (row_number < rows->first_row || row_number - rows->first_row >= rows->row_count) {
    return;
  }
  if (rows->words == nullptr) {
    rows->words = static_cast<uint64_t*>(palloc0((rows->row_count + 63) / 64 * sizeof(uint64_t)));
  }
  uint64_t const i = row_number - rows->first_row;
  uint64_t const bit = uint64_t{1} << (i % 64);
  rows->hidden_count += (rows->words[i / 64] & bit) == 0 ? 1 : 0;
  rows->words[i / 64] |= bit;
}

void HideBits(HiddenBits* rows, uint64_t segment, const uint64_t* bits) {
  for (uint64_t word = 0; word < kSegmentRows / 64; ++word) {
    for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
      Hide(rows, segment * kSegmentRows + word * 64 + static_cast<uint64_t>(__builtin_ctzll(left)));
    }
  }
}

HeapTupleData TupleAt(Relation relation, Buffer buffer, OffsetNumber offset) {
  Page const page = BufferGetPage(buffer);
  ItemId const item = PageGetItemId(page, offset);
  HeapTupleData tuple;
  tuple.t_tableOid = RelationGetRelid(relation);
  tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
  tuple.t_len = ItemIdGetLength(item);
  ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(buffer), offset);
  return tuple;
}

void HideOnPage(HiddenSearch* search, uint64_t segment, Buffer buffer) {
  HiddenBits* const rows = &search->rows;
  Page const page = BufferGetPage(buffer);
  OffsetNumber const count = stub_page::Count(page, 0);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= count; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (!ItemIdHasStorage(item)) {
      continue;
    }
    if (const uint64_t* const bits = stub_page::GoneBitsAt(page, item); bits != nullptr) {
      HideBits(rows, segment, bits);
      continue;
    }
    uint64_t const row_number = stub_page::RowNumberAt(page, item);
    if (row_number < rows->first_row || row_number - rows->first_row >= rows->row_count) {
      continue;
    }
    bool visible = false;
    if (!ItemIdIsDead(item)) {
      HeapTupleData stub = TupleAt(search->relation, buffer, offset);
      visible = HeapTupleSatisfiesVisibility(&stub, search->snapshot, buffer);
      HeapCheckForSerializableConflictOut(visible, search->relation, &stub, buffer,
                                          search->snapshot);
    }
    if (!visible) {
      Hide(rows, row_number);
    }
  }
}

}  // namespace

Outcome Find(Relation relation, uint64_t row_number, Target* target) noexcept {
  Outcome const outcome = FindLocked(relation, row_number, target);
  if (outcome == Outcome::kStub) {
    LockBuffer(target->pin, BUFFER_LOCK_UNLOCK);
  }
  return outcome;
}

bool NeedsRow(Relation relation) noexcept {
  return !bms_is_empty(ColumnsKept(relation));
}

Outcome FindOrMake(Relation relation, uint64_t row_number, TupleTableSlot* row,
                   Target* target) noexcept {
  HeapTuple stub = nullptr;
  for (;;) {
    Outcome const found = Find(relation, row_number, target);
    if (found != Outcome::kNone) {
      return found;
    }
    if (stub == nullptr) {
      stub = FormStub(relation, row_number, row);
    }
    Try const tried = TryPut(relation, row_number, stub, target);
    if (tried.put) {
      pfree(stub);
      return Outcome::kStub;
    }
    if (tried.outcome == Outcome::kNone) {
      stub_chain::AddFirstPage(relation, row_number / kSegmentRows, tried.front);
    }
  }
}

void MakeGone(Relation relation, uint64_t row_number) noexcept {
  for (;;) {
    Try const tried = TryPut(relation, row_number, nullptr, nullptr);
    if (tried.put || tried.outcome == Outcome::kGone) {
      return;
    }
    if (tried.outcome == Outcome::kStub) {
      elog(ERROR, "row %llu of columnar table \"%s\", which nobody else knows, has a stub",
           static_cast<unsigned long long>(row_number), RelationGetRelationName(relation));
    }
    stub_chain::AddFirstPage(relation, row_number / kSegmentRows, tried.front);
  }
}

uint64_t RowNumberOf(HeapTuple stub) noexcept {
  uint64_t number = 0;
  std::memcpy(&number, reinterpret_cast<char*>(stub->t_data) + stub->t_len - sizeof(number),
              sizeof(number));
  return number;
}

bool Any(Relation relation) noexcept {
  return ReadMetapage(relation).stub_directory_levels > 0;
}

bool IsVisible(Relation relation, uint64_t row_number, Snapshot snapshot) noexcept {
  Target target;
  if (snapshot->snapshot_type == SNAPSHOT_ANY) {
    return true;
  }
  Outcome const found = FindLocked(relation, row_number, &target);
  if (found != Outcome::kStub) {
    return found == Outcome::kNone;
  }
  HeapTupleData stub = TupleAt(relation, target.pin, ItemPointerGetOffsetNumber(&target.tid));
  bool const visible = HeapTupleSatisfiesVisibility(&stub, snapshot, target.pin);
  HeapCheckForSerializableConflictOut(visible, relation, &stub, target.pin, snapshot);
  UnlockReleaseBuffer(target.pin);
  return visible;
}

HiddenBits FindHidden(Relation relation, uint64_t first_row, uint64_t row_count,
                      Snapshot snapshot) noexcept {
  HiddenSearch search{
      .rows = {.first_row = first_row, .row_count = row_count, .words = nullptr, .hidden_count = 0},
      .relation = relation,
      .snapshot = snapshot};
  if (row_count == 0 || !Any(relation)) {
    return search.rows;
  }
  uint64_t const end_row = first_row + row_count;
  for (uint64_t segment = first_row / kSegmentRows; segment * kSegmentRows < end_row; ++segment) {
    Buffer buffer = stub_chain::FirstPage(relation, segment);
    while (buffer != InvalidBuffer) {
      HideOnPage(&search, segment, buffer);
      buffer = stub_chain::NextPage(relation, buffer);
    }
  }
  return search.rows;
}

}  // namespace orochi::pg::row_stub
