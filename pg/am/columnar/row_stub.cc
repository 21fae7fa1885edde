#include "pg/am/columnar/row_stub.h"

#include <algorithm>
#include <functional>

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/moved_row.h"
#include "pg/am/columnar/stub_chain.h"
#include "pg/am/columnar/stub_map.h"
#include "pg/am/columnar/stub_values.h"
#include "pg/bridge.h"
#include "pg/injection.h"

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
#include "utils/syscache.h"
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

// Whether the current transaction added the column: a rollback leaves stubs, which are frozen, but
// another column in its place.
bool IsAddedNow(Relation relation, AttrNumber attribute) {
  HeapTuple const tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(RelationGetRelid(relation)),
                                          Int16GetDatum(attribute));
  if (!HeapTupleIsValid(tuple)) {
    return false;
  }
  bool const now = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
  ReleaseSysCache(tuple);
  return now;
}

// Takes columns out that the current transaction added. Adding one changes the table's own row.
void LeaveAddedNow(Relation relation, Bitmapset* columns) {
  HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(relation)));
  bool const changed = HeapTupleIsValid(tuple) &&
                       TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
  if (HeapTupleIsValid(tuple)) {
    ReleaseSysCache(tuple);
  }
  int member = -1;
  while (changed && (member = bms_next_member(columns, member)) >= 0) {
    int const attribute = member + FirstLowInvalidHeapAttributeNumber;
    if (attribute > 0 && IsAddedNow(relation, static_cast<AttrNumber>(attribute))) {
      bms_del_member(columns, member);
    }
  }
}

// A page of stubs has all its line pointers from the start.
constexpr Size kStubBytesMax =
    MAXALIGN_DOWN(BLCKSZ - SizeOfPageHeaderData - MaxHeapTuplesPerPage * sizeof(ItemIdData) -
                  stub_chain::kTrailerBytes);

// Columns whose old values may be logged.
const Bitmapset* ColumnsLogged(Relation relation, const Bitmapset* kept) {
  return KeepsAll(relation) ? kept : relation->rd_idattr;
}

// A frozen heap tuple with the row's number behind it. Laid out as heap_form_tuple does, in one
// piece. Values that are too wide are replaced in `values`.
HeapTuple FormStub(Relation relation, uint64_t row_number, const Bitmapset* kept, Datum* values,
                   bool* nulls) {
  TupleDesc const descriptor = RelationGetDescr(relation);
  bool const has_nulls = std::any_of(nulls, nulls + descriptor->natts, std::identity());
  Size const header_bytes =
      MAXALIGN(SizeofHeapTupleHeader + (has_nulls ? BITMAPLEN(descriptor->natts) : 0));
  Size const values_bytes_max = kStubBytesMax - sizeof(row_number) - header_bytes;
  Size values_bytes = heap_compute_data_size(descriptor, values, nulls);
  if (values_bytes > values_bytes_max) {
    if (!stub_values::Fit(descriptor, ColumnsLogged(relation, kept), values_bytes_max, values,
                          nulls)) {
      ereport(ERROR,
              (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
               errmsg("row of columnar table \"%s\" cannot be changed: its replica identity takes "
                      "%zu bytes",
                      RelationGetRelationName(relation), static_cast<size_t>(values_bytes)),
               errdetail("At most %zu bytes can be logged of a row in a stripe.",
                         static_cast<size_t>(values_bytes_max)),
               errhint("Choose a unique index as REPLICA IDENTITY.")));
    }
    values_bytes = heap_compute_data_size(descriptor, values, nulls);
  }
  Size const data_bytes = MAXALIGN(header_bytes + values_bytes);
  Size const length = data_bytes + sizeof(row_number);
  auto* const stub = static_cast<HeapTuple>(palloc0(HEAPTUPLESIZE + length));
  stub->t_len = static_cast<uint32>(length);
  stub->t_data = reinterpret_cast<HeapTupleHeader>(reinterpret_cast<char*>(stub) + HEAPTUPLESIZE);
  auto* const bytes = reinterpret_cast<char*>(stub->t_data);
  stub->t_data->t_hoff = static_cast<uint8>(header_bytes);
  HeapTupleHeaderSetNatts(stub->t_data, descriptor->natts);
  heap_fill_tuple(descriptor, values, nulls, bytes + header_bytes, values_bytes,
                  &stub->t_data->t_infomask, has_nulls ? stub->t_data->t_bits : nullptr);
  std::memcpy(bytes + data_bytes, &row_number, sizeof(row_number));
  stub->t_tableOid = RelationGetRelid(relation);
  stub->t_data->t_infomask |= HEAP_XMAX_INVALID;
  HeapTupleHeaderSetXmin(stub->t_data, GetCurrentTransactionId());
  HeapTupleHeaderSetXminFrozen(stub->t_data);
  HeapTupleHeaderSetCmin(stub->t_data, FirstCommandId);
  HeapTupleHeaderSetXmax(stub->t_data, InvalidTransactionId);
  return stub;
}

// What the WAL record of added stubs says, laid out as heap's redo of a multi-row insertion wants
// it. A page's tuples fit a page, headers included, since those are smaller than what a page adds.
class AddedRecord {
 public:
  explicit AddedRecord(size_t count_max)
      : tuples_(data_.data + SizeOfHeapMultiInsert + count_max * sizeof(OffsetNumber)),
        end_(tuples_) {
    record()->flags = 0;
    record()->ntuples = 0;
  }

  void Add(HeapTuple stub) {
    record()->offsets[record()->ntuples++] = ItemPointerGetOffsetNumber(&stub->t_self);
    auto* const header = reinterpret_cast<xl_multi_insert_tuple*>(SHORTALIGN(end_));
    header->datalen = static_cast<uint16>(stub->t_len - SizeofHeapTupleHeader);
    header->t_infomask2 = stub->t_data->t_infomask2;
    header->t_infomask = stub->t_data->t_infomask;
    header->t_hoff = stub->t_data->t_hoff;
    end_ = reinterpret_cast<char*>(header) + SizeOfMultiInsertTuple;
    std::memcpy(end_, reinterpret_cast<char*>(stub->t_data) + SizeofHeapTupleHeader,
                header->datalen);
    end_ += header->datalen;
  }

  void Log(Buffer buffer) {
    XLogBeginInsert();
    XLogRegisterData(data_.data, static_cast<int>(SizeOfHeapMultiInsert +
                                                  record()->ntuples * sizeof(OffsetNumber)));
    XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
    XLogRegisterBufData(0, tuples_, static_cast<int>(end_ - tuples_));
    INJECTION_POINT_PLAIN("stubs_added_before");
    XLogRecPtr const end = XLogInsert(RM_HEAP2_ID, XLOG_HEAP2_MULTI_INSERT);
    PageSetLSN(BufferGetPage(buffer), end);  // a macro
    INJECTION_POINT_PLAIN("stubs_added_after");
  }

 private:
  xl_heap_multi_insert* record() { return reinterpret_cast<xl_heap_multi_insert*>(data_.data); }

  PGAlignedBlock data_;
  char* tuples_;
  char* end_;
};
static_assert(std::is_trivially_destructible_v<AddedRecord>);

// Puts stubs on the page as long as it has room, those of `skips` excepted. Answers how many of
// `count` are done with.
size_t PutStubs(Relation relation, Buffer buffer, const HeapTuple* stubs, const bool* skips,
                size_t count) {
  Page const page = BufferGetPage(buffer);
  // VACUUM may have packed the page since the chain was read; a map finds out by its generation.
  OffsetNumber used = stub_page::Count(page, 0);
  AddedRecord record(std::min<size_t>(count, MaxHeapTuplesPerPage));
  size_t done = 0;
  bool added = false;
  START_CRIT_SECTION();
  for (; done < count; ++done) {
    HeapTuple const stub = stubs[done];
    if (skips[done]) {
      continue;
    }
    if (!stub_page::Fits(page, used, stub->t_len)) {
      break;
    }
    ItemPointerSet(&stub->t_self, BufferGetBlockNumber(buffer), ++used);
    stub->t_data->t_ctid = stub->t_self;
    if (PageAddItem(page, reinterpret_cast<Item>(stub->t_data), stub->t_len, used, true, true) !=
        used) {
      elog(PANIC, "could not add a row stub to block %u", BufferGetBlockNumber(buffer));
    }
    record.Add(stub);
    added = true;
  }
  if (added) {
    MarkBufferDirty(buffer);
    if (RelationNeedsWAL(relation)) {
      record.Log(buffer);
    }
  }
  END_CRIT_SECTION();
  return done;
}

bool PutGone(Relation relation, Buffer buffer, uint64_t row_number, OffsetNumber count) {
  if (!stub_page::Fits(BufferGetPage(buffer), count, sizeof(row_number))) {
    return false;
  }
  GenericXLogState* const state = GenericXLogStart(relation);
  stub_page::PutGone(GenericXLogRegisterBuffer(state, buffer, 0), count, &row_number,
                     sizeof(row_number));
  WAL_RECORD("gone_row_noted", GenericXLogFinish(state));
  return true;
}

Outcome OutcomeOf(const stub_map::SegmentMap* map, uint64_t row_number) {
  BlockNumber const block = map->blocks[row_number % kSegmentRows];
  if (block == InvalidBlockNumber) {
    return Outcome::kGone;
  }
  return block == 0 ? Outcome::kNone : Outcome::kStub;
}

// Stubs of neighbouring rows lie on one page, so the buffer that held the last one mostly holds the
// next: it is pinned without a search, if it still is that page's.
Buffer ReadStubPage(Relation relation, BlockNumber block) {
  static RelFileNode last_node;
  static BlockNumber last_block = InvalidBlockNumber;
  static Buffer last_buffer = InvalidBuffer;
  if (last_block == block && RelFileNodeEquals(last_node, relation->rd_node) &&
      !RelationUsesLocalBuffers(relation) &&
      ReadRecentBuffer(relation->rd_node, MAIN_FORKNUM, block, last_buffer)) {
    return last_buffer;
  }
  last_buffer = ReadBuffer(relation, block);
  last_block = block;
  last_node = relation->rd_node;
  return last_buffer;
}

// Looks whether the row's stub is where the map has it; if so its page is pinned and locked for
// sharing.
bool FindAt(Relation relation, const stub_map::SegmentMap* map, uint64_t row_number,
            Target* target) {
  uint64_t const row = row_number % kSegmentRows;
  Buffer const buffer = ReadStubPage(relation, map->blocks[row]);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(buffer);
  if (KindOf(map->blocks[row], page) == PageKind::kStubs &&
      stub_page::IsStubOf(page, map->offsets[row], row_number)) {
    ItemPointerSet(&target->tid, map->blocks[row], map->offsets[row]);
    target->pin = buffer;
    return true;
  }
  UnlockReleaseBuffer(buffer);
  return false;
}

// Finds the row's stub and leaves its page pinned and locked for sharing.
Outcome FindLocked(Relation relation, uint64_t row_number, Target* target) {
  target->pin = InvalidBuffer;
  const stub_map::SegmentMap* const known = stub_map::Known(relation, row_number);
  if (known != nullptr && OutcomeOf(known, row_number) == Outcome::kStub &&
      FindAt(relation, known, row_number, target)) {
    return Outcome::kStub;
  }
  for (;;) {
    stub_map::SegmentMap* const map = stub_map::Fresh(relation, row_number);
    Outcome const outcome = map == nullptr ? Outcome::kNone : OutcomeOf(map, row_number);
    if (outcome != Outcome::kStub) {
      return outcome;
    }
    if (FindAt(relation, map, row_number, target)) {
      return outcome;
    }
    stub_map::Clear(map);  // VACUUM was there
  }
}

// A segment's chain while stubs are put on its first page. The directory's page is locked, so that
// nobody else makes a stub of the same row.
struct OpenChain {
  Buffer leaf;
  BlockNumber front;             // 0: there is none yet
  stub_map::SegmentMap* places;  // up to date; null when there is no chain
};

OpenChain OpenForChange(Relation relation, uint64_t segment) {
  uint32_t entry = 0;
  OpenChain chain{};
  Metapage const metapage = ReadMetapage(relation);
  chain.leaf = stub_chain::FindLeaf(relation, metapage, segment, BUFFER_LOCK_EXCLUSIVE, &entry);
  if (chain.leaf == InvalidBuffer) {
    return chain;
  }
  chain.front = stub_chain::EntriesOf(BufferGetPage(chain.leaf))[entry];
  if (chain.front != 0) {
    chain.places = stub_map::Get(metapage.storage_id, segment);
    stub_map::Refresh(relation, chain.places, chain.front);
  }
  return chain;
}

void Close(const OpenChain& chain) {
  if (chain.leaf != InvalidBuffer) {
    UnlockReleaseBuffer(chain.leaf);
  }
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

Maker::Maker(Relation relation, size_t count_max) noexcept
    : relation_(relation),
      context_(AllocSetContextCreate(CurrentMemoryContext, "row stubs", ALLOCSET_DEFAULT_SIZES)) {
  MemoryContext const outer = MemoryContextSwitchTo(context_);
  auto const column_count = static_cast<size_t>(RelationGetDescr(relation)->natts);
  kept_ = bms_copy(ColumnsKept(relation));
  LeaveAddedNow(relation, kept_);
  values_ = static_cast<Datum*>(palloc0(column_count * sizeof(Datum)));
  nulls_ = static_cast<bool*>(palloc(column_count * sizeof(bool)));
  std::memset(nulls_, 1, column_count * sizeof(bool));
  stubs_ = static_cast<HeapTuple*>(palloc(count_max * sizeof(HeapTuple)));
  MemoryContextSwitchTo(outer);
}

void Maker::Add(uint64_t row_number, TupleTableSlot* row) noexcept {
  TupleDesc const descriptor = RelationGetDescr(relation_);
  MemoryContext const outer = MemoryContextSwitchTo(context_);
  int member = -1;
  while ((member = bms_next_member(kept_, member)) >= 0) {
    int const attribute = member + FirstLowInvalidHeapAttributeNumber;
    if (attribute > 0 && !TupleDescAttr(descriptor, attribute - 1)->attisdropped) {
      values_[attribute - 1] = slot_getattr(row, attribute, &nulls_[attribute - 1]);
    }
  }
  stubs_[count_++] = FormStub(relation_, row_number, kept_, values_, nulls_);
  MemoryContextSwitchTo(outer);
}

void Maker::Put() noexcept {
  bool* const skips = static_cast<bool*>(MemoryContextAlloc(context_, count_ * sizeof(bool) + 1));
  size_t done = 0;
  while (done < count_) {
    uint64_t const segment = RowNumberOf(stubs_[0]) / kSegmentRows;
    OpenChain const chain = OpenForChange(relation_, segment);
    if (chain.places != nullptr) {
      for (size_t i = done; i < count_; ++i) {
        skips[i] = OutcomeOf(chain.places, RowNumberOf(stubs_[i])) != Outcome::kNone;
      }
      Buffer const buffer = stub_chain::ReadKind(relation_, chain.front, BUFFER_LOCK_EXCLUSIVE,
                                                 PageKind::kStubs, "a page of row stubs");
      done += PutStubs(relation_, buffer, stubs_ + done, skips + done, count_ - done);
      UnlockReleaseBuffer(buffer);
    }
    Close(chain);
    if (done < count_) {
      stub_chain::AddFirstPage(relation_, segment, chain.front);
    }
  }
  MemoryContextDelete(context_);
}

Outcome FindOrMake(Relation relation, uint64_t row_number, TupleTableSlot* row,
                   Target* target) noexcept {
  for (;;) {  // again when VACUUM takes the stub off between making and finding it
    Outcome const found = Find(relation, row_number, target);
    if (found != Outcome::kNone) {
      return found;
    }
    Maker maker(relation, 1);
    maker.Add(row_number, row);
    maker.Put();
  }
}

void MakeGone(Relation relation, uint64_t row_number) noexcept {
  for (bool done = false; !done;) {
    OpenChain const chain = OpenForChange(relation, row_number / kSegmentRows);
    if (chain.places != nullptr) {
      Outcome const found = OutcomeOf(chain.places, row_number);
      if (found == Outcome::kStub) {
        elog(ERROR, "row %llu of columnar table \"%s\", which nobody else knows, has a stub",
             static_cast<unsigned long long>(row_number), RelationGetRelationName(relation));
      }
      Buffer const buffer = stub_chain::ReadKind(relation, chain.front, BUFFER_LOCK_EXCLUSIVE,
                                                 PageKind::kStubs, "a page of row stubs");
      done = found == Outcome::kGone ||
             PutGone(relation, buffer, row_number, stub_page::Count(BufferGetPage(buffer), 0));
      UnlockReleaseBuffer(buffer);
    }
    Close(chain);
    if (!done) {
      stub_chain::AddFirstPage(relation, row_number / kSegmentRows, chain.front);
    }
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
  if (visible) {
    LockTableIfMoved(relation, stub.t_data, snapshot);
  }
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
