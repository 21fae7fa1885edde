// The newest version of a row that a snapshot sees, for WHERE CURRENT OF.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/moved_row.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/tuple_id.h"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

namespace orochi::pg::columnar_am {
namespace {

// One version of a row and where its chain goes.
struct Version {
  bool visible;
  bool newest;
  ItemPointerData next;
  TransactionId updater;  // who made the next one
};

constexpr Version kEnd{
    .visible = false, .newest = true, .next = {}, .updater = InvalidTransactionId};

// The tuple at `tid`, on a pinned page: a version itself or the stub of one. `inserter`, if valid,
// must have inserted it, or the chain ended before it: an undone update may have left the place to
// another row.
Version VersionAt(Relation relation, Buffer buffer, const ItemPointerData& tid,
                  TransactionId inserter, Snapshot snapshot) {
  Version version = kEnd;
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(buffer);
  OffsetNumber const offset = ItemPointerGetOffsetNumberNoCheck(&tid);
  PageKind const kind = KindOf(BufferGetBlockNumber(buffer), static_cast<char*>(page));
  if ((kind == PageKind::kRows || kind == PageKind::kStubs) && offset >= FirstOffsetNumber &&
      offset <= PageGetMaxOffsetNumber(page) && ItemIdIsNormal(PageGetItemId(page, offset))) {
    HeapTupleData tuple;
    tuple.t_self = tid;
    tuple.t_tableOid = RelationGetRelid(relation);
    tuple.t_data =
        reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, offset)));
    tuple.t_len = ItemIdGetLength(PageGetItemId(page, offset));
    HeapTupleHeader const header = tuple.t_data;
    if (!TransactionIdIsValid(inserter) ||
        TransactionIdEquals(inserter, HeapTupleHeaderGetXmin(header))) {
      version.visible = HeapTupleSatisfiesVisibility(&tuple, snapshot, buffer);
      HeapCheckForSerializableConflictOut(version.visible, relation, &tuple, buffer, snapshot);
      if (version.visible) {
        LockTableIfMoved(relation, header, snapshot);
      }
      version.newest = (header->t_infomask & HEAP_XMAX_INVALID) != 0 ||
                       HeapTupleHeaderIsOnlyLocked(header) ||
                       HeapTupleHeaderIndicatesMovedPartitions(header) ||
                       ItemPointerEquals(&tuple.t_self, &header->t_ctid);
      if (!version.newest) {
        version.next = header->t_ctid;
        version.updater = HeapTupleHeaderGetUpdateXid(header);
      }
    }
  }
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  return version;
}

Version Look(Relation relation, const ItemPointerData& tid, TransactionId inserter,
             Snapshot snapshot) {
  if (IsRowPageTid(tid)) {
    if (ItemPointerGetBlockNumber(&tid) >= RelationGetNumberOfBlocks(relation)) {
      return kEnd;
    }
    Buffer const buffer = ReadBuffer(relation, ItemPointerGetBlockNumber(&tid));
    Version const version = VersionAt(relation, buffer, tid, inserter, snapshot);
    ReleaseBuffer(buffer);
    return version;
  }
  auto const row_number = RowOfTid(tid);
  Version version = kEnd;
  if (!row_number || !SeesStripeOf(relation, *row_number, snapshot)) {
    return version;
  }
  row_stub::Target target;
  switch (row_stub::Find(relation, *row_number, &target)) {
    case row_stub::Outcome::kNone:
      version.visible = true;
      break;
    case row_stub::Outcome::kStub:
      version = VersionAt(relation, target.pin, target.tid, InvalidTransactionId, snapshot);
      ReleaseBuffer(target.pin);
      break;
    case row_stub::Outcome::kGone:
      break;
  }
  return version;
}

}  // namespace

void TupleGetLatestTid(TableScanDesc scan, ItemPointer tid) {
  if (auto const row_number = RowOfTid(*tid);
      row_number && IsMovedSince(scan->rs_rd, *row_number, scan->rs_snapshot)) {
    // Changed here, the row would go on being seen where it was.
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to concurrent update")));
  }
  ItemPointerData current = *tid;
  TransactionId inserter = InvalidTransactionId;
  for (;;) {  // ends with the chain
    CHECK_FOR_INTERRUPTS();
    Version const version = Look(scan->rs_rd, current, inserter, scan->rs_snapshot);
    if (version.visible) {
      *tid = current;
    }
    if (version.newest) {
      return;
    }
    current = version.next;
    inserter = version.updater;
  }
}

}  // namespace orochi::pg::columnar_am
