#include "pg/am/columnar/row_stub.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
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

constexpr Size kTrailerBytes = MAXALIGN(sizeof(PageTrailer));
constexpr uint32_t kEntriesPerDirectoryPage =
    (BLCKSZ - SizeOfPageHeaderData - kTrailerBytes) / sizeof(BlockNumber);
constexpr uint32_t kDirectoryLevelsMax = 4;

BlockNumber* EntriesOf(Page page) {
  return reinterpret_cast<BlockNumber*>(PageGetContents(page));
}

// How many segments one entry of a directory page of this level stands for.
uint64_t SegmentsPerEntry(uint32_t level) {
  uint64_t segments = 1;
  for (; level > 0; --level) {
    segments *= kEntriesPerDirectoryPage;
  }
  return segments;
}

[[noreturn]] void RaiseCorrupt(Relation relation, BlockNumber block, const char* expected) {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                  errmsg("block %u of columnar table \"%s\" is not %s", block,
                         RelationGetRelationName(relation), expected)));
  pg_unreachable();
}

Buffer ReadKind(Relation relation, BlockNumber block, int lock, PageKind kind,
                const char* expected) {
  Buffer const buffer = ReadBuffer(relation, block);
  LockBuffer(buffer, lock);
  if (KindOf(block, BufferGetPage(buffer)) != kind) {
    RaiseCorrupt(relation, block, expected);
  }
  return buffer;
}

// The directory page of level 0 for the segment, locked; InvalidBuffer when it does not exist.
// `entry` is the segment's place on it.
Buffer FindLeaf(Relation relation, uint64_t segment, int lock, uint32_t* entry) {
  Metapage const metapage = ReadMetapage(relation);
  if (metapage.stub_directory_levels == 0 ||
      segment / SegmentsPerEntry(metapage.stub_directory_levels) > 0) {
    return InvalidBuffer;
  }
  BlockNumber block = metapage.stub_directory;
  for (uint32_t level = metapage.stub_directory_levels - 1;; --level) {
    Buffer const buffer = ReadKind(relation, block, level == 0 ? lock : BUFFER_LOCK_SHARE,
                                   PageKind::kDirectory, "a directory of row stubs");
    uint64_t const unit = SegmentsPerEntry(level);
    *entry = static_cast<uint32_t>(segment / unit % kEntriesPerDirectoryPage);
    if (level == 0) {
      return buffer;
    }
    block = EntriesOf(BufferGetPage(buffer))[*entry];
    UnlockReleaseBuffer(buffer);
    if (block == 0) {
      return InvalidBuffer;
    }
  }
}

// The first page of the segment's chain, or 0.
BlockNumber FindChain(Relation relation, uint64_t segment) {
  uint32_t entry = 0;
  Buffer const leaf = FindLeaf(relation, segment, BUFFER_LOCK_SHARE, &entry);
  if (leaf == InvalidBuffer) {
    return 0;
  }
  BlockNumber const block = EntriesOf(BufferGetPage(leaf))[entry];
  UnlockReleaseBuffer(leaf);
  return block;
}

uint64_t NumberBehind(const char* tuple, Size length) {
  uint64_t number = 0;
  std::memcpy(&number, tuple + length - sizeof(number), sizeof(number));
  return number;
}

// A new page at the end of the file, locked, made ready as `kind`.
Buffer AddPage(Relation relation, uint32_t magic) {
  bool const shared = !RELATION_IS_LOCAL(relation);
  if (shared) {
    LockRelationForExtension(relation, ExclusiveLock);
  }
  Buffer const buffer =
      ReadBufferExtended(relation, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, nullptr);
  Page const page = BufferGetPage(buffer);
  PageInit(page, BLCKSZ, sizeof(PageTrailer));
  TrailerOf(page)->magic = magic;
  auto* const header = reinterpret_cast<PageHeader>(page);
  if (magic == kStubPageMagic) {
    // All line pointers from the start: with that many heap sees no free space on a page.
    header->pd_lower += MaxHeapTuplesPerPage * sizeof(ItemIdData);
  } else {
    header->pd_lower += kEntriesPerDirectoryPage * sizeof(BlockNumber);
    header->pd_upper = header->pd_lower;
  }
  MarkBufferDirty(buffer);
  if (shared) {
    UnlockRelationForExtension(relation, ExclusiveLock);
  }
  return buffer;
}

// Adds levels above the directory, or its first page, until it covers the segment.
void GrowDirectory(Relation relation, uint64_t segment) {
  for (;;) {
    Metapage const metapage = ReadMetapage(relation);
    uint32_t const levels = metapage.stub_directory_levels;
    if (levels > 0 && segment / SegmentsPerEntry(levels) == 0) {
      return;
    }
    if (levels == kDirectoryLevelsMax) {
      elog(ERROR, "directory of row stubs of columnar table \"%s\" cannot hold segment %llu",
           RelationGetRelationName(relation), static_cast<unsigned long long>(segment));
    }
    Buffer const buffer = AddPage(relation, kDirectoryPageMagic);
    BlockNumber const block = BufferGetBlockNumber(buffer);
    GenericXLogState* const state = GenericXLogStart(relation);
    Page const page = GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE);
    TrailerOf(page)->level = static_cast<uint16_t>(levels);
    EntriesOf(page)[0] = metapage.stub_directory;
    GenericXLogFinish(state);
    UnlockReleaseBuffer(buffer);
    SetStubDirectory(relation, block, levels + 1);
  }
}

// Makes the directory pages on the way to the segment. Under the lock that serialises it.
void MakeLeaf(Relation relation, uint64_t segment) {
  GrowDirectory(relation, segment);
  Metapage const metapage = ReadMetapage(relation);
  BlockNumber block = metapage.stub_directory;
  for (uint32_t level = metapage.stub_directory_levels - 1; level > 0; --level) {
    auto const entry =
        static_cast<uint32_t>(segment / SegmentsPerEntry(level) % kEntriesPerDirectoryPage);
    Buffer buffer = ReadKind(relation, block, BUFFER_LOCK_SHARE, PageKind::kDirectory,
                             "a directory of row stubs");
    BlockNumber below = EntriesOf(BufferGetPage(buffer))[entry];
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    if (below == 0) {
      Buffer const added = AddPage(relation, kDirectoryPageMagic);
      LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
      GenericXLogState* const state = GenericXLogStart(relation);
      Page const page = GenericXLogRegisterBuffer(state, added, GENERIC_XLOG_FULL_IMAGE);
      TrailerOf(page)->level = static_cast<uint16_t>(level - 1);
      below = BufferGetBlockNumber(added);
      EntriesOf(GenericXLogRegisterBuffer(state, buffer, 0))[entry] = below;
      GenericXLogFinish(state);
      UnlockReleaseBuffer(added);
    }
    ReleaseBuffer(buffer);
    block = below;
  }
}

// Only those who make pages take it: a heavyweight lock, since it is held while the file grows.
class MakingPages {
 public:
  explicit MakingPages(Relation relation) noexcept : relation_(relation) {
    LockPage(relation_, 0, ExclusiveLock);
  }
  void End() noexcept { UnlockPage(relation_, 0, ExclusiveLock); }

 private:
  Relation relation_;
};

uint32_t GenerationOf(Relation relation, BlockNumber front) {
  if (front == 0) {
    return 0;
  }
  Buffer const buffer =
      ReadKind(relation, front, BUFFER_LOCK_SHARE, PageKind::kStubs, "a page of row stubs");
  uint32_t const generation = TrailerOf(BufferGetPage(buffer))->generation;
  UnlockReleaseBuffer(buffer);
  return generation;
}

// Puts a page in front of the segment's chain unless somebody did so since `seen`.
void AddChainPage(Relation relation, uint64_t segment, BlockNumber seen) {
  MakingPages making(relation);
  MakeLeaf(relation, segment);
  if (FindChain(relation, segment) == seen) {
    uint32_t const generation = GenerationOf(relation, seen);
    Buffer const added = AddPage(relation, kStubPageMagic);
    uint32_t entry = 0;
    Buffer const leaf = FindLeaf(relation, segment, BUFFER_LOCK_EXCLUSIVE, &entry);
    GenericXLogState* const state = GenericXLogStart(relation);
    Page const page = GenericXLogRegisterBuffer(state, added, GENERIC_XLOG_FULL_IMAGE);
    TrailerOf(page)->segment = segment;
    TrailerOf(page)->next = seen;
    TrailerOf(page)->generation = generation;
    EntriesOf(GenericXLogRegisterBuffer(state, leaf, 0))[entry] = BufferGetBlockNumber(added);
    GenericXLogFinish(state);
    UnlockReleaseBuffer(leaf);
    UnlockReleaseBuffer(added);
  }
  making.End();
}

// How many stubs the page has; line pointers are used from the first on. The page is locked.
OffsetNumber CountOn(Page page, OffsetNumber at_least) {
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  OffsetNumber count = at_least;
  while (count < last && ItemIdIsUsed(PageGetItemId(page, static_cast<OffsetNumber>(count + 1)))) {
    ++count;
  }
  return count;
}

// What this backend knows of the stubs of one segment. Chains only grow at their front, so that
// little is read to bring it up to date.
struct SegmentMap {
  uint64_t storage_id;
  uint64_t segment;
  BlockNumber leaf;  // directory page; directory pages stay where they are
  uint32_t entry;
  BlockNumber front;  // first page of the chain when last read
  OffsetNumber front_count;
  uint32_t generation;
  uint64_t last_use;
  BlockNumber blocks[kSegmentRows];  // 0: the row has no stub
  OffsetNumber offsets[kSegmentRows];
};

constexpr int kMapsMax = 16;
SegmentMap* maps[kMapsMax];
uint64_t use_count = 0;

void ClearMap(SegmentMap* map, uint64_t storage_id, uint64_t segment) {
  *map = SegmentMap{};
  map->storage_id = storage_id;
  map->segment = segment;
}

SegmentMap* MapOf(uint64_t storage_id, uint64_t segment) {
  int oldest = 0;
  for (int i = 0; i < kMapsMax; ++i) {
    if (maps[i] != nullptr && maps[i]->storage_id == storage_id && maps[i]->segment == segment) {
      maps[i]->last_use = ++use_count;
      return maps[i];
    }
    if (maps[oldest] != nullptr &&
        (maps[i] == nullptr || maps[i]->last_use < maps[oldest]->last_use)) {
      oldest = i;
    }
  }
  if (maps[oldest] == nullptr) {
    maps[oldest] =
        static_cast<SegmentMap*>(MemoryContextAlloc(TopMemoryContext, sizeof(SegmentMap)));
  }
  ClearMap(maps[oldest], storage_id, segment);
  maps[oldest]->last_use = ++use_count;
  return maps[oldest];
}

// Adds the page's stubs from line pointer `after` + 1 on. Returns how many the page has.
OffsetNumber Learn(SegmentMap* map, BlockNumber block, Page page, OffsetNumber after) {
  OffsetNumber const count = CountOn(page, after);
  for (OffsetNumber offset = after + 1; offset <= count; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (ItemIdIsNormal(item)) {
      uint64_t const row =
          NumberBehind(static_cast<char*>(PageGetItem(page, item)), ItemIdGetLength(item)) %
          kSegmentRows;
      map->blocks[row] = block;
      map->offsets[row] = offset;
    }
  }
  return count;
}

// Brings the map up to date with the chain that starts at `front`.
void Refresh(Relation relation, SegmentMap* map, BlockNumber front) {
  BlockNumber const known = map->front;
  OffsetNumber const known_count = map->front_count;
  BlockNumber block = front;
  while (block != 0) {
    Buffer const buffer =
        ReadKind(relation, block, BUFFER_LOCK_SHARE, PageKind::kStubs, "a page of row stubs");
    Page const page = BufferGetPage(buffer);
    uint32_t const generation = TrailerOf(page)->generation;
    if (block == front && known != 0 && generation != map->generation) {
      UnlockReleaseBuffer(buffer);
      BlockNumber const leaf = map->leaf;
      uint32_t const entry = map->entry;
      ClearMap(map, map->storage_id, map->segment);
      map->leaf = leaf;
      map->entry = entry;
      map->last_use = ++use_count;
      Refresh(relation, map, front);
      return;
    }
    OffsetNumber const count = Learn(map, block, page, block == known ? known_count : 0);
    if (block == front) {
      map->front = front;
      map->front_count = count;
      map->generation = generation;
    }
    block = block == known ? 0 : TrailerOf(page)->next;
    UnlockReleaseBuffer(buffer);
  }
}

bool Look(const SegmentMap* map, uint64_t row_number, ItemPointer tid) {
  uint64_t const row = row_number % kSegmentRows;
  if (map->blocks[row] == 0) {
    return false;
  }
  ItemPointerSet(tid, map->blocks[row], map->offsets[row]);
  return true;
}

// The map of the row's segment, up to date; null when the segment has no stubs.
SegmentMap* FreshMap(Relation relation, uint64_t row_number) {
  Metapage const metapage = ReadMetapage(relation);
  if (metapage.stub_directory_levels == 0) {
    return nullptr;
  }
  SegmentMap* const map = MapOf(metapage.storage_id, row_number / kSegmentRows);
  Buffer leaf = InvalidBuffer;
  if (map->leaf == 0) {
    leaf = FindLeaf(relation, map->segment, BUFFER_LOCK_SHARE, &map->entry);
    if (leaf == InvalidBuffer) {
      return nullptr;
    }
    map->leaf = BufferGetBlockNumber(leaf);
  } else {
    leaf = ReadKind(relation, map->leaf, BUFFER_LOCK_SHARE, PageKind::kDirectory,
                    "a directory of row stubs");
  }
  BlockNumber const front = EntriesOf(BufferGetPage(leaf))[map->entry];
  UnlockReleaseBuffer(leaf);
  if (front == 0) {
    return nullptr;
  }
  Refresh(relation, map, front);
  return map;
}

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
  if (length > BLCKSZ - SizeOfPageHeaderData - kTrailerBytes - sizeof(ItemIdData)) {
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
  auto const* const header = reinterpret_cast<PageHeader>(page);
  if (count == PageGetMaxOffsetNumber(page) ||
      header->pd_lower + MAXALIGN(stub->t_len) > header->pd_upper) {
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

// One try: false when the chain has no room at its front, which `front` then is.
bool TryMake(Relation relation, uint64_t row_number, HeapTuple stub, ItemPointer tid,
             BlockNumber* front) {
  uint64_t const segment = row_number / kSegmentRows;
  uint32_t entry = 0;
  // Held while we look and put, so that nobody else makes a stub of the same row.
  Buffer const leaf = FindLeaf(relation, segment, BUFFER_LOCK_EXCLUSIVE, &entry);
  *front = leaf == InvalidBuffer ? 0 : EntriesOf(BufferGetPage(leaf))[entry];
  bool done = false;
  if (*front != 0) {
    SegmentMap* const map = MapOf(ReadMetapage(relation).storage_id, segment);
    map->leaf = BufferGetBlockNumber(leaf);
    map->entry = entry;
    Refresh(relation, map, *front);
    done = Look(map, row_number, tid);
    if (!done) {
      Buffer const buffer = ReadKind(relation, *front, BUFFER_LOCK_EXCLUSIVE, PageKind::kStubs,
                                     "a page of row stubs");
      done = Put(relation, buffer, stub, map->front_count);
      if (done) {
        *tid = stub->t_self;
        map->front_count = Learn(map, *front, BufferGetPage(buffer), map->front_count);
      }
      UnlockReleaseBuffer(buffer);
    }
  }
  if (leaf != InvalidBuffer) {
    UnlockReleaseBuffer(leaf);
  }
  return done;
}

struct HiddenSearch {
  HiddenBits rows;
  Relation relation;
  Snapshot snapshot;
};

void NoteIfHidden(HeapTuple stub, Buffer buffer, void* state) {
  auto* const search = static_cast<HiddenSearch*>(state);
  bool const visible = HeapTupleSatisfiesVisibility(stub, search->snapshot, buffer);
  HeapCheckForSerializableConflictOut(visible, search->relation, stub, buffer, search->snapshot);
  if (visible) {
    return;
  }
  HiddenBits& rows = search->rows;
  if (rows.words == nullptr) {
    rows.words = static_cast<uint64_t*>(palloc0((rows.row_count + 63) / 64 * sizeof(uint64_t)));
  }
  uint64_t const i = RowNumberOf(stub) - rows.first_row;
  rows.words[i / 64] |= uint64_t{1} << (i % 64);
  ++rows.hidden_count;
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

}  // namespace

bool Find(Relation relation, uint64_t row_number, ItemPointer tid) noexcept {
  const SegmentMap* const map = FreshMap(relation, row_number);
  return map != nullptr && Look(map, row_number, tid);
}

bool NeedsRow(Relation relation) noexcept {
  return !bms_is_empty(ColumnsKept(relation));
}

ItemPointerData FindOrMake(Relation relation, uint64_t row_number, TupleTableSlot* row) noexcept {
  ItemPointerData tid;
  if (Find(relation, row_number, &tid)) {
    return tid;
  }
  HeapTuple const stub = FormStub(relation, row_number, row);
  BlockNumber front = 0;
  while (!TryMake(relation, row_number, stub, &tid, &front)) {
    AddChainPage(relation, row_number / kSegmentRows, front);
  }
  pfree(stub);
  return tid;
}

uint64_t RowNumberOf(HeapTuple stub) noexcept {
  return NumberBehind(reinterpret_cast<char*>(stub->t_data), stub->t_len);
}

bool Any(Relation relation) noexcept {
  return ReadMetapage(relation).stub_directory_levels > 0;
}

bool IsVisible(Relation relation, uint64_t row_number, Snapshot snapshot) noexcept {
  ItemPointerData tid;
  if (snapshot->snapshot_type == SNAPSHOT_ANY || !Find(relation, row_number, &tid)) {
    return true;
  }
  Buffer const buffer = ReadKind(relation, ItemPointerGetBlockNumber(&tid), BUFFER_LOCK_SHARE,
                                 PageKind::kStubs, "a page of row stubs");
  HeapTupleData stub = TupleAt(relation, buffer, ItemPointerGetOffsetNumber(&tid));
  bool const visible = HeapTupleSatisfiesVisibility(&stub, snapshot, buffer);
  HeapCheckForSerializableConflictOut(visible, relation, &stub, buffer, snapshot);
  UnlockReleaseBuffer(buffer);
  return visible;
}

HiddenBits FindHidden(Relation relation, uint64_t first_row, uint64_t row_count,
                      Snapshot snapshot) noexcept {
  HiddenSearch search{
      .rows = {.first_row = first_row, .row_count = row_count, .words = nullptr, .hidden_count = 0},
      .relation = relation,
      .snapshot = snapshot};
  ForEach(relation, first_row, row_count, NoteIfHidden, &search);
  return search.rows;
}

void ForEach(Relation relation, uint64_t first_row, uint64_t row_count,
             void (*visit)(HeapTuple stub, Buffer buffer, void* state), void* state) noexcept {
  uint64_t const end_row = first_row + row_count;
  if (row_count == 0 || !Any(relation)) {
    return;
  }
  for (uint64_t segment = first_row / kSegmentRows; segment * kSegmentRows < end_row; ++segment) {
    BlockNumber block = FindChain(relation, segment);
    while (block != 0) {
      Buffer const buffer =
          ReadKind(relation, block, BUFFER_LOCK_SHARE, PageKind::kStubs, "a page of row stubs");
      OffsetNumber const last = CountOn(BufferGetPage(buffer), 0);
      for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
        if (!ItemIdIsNormal(PageGetItemId(BufferGetPage(buffer), offset))) {
          continue;
        }
        HeapTupleData stub = TupleAt(relation, buffer, offset);
        uint64_t const row_number = RowNumberOf(&stub);
        if (row_number >= first_row && row_number < end_row) {
          visit(&stub, buffer, state);
        }
      }
      block = TrailerOf(BufferGetPage(buffer))->next;
      UnlockReleaseBuffer(buffer);
    }
  }
}

}  // namespace orochi::pg::row_stub
