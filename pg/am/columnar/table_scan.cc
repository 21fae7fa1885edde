// Scans of a whole columnar relation: sequential, parallel, bitmap, sampled, for ANALYZE.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/scan_cursor.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "access/tsmapi.h"
#include "nodes/execnodes.h"
#include "nodes/tidbitmap.h"
#include "storage/smgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
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
  // Bitmap: visible rows of the current block, as offsets from its first row.
  uint16_t bitmap_rows[kRowsPerTidBlock];
  uint32_t bitmap_count;
  uint32_t bitmap_next;
  // Bitmap and sample: the current block of tuple ids.
  BlockNumber tid_block;
};

ColumnarScan* Ours(TableScanDesc scan) {
  return reinterpret_cast<ColumnarScan*>(scan);
}

void StoreCurrent(ColumnarScan* scan, TupleTableSlot* slot) {
  StoreRow(slot, &scan->cursor->view(), static_cast<uint32_t>(scan->cursor->row),
           RelationGetRelid(scan->base.rs_rd));
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
  int64_t const next = cursor->row + (forward ? 1 : -1);
  if (next >= 0 && next < cursor->row_count) {
    cursor->row = next;
  } else if (!Boundary([&]() -> Result<bool> { return cursor->Advance(forward); })) {
    ExecClearTuple(slot);
    return false;
  }
  StoreCurrent(Ours(scan), slot);
  return true;
}

Size ParallelScanEstimate(Relation) {
  return sizeof(ColumnarParallelScan);
}

Size ParallelScanInitialize(Relation relation, ParallelTableScanDesc parallel) {
  auto* const shared = reinterpret_cast<ColumnarParallelScan*>(parallel);
  shared->base.phs_relid = RelationGetRelid(relation);
  shared->base.phs_syncscan = false;
  pg_atomic_init_u64(&shared->next_row_group, 0);
  // Workers see no rows that only this backend holds.
  Boundary([&]() -> Status { return WriteOutPending(relation); });
  return sizeof(ColumnarParallelScan);
}

void ParallelScanReinitialize(Relation, ParallelTableScanDesc parallel) {
  pg_atomic_write_u64(&reinterpret_cast<ColumnarParallelScan*>(parallel)->next_row_group, 0);
}

bool ScanBitmapNextBlock(TableScanDesc base, TBMIterateResult* block) {
  ColumnarScan* const scan = Ours(base);
  scan->tid_block = block->blockno;
  scan->bitmap_count = scan->bitmap_next = 0;
  uint64_t const first_row = uint64_t{block->blockno} * kRowsPerTidBlock;
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
  if (scan->bitmap_next == scan->bitmap_count) {
    return false;
  }
  uint64_t const row_number =
      uint64_t{scan->tid_block} * kRowsPerTidBlock + scan->bitmap_rows[scan->bitmap_next++];
  Boundary([&]() -> Result<bool> { return scan->cursor->SeekRowNumber(row_number); });
  StoreCurrent(scan, slot);
  return true;
}

// The sampling methods think in blocks and offsets; ours are those of tuple ids, so that every row
// has the same chance.
bool ScanSampleNextBlock(TableScanDesc base, SampleScanState* state) {
  ColumnarScan* const scan = Ours(base);
  auto const block_count = static_cast<BlockNumber>(
      (scan->cursor->end_row_number() + kRowsPerTidBlock - 1) / kRowsPerTidBlock);
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
  return BlockNumberIsValid(scan->tid_block);
}

bool ScanSampleNextTuple(TableScanDesc base, SampleScanState* state, TupleTableSlot* slot) {
  ColumnarScan* const scan = Ours(base);
  for (;;) {
    OffsetNumber const offset =
        state->tsmroutine->NextSampleTuple(state, scan->tid_block, kRowsPerTidBlock);
    if (!OffsetNumberIsValid(offset)) {
      ExecClearTuple(slot);
      return false;
    }
    uint64_t const row_number = uint64_t{scan->tid_block} * kRowsPerTidBlock + (offset - 1);
    if (Boundary([&]() -> Result<bool> { return scan->cursor->SeekRowNumber(row_number); })) {
      StoreCurrent(scan, slot);
      return true;
    }
    CHECK_FOR_INTERRUPTS();
  }
}

// ANALYZE samples blocks of the file. Rows are spread evenly over them by position, so that any
// sample of blocks is a fair sample of rows and scales to the right total.
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
  return true;
}

bool ScanAnalyzeNextTuple(TableScanDesc base, TransactionId, double* live_rows, double*,
                          TupleTableSlot* slot) {
  ColumnarScan* const scan = Ours(base);
  if (scan->next_ordinal >= scan->end_ordinal) {
    ExecClearTuple(slot);
    return false;
  }
  Boundary([&]() -> Status { return scan->cursor->SeekOrdinal(scan->next_ordinal); });
  ++scan->next_ordinal;
  *live_rows += 1;
  StoreCurrent(scan, slot);
  return true;
}

bool TupleTidValid(TableScanDesc scan, ItemPointer tid) {
  auto const row_number = RowOfTid(*tid);
  return row_number && Ours(scan)->cursor->HoldsRowNumber(*row_number);
}

void TupleGetLatestTid(TableScanDesc, ItemPointer) {}  // rows have one version

}  // namespace orochi::pg::columnar_am
