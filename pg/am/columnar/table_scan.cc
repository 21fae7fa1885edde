// Scans of a whole columnar relation: sequential, parallel, bitmap, sampled, for ANALYZE.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/row_stub.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/scan_cursor.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tsmapi.h"
#include "nodes/execnodes.h"
#include "nodes/tidbitmap.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg {
namespace columnar_am {
namespace {

struct OwnedCursor {
  std::unique_ptr<ScanCursor> cursor;
};

struct ColumnarScan {
  TableScanDescData base;
  OwnedCursor* owned;
  ScanCursor* cursor;
  // ANALYZE: ordinals of the rows that stand for the current block.
  uint64_t next_ordinal;
  uint64_t end_ordinal;
  BlockNumber analyze_block;  // whose own rows come after those; then invalid
  bool analyzes_page;
  // Bitmap: visible rows of the current block, as offsets from its first row; of a row page, as its
  // offset numbers.
  uint16_t bitmap_rows[MaxHeapTuplesPerPage];
  uint32_t bitmap_count;
  uint32_t bitmap_next;
  // Bitmap and sample: the current block of tuple ids.
  BlockNumber tid_block;
};

ColumnarScan* Ours(TableScanDesc scan) {
  return reinterpret_cast<ColumnarScan*>(scan);
}

}  // namespace

TableScanDesc ScanBegin(Relation relation, Snapshot snapshot, int key_count, ScanKeyData*,
                        ParallelTableScanDesc parallel, uint32 flags) {
  if (key_count > 0) {
    elog(ERROR, "columnar scans take no scan keys");
  }
  RelationIncrementReferenceCount(relation);
  auto* const scan = static_cast<ColumnarScan*>(palloc0(sizeof(ColumnarScan)));
  scan->base.rs_rd = relation;
  scan->base.rs_snapshot = snapshot;
  scan->base.rs_flags = flags;
  scan->base.rs_parallel = parallel;
  scan->tid_block = InvalidBlockNumber;
  Boundary([&]() -> Status {
    scan->owned = NewIn<OwnedCursor>(CurrentMemoryContext);
    // ANALYZE brings no snapshot: what is committed now is what it counts.
    ASSIGN_OR_RETURN(scan->owned->cursor,
                     ScanCursor::Open(relation, snapshot == nullptr ? SnapshotSelf : snapshot,
                                      reinterpret_cast<ColumnarParallelScan*>(parallel)));
    scan->cursor = scan->owned->cursor.get();
    return Status::Ok();
  });
  return &scan->base;
}

void ScanEnd(TableScanDesc scan) {
  Ours(scan)->owned->cursor.reset();
  RelationDecrementReferenceCount(scan->rs_rd);
  if ((scan->rs_flags & SO_TEMP_SNAPSHOT) != 0) {
    UnregisterSnapshot(scan->rs_snapshot);
  }
  pfree(scan);
}

void ScanRescan(TableScanDesc scan, ScanKeyData*, bool, bool, bool, bool) {
  Ours(scan)->cursor->Restart();
  Ours(scan)->tid_block = InvalidBlockNumber;
  Ours(scan)->bitmap_count = Ours(scan)->bitmap_next = 0;
}

bool ScanGetNextSlot(TableScanDesc scan, ScanDirection direction, TupleTableSlot* slot) {
  ScanCursor* const cursor = Ours(scan)->cursor;
  bool const forward = !ScanDirectionIsBackward(direction);
  do {
    int64_t const next = cursor->row + (forward ? 1 : -1);
    if (next >= 0 && next < cursor->row_count) {
      cursor->row = next;
    } else if (!Boundary([&]() -> Result<bool> { return cursor->Advance(forward); })) {
      ExecClearTuple(slot);
      return false;
    }
  } while (cursor->IsHidden(cursor->row));
  cursor->Store(slot);
  return true;
}

Size ParallelScanEstimate(Relation) {
  return sizeof(ColumnarParallelScan);
}

Size ParallelScanInitialize(Relation relation, ParallelTableScanDesc parallel) {
  auto* const shared = reinterpret_cast<ColumnarParallelScan*>(parallel);
  shared->base.phs_relid = RelationGetRelid(relation);
  shared->base.phs_syncscan = false;
  pg_atomic_init_u64(&shared->next_group, 0);
  // Workers see no rows that only this backend holds.
  Boundary([&]() -> Status { return WriteOutPending(relation); });
  return sizeof(ColumnarParallelScan);
}

void ParallelScanReinitialize(Relation, ParallelTableScanDesc parallel) {
  pg_atomic_write_u64(&reinterpret_cast<ColumnarParallelScan*>(parallel)->next_group, 0);
}

// Tuple ids of stripes are looked up row by row; on a row page heap's rules for chains apply: an
// index names the chain's first tuple.
void FindOnRowPage(ColumnarScan* scan, TBMIterateResult* block) {
  Relation const relation = scan->base.rs_rd;
  Snapshot const snapshot = scan->base.rs_snapshot;
  if (block->blockno >= RelationGetNumberOfBlocks(relation)) {
    return;
  }
  Buffer const buffer = ReadBuffer(relation, block->blockno);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(buffer);
  if (KindOf(block->blockno, page) == PageKind::kRows) {
    bool const lossy = block->ntuples < 0;
    int const count = lossy ? PageGetMaxOffsetNumber(page) : block->ntuples;
    for (int i = 0; i < count; ++i) {
      auto const offset = static_cast<OffsetNumber>(lossy ? i + 1 : block->offsets[i]);
      if (lossy && (!ItemIdIsNormal(PageGetItemId(page, offset)) ||
                    HeapTupleHeaderIsHeapOnly(reinterpret_cast<HeapTupleHeader>(
                        PageGetItem(page, PageGetItemId(page, offset)))))) {
        if (!ItemIdIsRedirected(PageGetItemId(page, offset))) {
          continue;
        }
      }
      ItemPointerData tid;
      ItemPointerSet(&tid, block->blockno, offset);
      HeapTupleData tuple;
      if (heap_hot_search_buffer(&tid, relation, buffer, snapshot, &tuple, nullptr, true)) {
        scan->bitmap_rows[scan->bitmap_count++] = ItemPointerGetOffsetNumber(&tid);
      }
    }
  }
  UnlockReleaseBuffer(buffer);
}

bool ScanBitmapNextBlock(TableScanDesc base, TBMIterateResult* block) {
  ColumnarScan* const scan = Ours(base);
  scan->tid_block = block->blockno;
  scan->bitmap_count = scan->bitmap_next = 0;
  if (block->blockno < kFirstStripeTidBlock) {
    FindOnRowPage(scan, block);
    return scan->bitmap_count > 0;
  }
  ItemPointerData first;
  ItemPointerSet(&first, block->blockno, FirstOffsetNumber);
  uint64_t const first_row = *RowOfTid(first);
  auto const consider = [&](uint32_t offset) {
    if (offset >= 1 && offset <= kRowsPerTidBlock &&
        scan->cursor->HoldsRowNumber(first_row + offset - 1)) {
      scan->bitmap_rows[scan->bitmap_count++] = static_cast<uint16_t>(offset - 1);
    }
  };
  if (block->ntuples >= 0) {
    for (int i = 0; i < block->ntuples; ++i) {
      consider(block->offsets[i]);
    }
  } else {  // lossy: the executor rechecks every row
    for (uint32_t offset = 1; offset <= kRowsPerTidBlock; ++offset) {
      consider(offset);
    }
  }
  return scan->bitmap_count > 0;
}

bool ScanBitmapNextTuple(TableScanDesc base, TBMIterateResult*, TupleTableSlot* slot) {
  ColumnarScan* const scan = Ours(base);
  while (scan->bitmap_next < scan->bitmap_count) {
    uint16_t const found = scan->bitmap_rows[scan->bitmap_next++];
    ItemPointerData tid;
    if (scan->tid_block < kFirstStripeTidBlock) {
      ItemPointerSet(&tid, scan->tid_block, found);
      if (FetchVersion(base->rs_rd, &tid, base->rs_snapshot, slot)) {
        return true;
      }
      continue;
    }
    ItemPointerSet(&tid, scan->tid_block, static_cast<OffsetNumber>(found + 1));
    uint64_t const row_number = *RowOfTid(tid);
    if (Boundary([&]() -> Result<bool> { return scan->cursor->SeekRowNumber(row_number); })) {
      scan->cursor->Store(slot);
      return true;
    }
  }
  return false;
}

// The sampling methods think in blocks and offsets. Ours are the blocks of the file that are no
// stripes, as heap has them, then those of the tuple ids of stripes, so that every row has the same
// chance.
bool ScanSampleNextBlock(TableScanDesc base, SampleScanState* state) {
  ColumnarScan* const scan = Ours(base);
  uint64_t const page_count = scan->cursor->reader().row_blocks().count();
  auto const block_count = static_cast<BlockNumber>(
      page_count + (scan->cursor->end_row_number() + kRowsPerTidBlock - 1) / kRowsPerTidBlock);
  if (block_count == 0) {
    return false;
  }
  if (state->tsmroutine->NextSampleBlock != nullptr) {
    scan->tid_block = state->tsmroutine->NextSampleBlock(state, block_count);
  } else {
    scan->tid_block = scan->tid_block == InvalidBlockNumber ? 0 : scan->tid_block + 1;
    if (scan->tid_block >= block_count) {
      scan->tid_block = InvalidBlockNumber;
    }
  }
  if (BlockNumberIsValid(scan->tid_block) && scan->tid_block < page_count) {
    Boundary([&]() -> Status {
      return scan->cursor->EnterBlock(scan->cursor->reader().row_blocks().At(scan->tid_block));
    });
  }
  return BlockNumberIsValid(scan->tid_block);
}

bool ScanSampleNextTuple(TableScanDesc base, SampleScanState* state, TupleTableSlot* slot) {
  ColumnarScan* const scan = Ours(base);
  uint64_t const page_count = scan->cursor->reader().row_blocks().count();
  bool const on_page = scan->tid_block < page_count;
  for (;;) {
    int64_t const row_count = on_page ? scan->cursor->row_count : kRowsPerTidBlock;
    OffsetNumber const offset = state->tsmroutine->NextSampleTuple(
        state, scan->tid_block, static_cast<OffsetNumber>(row_count));
    if (!OffsetNumberIsValid(offset)) {
      ExecClearTuple(slot);
      return false;
    }
    if (on_page) {
      scan->cursor->row = offset - 1;
      scan->cursor->Store(slot);
      return true;
    }
    uint64_t const row_number = (scan->tid_block - page_count) * kRowsPerTidBlock + (offset - 1);
    if (Boundary([&]() -> Result<bool> { return scan->cursor->SeekRowNumber(row_number); })) {
      scan->cursor->Store(slot);
      return true;
    }
    CHECK_FOR_INTERRUPTS();
  }
}

// ANALYZE samples blocks of the file. Rows of stripes are spread evenly over them by position, so
// that any sample of blocks is a fair sample of rows and scales to the right total; a row page adds
// its own.
bool ScanAnalyzeNextBlock(TableScanDesc base, BlockNumber block, BufferAccessStrategy) {
  ColumnarScan* const scan = Ours(base);
  using Wide = unsigned __int128;
  Wide const rows = scan->cursor->reader().row_count();
  Wide const blocks = smgrnblocks(RelationGetSmgr(base->rs_rd), MAIN_FORKNUM);
  if (block >= blocks) {
    return false;
  }
  scan->next_ordinal = static_cast<uint64_t>(rows * block / blocks);
  scan->end_ordinal = static_cast<uint64_t>(rows * (block + Wide{1}) / blocks);
  scan->analyze_block = block;
  return true;
}

bool ScanAnalyzeNextTuple(TableScanDesc base, TransactionId, double* live_rows, double* dead_rows,
                          TupleTableSlot* slot) {
  ColumnarScan* const scan = Ours(base);
  ScanCursor* const cursor = scan->cursor;
  while (scan->next_ordinal < scan->end_ordinal) {
    Boundary([&]() -> Status { return cursor->SeekOrdinal(scan->next_ordinal); });
    ++scan->next_ordinal;
    if (cursor->IsHidden(cursor->row)) {
      *dead_rows += 1;
      continue;
    }
    *live_rows += 1;
    cursor->Store(slot);
    return true;
  }
  if (scan->analyze_block != InvalidBlockNumber) {
    BlockNumber const block = std::exchange(scan->analyze_block, InvalidBlockNumber);
    Boundary([&]() -> Status { return cursor->EnterBlock(block); });
    scan->analyzes_page = true;
  }
  if (scan->analyzes_page && cursor->row + 1 < cursor->row_count) {
    ++cursor->row;
    *live_rows += 1;
    cursor->Store(slot);
    return true;
  }
  scan->analyzes_page = false;
  ExecClearTuple(slot);
  return false;
}

// A row that VACUUM moved since the snapshot is one that a locking cursor of the transaction may be
// on: TupleGetLatestTid says what is wrong with it.
bool TupleTidValid(TableScanDesc scan, ItemPointer tid) {
  if (IsRowPageTid(*tid)) {
    return ItemPointerGetBlockNumber(tid) < RelationGetNumberOfBlocks(scan->rs_rd);
  }
  auto const row_number = RowOfTid(*tid);
  return row_number && (Ours(scan)->cursor->HoldsRowNumber(*row_number) ||
                        IsMovedSince(scan->rs_rd, *row_number, scan->rs_snapshot));
}

}  // namespace columnar_am

ScanCursor* CursorOf(TableScanDesc scan) {
  return columnar_am::Ours(scan)->cursor;
}

}  // namespace orochi::pg
