#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/relscan.h"
#include "access/tableam.h"
#include "commands/vacuum.h"
}

/// The callbacks of the access method, by what they are about. Each is a plain frame that enters
/// C++ through Boundary; tableam.h documents what PostgreSQL expects of them.
namespace orochi::pg::columnar_am {

// table_scan.cc
TableScanDesc ScanBegin(Relation relation, Snapshot snapshot, int key_count, ScanKeyData* keys,
                        ParallelTableScanDesc parallel, uint32 flags);
void ScanEnd(TableScanDesc scan);
void ScanRescan(TableScanDesc scan, ScanKeyData* keys, bool set_params, bool allow_strat,
                bool allow_sync, bool allow_pagemode);
bool ScanGetNextSlot(TableScanDesc scan, ScanDirection direction, TupleTableSlot* slot);
Size ParallelScanEstimate(Relation relation);
Size ParallelScanInitialize(Relation relation, ParallelTableScanDesc parallel);
void ParallelScanReinitialize(Relation relation, ParallelTableScanDesc parallel);
bool ScanBitmapNextBlock(TableScanDesc scan, struct TBMIterateResult* block);
bool ScanBitmapNextTuple(TableScanDesc scan, struct TBMIterateResult* block, TupleTableSlot* slot);
bool ScanSampleNextBlock(TableScanDesc scan, struct SampleScanState* state);
bool ScanSampleNextTuple(TableScanDesc scan, struct SampleScanState* state, TupleTableSlot* slot);
bool ScanAnalyzeNextBlock(TableScanDesc scan, BlockNumber block, BufferAccessStrategy strategy);
bool ScanAnalyzeNextTuple(TableScanDesc scan, TransactionId oldest_xmin, double* live_rows,
                          double* dead_rows, TupleTableSlot* slot);
bool TupleTidValid(TableScanDesc scan, ItemPointer tid);
void TupleGetLatestTid(TableScanDesc scan, ItemPointer tid);

// tuple_access.cc
IndexFetchTableData* IndexFetchBegin(Relation relation);
void IndexFetchReset(IndexFetchTableData* fetch);
void IndexFetchEnd(IndexFetchTableData* fetch);
bool IndexFetchTuple(IndexFetchTableData* fetch, ItemPointer tid, Snapshot snapshot,
                     TupleTableSlot* slot, bool* call_again, bool* all_dead);
TransactionId IndexDeleteTuples(Relation relation, TM_IndexDeleteOp* operation);
bool TupleFetchRowVersion(Relation relation, ItemPointer tid, Snapshot snapshot,
                          TupleTableSlot* slot);
bool TupleSatisfiesSnapshot(Relation relation, TupleTableSlot* slot, Snapshot snapshot);

// tuple_lock.cc
TM_Result TupleLock(Relation relation, ItemPointer tid, Snapshot snapshot, TupleTableSlot* slot,
                    CommandId command_id, LockTupleMode mode, LockWaitPolicy wait_policy,
                    uint8 flags, TM_FailureData* failure);

// tuple_modify.cc
void TupleInsert(Relation relation, TupleTableSlot* slot, CommandId command_id, int options,
                 BulkInsertStateData* bulk);
void MultiInsert(Relation relation, TupleTableSlot** slots, int slot_count, CommandId command_id,
                 int options, BulkInsertStateData* bulk);
void TupleInsertSpeculative(Relation relation, TupleTableSlot* slot, CommandId command_id,
                            int options, BulkInsertStateData* bulk, uint32 token);
void TupleCompleteSpeculative(Relation relation, TupleTableSlot* slot, uint32 token,
                              bool succeeded);
TM_Result TupleDelete(Relation relation, ItemPointer tid, CommandId command_id, Snapshot snapshot,
                      Snapshot crosscheck, bool wait, TM_FailureData* failure,
                      bool changing_partition);
TM_Result TupleUpdate(Relation relation, ItemPointer tid, TupleTableSlot* slot,
                      CommandId command_id, Snapshot snapshot, Snapshot crosscheck, bool wait,
                      TM_FailureData* failure, LockTupleMode* mode, bool* update_indexes);
void FinishBulkInsert(Relation relation, int options);

// storage.cc
void SetNewFilenode(Relation relation, const RelFileNode* node, char persistence,
                    TransactionId* freeze_xid, MultiXactId* min_multi);
void NontransactionalTruncate(Relation relation);
void CopyData(Relation relation, const RelFileNode* node);
void EstimateSize(Relation relation, int32* attribute_widths, BlockNumber* pages, double* tuples,
                  double* all_visible_fraction);
bool NeedsToastTable(Relation relation);
Oid ToastAccessMethod(Relation relation);
/// Deletes the stripe rows of a columnar relation that is being dropped.
void OnDropRelation(Oid relation_id);

// rewrite.cc
void CopyForCluster(Relation from, Relation to, Relation index, bool use_sort,
                    TransactionId oldest_xmin, TransactionId* xid_cutoff, MultiXactId* multi_cutoff,
                    double* row_count, double* vacuumed_count, double* recently_dead_count);

// vacuum.cc
void Vacuum(Relation relation, VacuumParams* params, BufferAccessStrategy strategy);

// index_build.cc
double IndexBuildRangeScan(Relation relation, Relation index, struct IndexInfo* info,
                           bool allow_sync, bool any_visible, bool progress,
                           BlockNumber first_block, BlockNumber block_count,
                           IndexBuildCallback callback, void* callback_state, TableScanDesc scan);
void IndexValidateScan(Relation relation, Relation index, struct IndexInfo* info, Snapshot snapshot,
                       struct ValidateIndexState* state);

}  // namespace orochi::pg::columnar_am
