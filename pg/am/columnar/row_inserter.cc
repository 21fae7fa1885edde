#include "pg/am/columnar/row_inserter.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_stub.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

TransactionId OnRowPage(Relation relation, ItemPointer tid) {
  if (ItemPointerGetBlockNumber(tid) >= RelationGetNumberOfBlocks(relation)) {
    return InvalidTransactionId;
  }
  HeapTupleData tuple;
  tuple.t_self = *tid;
  Buffer buffer = InvalidBuffer;
  if (!heap_fetch(relation, SnapshotAny, &tuple, &buffer, false)) {
    return InvalidTransactionId;
  }
  TransactionId const inserter = HeapTupleHeaderGetRawXmin(tuple.t_data);
  ReleaseBuffer(buffer);
  return inserter;
}

TransactionId InStripe(Relation relation, uint64_t row_number) {
  return Boundary([&]() -> Result<TransactionId> {
    RETURN_IF_ERROR(WriteOutPending(relation));
    uint64_t const storage_id =
        TryPg([&]() noexcept -> uint64_t { return ReadMetapage(relation).storage_id; });
    return stripe_catalog::WriterOf(storage_id, row_number);
  });
}

LastChange LastChangeOfTuple(const ItemPointerData& tid, Buffer pin) {
  LastChange change{};
  LockBuffer(pin, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(pin);
  OffsetNumber const offset = ItemPointerGetOffsetNumberNoCheck(&tid);
  if (offset >= FirstOffsetNumber && offset <= PageGetMaxOffsetNumber(page) &&
      ItemIdIsNormal(PageGetItemId(page, offset))) {
    auto* const header =
        reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, offset)));
    change = {.xmax = HeapTupleHeaderGetRawXmax(header),
              .command_id = HeapTupleHeaderGetRawCommandId(header)};
  }
  LockBuffer(pin, BUFFER_LOCK_UNLOCK);
  return change;
}

}  // namespace

LastChange LastChangeOf(Oid relation_id, ItemPointer tid) {
  Relation const relation = table_open(relation_id, NoLock);
  LastChange change{};
  row_stub::Target target{.tid = *tid, .pin = InvalidBuffer};
  if (IsRowPageTid(*tid)) {
    target.pin = row_pages::Pin(relation, ItemPointerGetBlockNumber(tid));
  } else if (auto const row_number = RowOfTid(*tid)) {
    if (row_stub::Find(relation, *row_number, &target) != row_stub::Outcome::kStub) {
      target.pin = InvalidBuffer;
    }
  }
  if (BufferIsValid(target.pin)) {
    change = LastChangeOfTuple(target.tid, target.pin);
    ReleaseBuffer(target.pin);
  }
  table_close(relation, NoLock);
  return change;
}

TransactionId InserterOf(Oid relation_id, ItemPointer tid) {
  Relation const relation = table_open(relation_id, NoLock);
  TransactionId inserter = InvalidTransactionId;
  if (IsRowPageTid(*tid)) {
    inserter = OnRowPage(relation, tid);
  } else if (auto const row_number = RowOfTid(*tid)) {
    inserter = InStripe(relation, *row_number);
  }
  table_close(relation, NoLock);
  return inserter;
}

}  // namespace orochi::pg::columnar_am
