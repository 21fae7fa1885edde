#include "pg/move/standby_conflict.h"

extern "C" {
#include "access/nbtxlog.h"
#include "access/rmgr.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
}

namespace orochi::pg {
namespace {

// A 32-bit id of the recent past, with the epoch it belongs to.
FullTransactionId WithEpoch(TransactionId xid) {
  FullTransactionId const next = ReadNextFullTransactionId();
  uint32 epoch = EpochFromFullTransactionId(next);
  if (xid > XidFromFullTransactionId(next)) {
    --epoch;
  }
  return FullTransactionIdFromEpochAndXid(epoch, xid);
}

}  // namespace

void LogSnapshotConflict(Relation relation, TransactionId newest_change) noexcept {
  if (!TransactionIdIsNormal(newest_change) || !XLogStandbyInfoActive() ||
      !RelationIsPermanent(relation)) {
    return;
  }
  // The one record that any server replays as a conflict with old snapshots and nothing else: a
  // btree announces with it that a page is reused. An extension has no such record of its own on
  // 15 without a resource manager, which every standby would have to preload.
  xl_btree_reuse_page record = {};
  record.node = relation->rd_node;
  record.block = 0;
  record.latestRemovedFullXid = WithEpoch(newest_change);
  XLogBeginInsert();
  XLogRegisterData(reinterpret_cast<char*>(&record), SizeOfBtreeReusePage);
  XLogInsert(RM_BTREE_ID, XLOG_BTREE_REUSE_PAGE);
}

}  // namespace orochi::pg
