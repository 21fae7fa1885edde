// The access method `columnar` as PostgreSQL sees it.

#include "pg/am/columnar/handler.h"

#include "pg/am/columnar/bitmap_prefetch.h"
#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/command_merging.h"
#include "pg/am/columnar/row_group_view.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"

PG_FUNCTION_INFO_V1(orochi_columnar_handler);
}

namespace orochi::pg {
namespace {

const TupleTableSlotOps* SlotCallbacks(Relation) {
  return ColumnarSlotOps();
}

TableAmRoutine MakeRoutine() {
  using namespace columnar_am;  // NOLINT: one line per callback below
  TableAmRoutine am{};
  am.type = T_TableAmRoutine;
  am.slot_callbacks = SlotCallbacks;

  am.scan_begin = ScanBegin;
  am.scan_end = ScanEnd;
  am.scan_rescan = ScanRescan;
  am.scan_getnextslot = ScanGetNextSlot;
  am.parallelscan_estimate = ParallelScanEstimate;
  am.parallelscan_initialize = ParallelScanInitialize;
  am.parallelscan_reinitialize = ParallelScanReinitialize;
  am.scan_bitmap_next_block = ScanBitmapNextBlock;
  am.scan_bitmap_next_tuple = ScanBitmapNextTuple;
  am.scan_sample_next_block = ScanSampleNextBlock;
  am.scan_sample_next_tuple = ScanSampleNextTuple;
  am.scan_analyze_next_block = ScanAnalyzeNextBlock;
  am.scan_analyze_next_tuple = ScanAnalyzeNextTuple;

  am.index_fetch_begin = IndexFetchBegin;
  am.index_fetch_reset = IndexFetchReset;
  am.index_fetch_end = IndexFetchEnd;
  am.index_fetch_tuple = IndexFetchTuple;
  am.index_delete_tuples = IndexDeleteTuples;
  am.index_build_range_scan = IndexBuildRangeScan;
  am.index_validate_scan = IndexValidateScan;

  am.tuple_fetch_row_version = TupleFetchRowVersion;
  am.tuple_tid_valid = TupleTidValid;
  am.tuple_get_latest_tid = TupleGetLatestTid;
  am.tuple_satisfies_snapshot = TupleSatisfiesSnapshot;
  am.tuple_lock = TupleLock;

  am.tuple_insert = TupleInsert;
  am.multi_insert = MultiInsert;
  am.tuple_insert_speculative = TupleInsertSpeculative;
  am.tuple_complete_speculative = TupleCompleteSpeculative;
  am.tuple_delete = TupleDelete;
  am.tuple_update = TupleUpdate;
  am.finish_bulk_insert = FinishBulkInsert;

  am.relation_set_new_filenode = SetNewFilenode;
  am.relation_nontransactional_truncate = NontransactionalTruncate;
  am.relation_copy_data = CopyData;
  am.relation_copy_for_cluster = CopyForCluster;
  am.relation_vacuum = Vacuum;
  am.relation_size = table_block_relation_size;
  am.relation_needs_toast_table = NeedsToastTable;
  am.relation_toast_am = ToastAccessMethod;
  am.relation_estimate_size = EstimateSize;
  return am;
}

object_access_hook_type previous_object_access_hook = nullptr;

void OnObjectAccess(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void* arg) {
  if (previous_object_access_hook != nullptr) {
    previous_object_access_hook(access, class_id, object_id, sub_id, arg);
  }
  if (access == OAT_DROP && class_id == RelationRelationId && sub_id == 0) {
    columnar_am::OnDropRelation(object_id);
  }
}

void OnTransactionEnd(XactEvent event, void*) {
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
    columnar_am::ForgetFetchedRows(event == XACT_EVENT_ABORT);
    if (event == XACT_EVENT_ABORT) {
      ForgetShares();
    }
  }
}

void OnSubtransactionEnd(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  if (event == SUBXACT_EVENT_ABORT_SUB) {
    columnar_am::ForgetFetchedRows(true);
  }
}

}  // namespace

const TableAmRoutine* ColumnarRoutine() {
  static const TableAmRoutine routine = MakeRoutine();
  return &routine;
}

void RegisterColumnar() {
  RegisterWriteBuffer();
  RegisterBitmapPrefetch();
  RegisterCommandMerging();
  RegisterXactCallback(OnTransactionEnd, nullptr);
  RegisterSubXactCallback(OnSubtransactionEnd, nullptr);
  previous_object_access_hook = object_access_hook;
  object_access_hook = OnObjectAccess;
}

}  // namespace orochi::pg

Datum orochi_columnar_handler(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  PG_RETURN_POINTER(orochi::pg::ColumnarRoutine());
}
