#include "pg/am/columnar/stub_chain.h"

#include "pg/am/columnar/metapage.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/generic_xlog.h"
#include "access/htup_details.h"
#include "access/xlog.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
}

namespace orochi::pg::stub_chain {
namespace {

constexpr uint32_t kEntriesPerDirectoryPage =
    (BLCKSZ - SizeOfPageHeaderData - kTrailerBytes) / sizeof(BlockNumber);
constexpr uint32_t kDirectoryLevelsMax = 4;

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

// A new page at the end of the file, locked. A page of a stripe that there is not, as which VACUUM
// frees it, until the record that leads to it makes it something else: should the server crash
// before that, nobody else would ever come here.
Buffer AddPage(Relation relation) {
  bool const shared = !RELATION_IS_LOCAL(relation);
  if (shared) {
    LockRelationForExtension(relation, ExclusiveLock);
  }
  Buffer const buffer =
      ReadBufferExtended(relation, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, nullptr);
  InitStripePage(BufferGetPage(buffer), 0);
  MarkBufferDirty(buffer);
  if (shared) {
    UnlockRelationForExtension(relation, ExclusiveLock);
  }
  return buffer;
}

void InitPage(Page page, uint32_t magic) {
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
}

void InitRoot(Page page, uint32_t level, BlockNumber below) noexcept {
  InitPage(page, kDirectoryPageMagic);
  TrailerOf(page)->level = static_cast<uint16_t>(level);
  EntriesOf(page)[0] = below;
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
    Buffer const buffer = AddPage(relation);
    AddStubDirectoryRoot(relation, buffer, InitRoot);
    UnlockReleaseBuffer(buffer);
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
      Buffer const added = AddPage(relation);
      LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
      GenericXLogState* const state = GenericXLogStart(relation);
      Page const page = GenericXLogRegisterBuffer(state, added, GENERIC_XLOG_FULL_IMAGE);
      InitPage(page, kDirectoryPageMagic);
      TrailerOf(page)->level = static_cast<uint16_t>(level - 1);
      below = BufferGetBlockNumber(added);
      EntriesOf(GenericXLogRegisterBuffer(state, buffer, 0))[entry] = below;
      WAL_RECORD("directory_page_added", GenericXLogFinish(state));
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
    // What backends remember of an earlier chain of the segment must not look like this one.
    return static_cast<uint32_t>(GetXLogInsertRecPtr() / MAXIMUM_ALIGNOF);
  }
  Buffer const buffer =
      ReadKind(relation, front, BUFFER_LOCK_SHARE, PageKind::kStubs, "a page of row stubs");
  uint32_t const generation = TrailerOf(BufferGetPage(buffer))->generation;
  UnlockReleaseBuffer(buffer);
  return generation;
}

BlockNumber FirstBlock(Relation relation, uint64_t segment) {
  uint32_t entry = 0;
  Buffer const leaf =
      FindLeaf(relation, ReadMetapage(relation), segment, BUFFER_LOCK_SHARE, &entry);
  if (leaf == InvalidBuffer) {
    return 0;
  }
  BlockNumber const block = EntriesOf(BufferGetPage(leaf))[entry];
  UnlockReleaseBuffer(leaf);
  return block;
}

// The directory page that names directory page `block`, and where; InvalidBlockNumber without one.
BlockNumber FindAbove(Relation relation, BlockNumber directory, BlockNumber block,
                      uint32_t* entry) {
  Buffer const buffer = ReadKind(relation, directory, BUFFER_LOCK_SHARE, PageKind::kDirectory,
                                 "a directory of row stubs");
  PGAlignedBlock copy;
  std::memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
  UnlockReleaseBuffer(buffer);
  uint16_t const level = TrailerOf(copy.data)->level;
  BlockNumber found = InvalidBlockNumber;
  for (uint32_t i = 0; level > 0 && level < kDirectoryLevelsMax && i < kEntriesPerDirectoryPage &&
                       found == InvalidBlockNumber;
       ++i) {
    BlockNumber const below = EntriesOf(copy.data)[i];
    if (below == block) {
      *entry = i;
      found = directory;
    } else if (below != 0 && level > 1) {
      found = FindAbove(relation, below, block, entry);
    }
  }
  return found;
}

// The page of the chain whose `next` is `block`, locked exclusively. The caller holds the leaf.
Buffer FindBefore(Relation relation, BlockNumber first, BlockNumber block) {
  BlockNumber current = first;
  while (current != 0) {
    Buffer const buffer =
        ReadKind(relation, current, BUFFER_LOCK_EXCLUSIVE, PageKind::kStubs, "a page of row stubs");
    BlockNumber const next = TrailerOf(BufferGetPage(buffer))->next;
    if (next == block) {
      return buffer;
    }
    UnlockReleaseBuffer(buffer);
    current = next;
  }
  return InvalidBuffer;
}

}  // namespace

BlockNumber* EntriesOf(Page page) {
  return reinterpret_cast<BlockNumber*>(PageGetContents(page));
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

Buffer FindLeaf(Relation relation, const Metapage& known, uint64_t segment, int lock,
                uint32_t* entry) {
  Metapage metapage = known;
  for (;;) {
    if (metapage.stub_directory_levels == 0 ||
        segment / SegmentsPerEntry(metapage.stub_directory_levels) > 0) {
      return InvalidBuffer;
    }
    BlockNumber block = metapage.stub_directory;
    bool moved = false;
    for (uint32_t level = metapage.stub_directory_levels - 1; !moved && block != 0; --level) {
      Buffer const buffer = ReadBuffer(relation, block);
      LockBuffer(buffer, level == 0 ? lock : BUFFER_LOCK_SHARE);
      if (KindOf(block, BufferGetPage(buffer)) != PageKind::kDirectory) {
        UnlockReleaseBuffer(buffer);
        metapage = ReadMetapage(relation);
        moved = metapage.stub_directory != block;  // by VACUUM, since we learnt of it
        if (!moved) {
          RaiseCorrupt(relation, block, "a directory of row stubs");
        }
        continue;
      }
      uint64_t const unit = SegmentsPerEntry(level);
      *entry = static_cast<uint32_t>(segment / unit % kEntriesPerDirectoryPage);
      if (level == 0) {
        return buffer;
      }
      block = EntriesOf(BufferGetPage(buffer))[*entry];
      UnlockReleaseBuffer(buffer);
    }
    if (!moved) {
      return InvalidBuffer;
    }
  }
}

Buffer FirstPage(Relation relation, uint64_t segment) {
  uint32_t entry = 0;
  Buffer const leaf =
      FindLeaf(relation, ReadMetapage(relation), segment, BUFFER_LOCK_SHARE, &entry);
  if (leaf == InvalidBuffer) {
    return InvalidBuffer;
  }
  BlockNumber const block = EntriesOf(BufferGetPage(leaf))[entry];
  Buffer const first = block == 0 ? InvalidBuffer
                                  : ReadKind(relation, block, BUFFER_LOCK_SHARE, PageKind::kStubs,
                                             "a page of row stubs");
  UnlockReleaseBuffer(leaf);
  return first;
}

Buffer NextPage(Relation relation, Buffer current) {
  BlockNumber const block = TrailerOf(BufferGetPage(current))->next;
  Buffer const next = block == 0 ? InvalidBuffer
                                 : ReadKind(relation, block, BUFFER_LOCK_SHARE, PageKind::kStubs,
                                            "a page of row stubs");
  UnlockReleaseBuffer(current);
  return next;
}

void AddFirstPage(Relation relation, uint64_t segment, BlockNumber seen) {
  MakingPages making(relation);
  MakeLeaf(relation, segment);
  if (FirstBlock(relation, segment) == seen) {
    uint32_t const generation = GenerationOf(relation, seen);
    Buffer const added = AddPage(relation);
    uint32_t entry = 0;
    Buffer const leaf =
        FindLeaf(relation, ReadMetapage(relation), segment, BUFFER_LOCK_EXCLUSIVE, &entry);
    GenericXLogState* const state = GenericXLogStart(relation);
    Page const page = GenericXLogRegisterBuffer(state, added, GENERIC_XLOG_FULL_IMAGE);
    InitPage(page, kStubPageMagic);
    TrailerOf(page)->segment = segment;
    TrailerOf(page)->next = seen;
    TrailerOf(page)->generation = generation;
    EntriesOf(GenericXLogRegisterBuffer(state, leaf, 0))[entry] = BufferGetBlockNumber(added);
    WAL_RECORD("stub_page_added", GenericXLogFinish(state));
    UnlockReleaseBuffer(leaf);
    UnlockReleaseBuffer(added);
  }
  making.End();
}

void AddLastPage(Relation relation, BlockNumber last) {
  MakingPages making(relation);
  Buffer const added = AddPage(relation);
  Buffer const buffer =
      ReadKind(relation, last, BUFFER_LOCK_EXCLUSIVE, PageKind::kStubs, "a page of row stubs");
  GenericXLogState* const state = GenericXLogStart(relation);
  Page const page = GenericXLogRegisterBuffer(state, added, GENERIC_XLOG_FULL_IMAGE);
  InitPage(page, kStubPageMagic);
  Page const before = GenericXLogRegisterBuffer(state, buffer, 0);
  TrailerOf(page)->segment = TrailerOf(before)->segment;
  TrailerOf(before)->next = BufferGetBlockNumber(added);
  WAL_RECORD("last_stub_page_added", GenericXLogFinish(state));
  UnlockReleaseBuffer(buffer);
  UnlockReleaseBuffer(added);
  making.End();
}

namespace {

// What backends remember of the chain ends.
void CountChange(Relation relation, BlockNumber first) {
  Buffer const buffer =
      ReadKind(relation, first, BUFFER_LOCK_EXCLUSIVE, PageKind::kStubs, "a page of row stubs");
  GenericXLogState* const state = GenericXLogStart(relation);
  ++TrailerOf(GenericXLogRegisterBuffer(state, buffer, 0))->generation;
  WAL_RECORD("chain_counted", GenericXLogFinish(state));
  UnlockReleaseBuffer(buffer);
}

bool RemoveFromChain(Relation relation, uint64_t segment, BlockNumber block) {
  uint32_t entry = 0;
  Buffer const leaf =
      FindLeaf(relation, ReadMetapage(relation), segment, BUFFER_LOCK_EXCLUSIVE, &entry);
  if (leaf == InvalidBuffer) {
    return false;
  }
  BlockNumber const first = EntriesOf(BufferGetPage(leaf))[entry];
  if (first != 0 && first != block) {
    CountChange(relation, first);  // the page may come back as another one of this chain
  }
  Buffer const before = first == block ? InvalidBuffer : FindBefore(relation, first, block);
  Buffer const buffer = ReadBuffer(relation, block);
  bool removed = false;
  if ((first == block || before != InvalidBuffer) && ConditionalLockBufferForCleanup(buffer)) {
    removed = KindOf(block, BufferGetPage(buffer)) == PageKind::kStubs &&
              stub_page::Count(BufferGetPage(buffer), 0) == 0;
    if (removed) {
      BlockNumber const next = TrailerOf(BufferGetPage(buffer))->next;
      uint32_t const generation = TrailerOf(BufferGetPage(buffer))->generation;
      // The next page is the chain's first from now on, and goes on counting.
      Buffer const following = before == InvalidBuffer && next != 0
                                   ? ReadKind(relation, next, BUFFER_LOCK_EXCLUSIVE,
                                              PageKind::kStubs, "a page of row stubs")
                                   : InvalidBuffer;
      GenericXLogState* const state = GenericXLogStart(relation);
      PageInit(GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE), BLCKSZ, 0);
      if (before == InvalidBuffer) {
        EntriesOf(GenericXLogRegisterBuffer(state, leaf, 0))[entry] = next;
      } else {
        TrailerOf(GenericXLogRegisterBuffer(state, before, 0))->next = next;
      }
      if (following != InvalidBuffer) {
        PageTrailer* const trailer = TrailerOf(GenericXLogRegisterBuffer(state, following, 0));
        trailer->generation = std::max(trailer->generation, generation) + 1;
      }
      WAL_RECORD("stub_page_removed", GenericXLogFinish(state));
      if (following != InvalidBuffer) {
        UnlockReleaseBuffer(following);
      }
    }
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  }
  ReleaseBuffer(buffer);
  if (before != InvalidBuffer) {
    UnlockReleaseBuffer(before);
  }
  UnlockReleaseBuffer(leaf);
  return removed;
}

}  // namespace

bool RemovePage(Relation relation, uint64_t segment, BlockNumber block) {
  // Who puts a page in front of the chain has looked which is the first: it must stay so.
  MakingPages making(relation);
  bool const removed = RemoveFromChain(relation, segment, block);
  making.End();
  return removed;
}

namespace {

// The page goes to `to`, and `above`, which is locked, has its `link` lead there. False when
// somebody has one of the two pages pinned, or `to` is not free.
bool Copy(Relation relation, Buffer source, BlockNumber to, Buffer above,
          BlockNumber* (*link)(Page page, uint32_t entry), uint32_t entry) {
  if (!ConditionalLockBufferForCleanup(source)) {
    return false;
  }
  Buffer const target = ReadBuffer(relation, to);
  bool can_copy = ConditionalLockBufferForCleanup(target);
  if (can_copy) {
    can_copy = IsFreePage(to, BufferGetPage(target));
    if (can_copy) {
      GenericXLogState* const state = GenericXLogStart(relation);
      Page const copy = GenericXLogRegisterBuffer(state, target, GENERIC_XLOG_FULL_IMAGE);
      std::memcpy(copy, BufferGetPage(source), BLCKSZ);
      if (TrailerOf(copy)->magic == kStubPageMagic) {
        stub_page::Rebase(copy, BufferGetBlockNumber(source), to);
      }
      PageInit(GenericXLogRegisterBuffer(state, source, GENERIC_XLOG_FULL_IMAGE), BLCKSZ, 0);
      *link(GenericXLogRegisterBuffer(state, above, 0), entry) = to;
      WAL_RECORD("stub_page_moved", GenericXLogFinish(state));
    }
    LockBuffer(target, BUFFER_LOCK_UNLOCK);
  }
  ReleaseBuffer(target);
  LockBuffer(source, BUFFER_LOCK_UNLOCK);
  return can_copy;
}

BlockNumber* EntryLink(Page page, uint32_t entry) {
  return &EntriesOf(page)[entry];
}

BlockNumber* NextLink(Page page, uint32_t) {
  return &TrailerOf(page)->next;
}

// Who walks the chain locks a page before it lets go of the one before it, so nobody is on the way.
bool RelocateStubs(Relation relation, Buffer source, uint64_t segment, BlockNumber to) {
  BlockNumber const block = BufferGetBlockNumber(source);
  uint32_t entry = 0;
  Buffer const leaf =
      FindLeaf(relation, ReadMetapage(relation), segment, BUFFER_LOCK_EXCLUSIVE, &entry);
  if (leaf == InvalidBuffer) {
    return false;
  }
  bool done = false;
  BlockNumber const first = EntriesOf(BufferGetPage(leaf))[entry];
  if (first != 0) {
    CountChange(relation, first);  // before the leaf's lock lets anybody look at the chain
  }
  if (first == block) {
    done = Copy(relation, source, to, leaf, EntryLink, entry);
  } else if (Buffer const before = FindBefore(relation, first, block); before != InvalidBuffer) {
    done = Copy(relation, source, to, before, NextLink, 0);
    UnlockReleaseBuffer(before);
  }
  UnlockReleaseBuffer(leaf);
  return done;
}

bool RelocateLowerDirectory(Relation relation, Buffer source, BlockNumber to) {
  uint32_t entry = 0;
  BlockNumber const above = FindAbove(relation, ReadMetapage(relation).stub_directory,
                                      BufferGetBlockNumber(source), &entry);
  if (above == InvalidBlockNumber) {
    return false;
  }
  Buffer const buffer = ReadKind(relation, above, BUFFER_LOCK_EXCLUSIVE, PageKind::kDirectory,
                                 "a directory of row stubs");
  bool const done = Copy(relation, source, to, buffer, EntryLink, entry);
  UnlockReleaseBuffer(buffer);
  return done;
}

}  // namespace

bool RelocatePage(Relation relation, BlockNumber block, BlockNumber to, bool alone) {
  MakingPages making(relation);
  Buffer const source = ReadBuffer(relation, block);
  LockBuffer(source, BUFFER_LOCK_SHARE);
  PageKind const kind = KindOf(block, BufferGetPage(source));
  uint64_t const segment = kind == PageKind::kStubs ? TrailerOf(BufferGetPage(source))->segment : 0;
  LockBuffer(source, BUFFER_LOCK_UNLOCK);
  bool done = false;
  if (kind == PageKind::kStubs) {
    done = RelocateStubs(relation, source, segment, to);
  } else if (kind == PageKind::kDirectory) {
    if (ReadMetapage(relation).stub_directory == block) {
      done = RelocateStubDirectory(relation, to);
    } else if (alone) {
      done = RelocateLowerDirectory(relation, source, to);
    }
  }
  ReleaseBuffer(source);
  making.End();
  return done;
}

}  // namespace orochi::pg::stub_chain
