#include "pg/am/columnar/row_move.h"

#include "pg/am/columnar/large_value.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/row_group_view.h"
#include "pg/am/columnar/row_stub.h"
#include "pg/am/columnar/scan_cursor.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/bridge.h"
#include "pg/injection.h"
#include "pg/move/order_key.h"

extern "C" {
#include "access/genam.h"
#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"
}

namespace orochi::pg::vacuum {
namespace {

// How often a page is tried that others have pinned. What cannot be had stays where it is.
constexpr int kPageTries = 3;

// A row on its way: from the tuple that heap's functions work on, to its new tuple id.
struct Moved {
  ItemPointerData from;
  ItemPointerData to;
  int32_t source;  // index of the stripe it was in, or kRowPage
};
constexpr int32_t kRowPage = -1;

// A stripe whose rows are on their way.
struct Source {
  StripeEntry entry;
  uint64_t left_count;  // rows somebody sees that are not moved yet
};

// Everything one MoveRows holds.
struct Move {
  Run* run;
  // Rows with two more columns: the tuple id they come from, and their place among rows that the
  // table's order does not tell apart. In the order of the new stripes.
  TupleDesc sorted_descriptor;
  Tuplesortstate* sort;
  TupleTableSlot* sorted;
  TupleTableSlot* row;  // as the table has it
  double row_count;

  int index_count;
  Relation* indexes;
  IndexInfo** infos;
  EState* estate;

  PlainArray<Source> sources;  // by first row number
  PlainArray<Moved> moved;
  double marked_count;
};

void OpenIndexes(Move* move) {
  List* const list = RelationGetIndexList(move->run->relation);
  auto const count = static_cast<size_t>(list_length(list));
  move->indexes = static_cast<Relation*>(palloc((count + 1) * sizeof(Relation)));
  move->infos = static_cast<IndexInfo**>(palloc((count + 1) * sizeof(IndexInfo*)));
  ListCell* cell;
  foreach (cell, list) {
    Relation const index = index_open(lfirst_oid(cell), RowExclusiveLock);
    if (!index->rd_index->indisready) {
      index_close(index, NoLock);
      continue;
    }
    move->indexes[move->index_count] = index;
    move->infos[move->index_count++] = BuildIndexInfo(index);
  }
  list_free(list);
  move->estate = CreateExecutorState();
}

TupleDesc WithOrigin(TupleDesc descriptor) {
  TupleDesc const wider = CreateTemplateTupleDesc(descriptor->natts + 2);
  for (AttrNumber i = 1; i <= descriptor->natts; ++i) {
    TupleDescCopyEntry(wider, i, descriptor, i);
  }
  TupleDescInitEntry(wider, static_cast<AttrNumber>(descriptor->natts + 1), "orochi_origin",
                     INT8OID, -1, 0);
  TupleDescInitEntry(wider, static_cast<AttrNumber>(descriptor->natts + 2), "orochi_place", INT8OID,
                     -1, 0);
  return wider;
}

// The table's order, then that of stripes, where a new version is what it replaced: rows that are
// changed now and then stay among their neighbours, whom they resemble. Last come new rows.
void BeginSort(Move* move) {
  OrderKey order = {};
  ChooseOrderKey(move->run->relation, &order);
  if (order.column_count == INDEX_MAX_KEYS) {
    --order.column_count;
  }
  int const last = order.column_count;
  order.columns[last] = static_cast<AttrNumber>(move->sorted_descriptor->natts);
  order.operators[last] = Int8LessOperator;
  order.collations[last] = InvalidOid;
  order.nulls_first[last] = false;
  move->sort = tuplesort_begin_heap(move->sorted_descriptor, order.column_count + 1, order.columns,
                                    order.operators, order.collations, order.nulls_first,
                                    maintenance_work_mem, nullptr, TUPLESORT_NONE);
}

// Behind all places in stripes.
constexpr uint64_t kNewRowPlace = uint64_t{1} << 62;

// Puts what is in move->sorted's arrays, but for the last two, on the way.
void PutSorted(Move* move, const ItemPointerData& origin, uint64_t place) {
  int const last = move->sorted_descriptor->natts - 1;
  move->sorted->tts_values[last - 1] = Int64GetDatum(static_cast<int64_t>(NumberOfTid(origin)));
  move->sorted->tts_isnull[last - 1] = false;
  move->sorted->tts_values[last] = Int64GetDatum(static_cast<int64_t>(place));
  move->sorted->tts_isnull[last] = false;
  ExecStoreVirtualTuple(move->sorted);
  tuplesort_puttupleslot(move->sort, move->sorted);
  ExecClearTuple(move->sorted);
  move->row_count += 1;
}

// The page stays locked for sharing while its rows are copied into the sort.
void CollectFromPage(Move* move, BlockNumber block) {
  Relation const relation = move->run->relation;
  Buffer const buffer =
      ReadBufferExtended(relation, MAIN_FORKNUM, block, RBM_NORMAL, move->run->strategy);
  PGAlignedBlock copy;
  OffsetNumber offsets[MaxHeapTuplesPerPage];
  OffsetNumber roots[MaxHeapTuplesPerPage + 1] = {};  // by the offset a line pointer leads to
  int count = 0;
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Page const page = BufferGetPage(buffer);
  OffsetNumber const last =
      KindOf(block, page) == PageKind::kRows ? PageGetMaxOffsetNumber(page) : 0;
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (ItemIdIsRedirected(item) && ItemIdGetRedirect(item) <= MaxHeapTuplesPerPage) {
      roots[ItemIdGetRedirect(item)] = offset;
    }
    if (!ItemIdIsNormal(item)) {
      continue;
    }
    HeapTupleData tuple;
    tuple.t_tableOid = RelationGetRelid(relation);
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&tuple.t_self, block, offset);
    if (IsMovable(&tuple, move->run->oldest_xmin, buffer) &&
        !HasLargeValue(RelationGetDescr(relation), tuple)) {
      offsets[count++] = offset;
    }
  }
  std::memcpy(copy.data, page, BLCKSZ);
  UnlockReleaseBuffer(buffer);
  for (int i = 0; i < count; ++i) {
    ItemId const item = PageGetItemId(copy.data, offsets[i]);
    HeapTupleData tuple;
    tuple.t_tableOid = RelationGetRelid(relation);
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(copy.data, item));
    tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&tuple.t_self, block, offsets[i]);
    ExecClearTuple(move->sorted);
    heap_deform_tuple(&tuple, RelationGetDescr(relation), move->sorted->tts_values,
                      move->sorted->tts_isnull);
    OffsetNumber const root = roots[offsets[i]] != 0 ? roots[offsets[i]] : offsets[i];
    auto const replaced = PredecessorOf(*move->run, block, root);
    PutSorted(
        move, tuple.t_self,
        replaced ? NumberOfTid(TidOfRow(*replaced)) : kNewRowPlace | NumberOfTid(tuple.t_self));
  }
}

void PutStripeRow(Move* move, TupleTableSlot* slot) {
  slot_getallattrs(slot);
  ExecClearTuple(move->sorted);
  auto const count = static_cast<size_t>(slot->tts_tupleDescriptor->natts);
  std::copy_n(slot->tts_values, count, move->sorted->tts_values);
  std::copy_n(slot->tts_isnull, count, move->sorted->tts_isnull);
  PutSorted(move, slot->tts_tid, NumberOfTid(slot->tts_tid));
}

void CollectFromStripes(Move* move, const PlainArray<StripeEntry>& stripes) {
  if (stripes.count == 0) {
    return;
  }
  for (size_t i = 0; i < stripes.count; ++i) {
    move->sources.Add({.entry = stripes.items[i], .left_count = 0});
  }
  std::sort(move->sources.items, move->sources.items + move->sources.count,
            [](const Source& a, const Source& b) {
              return a.entry.first_row_number < b.entry.first_row_number;
            });
  Relation const relation = move->run->relation;
  TupleTableSlot* const slot =
      MakeSingleTupleTableSlot(RelationGetDescr(relation), ColumnarSlotOps());
  Boundary([&]() -> Status {
    ASSIGN_OR_RETURN(auto cursor, ScanCursor::Open(relation, GetActiveSnapshot(), nullptr));
    for (size_t i = 0; i < move->sources.count; ++i) {
      const StripeEntry& stripe = move->sources.items[i].entry;
      for (uint64_t row = stripe.first_row_number; row < stripe.first_row_number + stripe.row_count;
           ++row) {
        ASSIGN_OR_RETURN(bool const visible, cursor->SeekRowNumber(row));
        if (visible) {
          ++move->sources.items[i].left_count;
          TryPg([&]() noexcept {
            vacuum_delay_point();
            cursor->Store(slot);
            PutStripeRow(move, slot);
          });
        }
      }
    }
    return Status::Ok();
  });
  ExecDropSingleTupleTableSlot(slot);
}

void InsertEntries(Move* move) {
  Relation const relation = move->run->relation;
  ExprContext* const context = GetPerTupleExprContext(move->estate);
  context->ecxt_scantuple = move->row;
  for (int i = 0; i < move->index_count; ++i) {
    IndexInfo* const info = move->infos[i];
    if (info->ii_Predicate != NIL) {
      if (info->ii_PredicateState == nullptr) {
        info->ii_PredicateState = ExecPrepareQual(info->ii_Predicate, move->estate);
      }
      if (!ExecQual(info->ii_PredicateState, context)) {
        continue;
      }
    }
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    FormIndexDatum(info, move->row, move->estate, values, nulls);
    // The row was in the index before: nothing is to be checked.
    WAL_RECORD("moved_row_indexed",
               index_insert(move->indexes[i], values, nulls, &move->row->tts_tid, relation,
                            UNIQUE_CHECK_NO, false, info));
  }
  ResetPerTupleExprContext(move->estate);
}

int32_t SourceOf(const Move& move, uint64_t row_number) {
  const Source* const end = move.sources.items + move.sources.count;
  const Source* const found =
      std::partition_point<const Source*>(move.sources.items, end, [&](const Source& source) {
        return source.entry.first_row_number + source.entry.row_count <= row_number;
      });
  return static_cast<int32_t>(found - move.sources.items);
}

// Writes the row in move->row, which was at `origin`.
void WriteRow(Move* move, const ItemPointerData& origin, CommandId command_id) {
  Relation const relation = move->run->relation;
  Moved moved;
  moved.from = origin;
  moved.source = kRowPage;
  bool is_gone = false;
  if (auto const row_number = RowOfTid(origin)) {
    row_stub::Target target;
    is_gone = row_stub::FindOrMake(relation, *row_number,
                                   row_stub::NeedsRow(relation) ? move->row : nullptr,
                                   &target) != row_stub::Outcome::kStub;
    if (is_gone) {
      return;
    }
    moved.from = target.tid;
    moved.source = SourceOf(*move, *row_number);
    ReleaseBuffer(target.pin);
  }
  InsertRows(relation, &move->row, 1, command_id, kInsertMoved, true);
  moved.to = move->row->tts_tid;
  InsertEntries(move);
  move->moved.Add(moved);
}

void WriteSorted(Move* move) {
  CommandId const command_id = GetCurrentCommandId(true);
  int const count = RelationGetDescr(move->run->relation)->natts;
  TupleTableSlot* const sorted =
      MakeSingleTupleTableSlot(move->sorted_descriptor, &TTSOpsMinimalTuple);
  tuplesort_performsort(move->sort);
  while (tuplesort_gettupleslot(move->sort, true, false, sorted, nullptr)) {
    vacuum_delay_point();
    slot_getallattrs(sorted);
    ExecClearTuple(move->row);
    std::copy_n(sorted->tts_values, count, move->row->tts_values);
    std::copy_n(sorted->tts_isnull, count, move->row->tts_isnull);
    ExecStoreVirtualTuple(move->row);
    WriteRow(move, TidOfNumber(static_cast<uint64_t>(DatumGetInt64(sorted->tts_values[count]))),
             command_id);
  }
  ExecDropSingleTupleTableSlot(sorted);
  tuplesort_end(move->sort);
}

// Ends the old tuple as an update that moved it to `to` would.
void MarkTuple(HeapTupleHeader header, const ItemPointerData& to, TransactionId mover) {
  header->t_infomask &= static_cast<uint16>(~(HEAP_XMAX_BITS | HEAP_MOVED));
  header->t_infomask2 &= static_cast<uint16>(~(HEAP_KEYS_UPDATED | HEAP_HOT_UPDATED));
  // Whoever wants the row, even to lock its key only, waits for us and then follows.
  header->t_infomask2 |= HEAP_KEYS_UPDATED;
  HeapTupleHeaderSetXmax(header, mover);
  HeapTupleHeaderSetCmax(header, FirstCommandId, false);
  header->t_ctid = to;
}

bool LockForMove(Buffer buffer) {
  // Not waited for: whoever has it pinned may wait for us.
  for (int i = 0; i < kPageTries; ++i) {
    if (ConditionalLockBufferForCleanup(buffer)) {
      return true;
    }
  }
  return false;
}

// The old tuple's values outside of it die with it.
void DeleteToasted(Relation relation, List* tuples) {
  ListCell* cell;
  foreach (cell, tuples) {
    auto* const tuple = static_cast<HeapTuple>(lfirst(cell));
    heap_toast_delete(relation, tuple, false);
    heap_freetuple(tuple);
  }
  list_free(tuples);
}

// Ends the tuples of one page; the new rows of those that cannot be ended are hidden.
void MarkPage(Move* move, const Moved* items, size_t count) {
  Relation const relation = move->run->relation;
  BlockNumber const block = ItemPointerGetBlockNumber(&items[0].from);
  Buffer const buffer = ReadBuffer(relation, block);
  List* toasted = NIL;
  bool failed[MaxHeapTuplesPerPage];
  std::fill_n(failed, count, true);
  if (LockForMove(buffer)) {
    Page const page = BufferGetPage(buffer);
    GenericXLogState* const state = GenericXLogStart(relation);
    Page const copy = GenericXLogRegisterBuffer(state, buffer, 0);
    TransactionId const mover = GetTopTransactionId();
    for (size_t i = 0; i < count; ++i) {
      ItemId const item = PageGetItemId(page, ItemPointerGetOffsetNumber(&items[i].from));
      HeapTupleData tuple;
      tuple.t_tableOid = RelationGetRelid(relation);
      tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
      tuple.t_len = ItemIdGetLength(item);
      tuple.t_self = items[i].from;
      if (!ItemIdIsNormal(item) || !IsMovable(&tuple, move->run->oldest_xmin, buffer)) {
        continue;
      }
      failed[i] = false;
      move->marked_count += 1;
      if (items[i].source != kRowPage) {
        --move->sources.items[items[i].source].left_count;
      }
      if (HeapTupleHasExternal(&tuple)) {
        toasted = lappend(toasted, heap_copytuple(&tuple));
      }
      MarkTuple(reinterpret_cast<HeapTupleHeader>(PageGetItem(
                    copy, PageGetItemId(copy, ItemPointerGetOffsetNumber(&items[i].from)))),
                items[i].to, mover);
    }
    if (KindOf(block, page) == PageKind::kRows) {
      PageSetPrunable(copy, mover);
    }
    WAL_RECORD("moved_rows_ended", GenericXLogFinish(state));
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  }
  ReleaseBuffer(buffer);
  for (size_t i = 0; i < count; ++i) {
    if (failed[i]) {
      row_stub::MakeGone(relation, *RowOfTid(items[i].to));
    }
  }
  DeleteToasted(relation, toasted);
}

void MarkAll(Move* move) {
  const PlainArray<Moved>& moved = move->moved;
  std::sort(moved.items, moved.items + moved.count, [](const Moved& a, const Moved& b) {
    return NumberOfTid(a.from) < NumberOfTid(b.from);
  });
  for (size_t begin = 0; begin < moved.count;) {
    vacuum_delay_point();
    BlockNumber const block = ItemPointerGetBlockNumber(&moved.items[begin].from);
    size_t end = begin;
    while (end < moved.count && ItemPointerGetBlockNumber(&moved.items[end].from) == block) {
      ++end;
    }
    MarkPage(move, moved.items + begin, end - begin);
    begin = end;
  }
}

// A stripe that nobody with a later snapshot sees a row of is gone for them. Who sees it still has
// its stubs, which go with it.
void DropSources(Move* move) {
  for (size_t i = 0; i < move->sources.count; ++i) {
    if (move->sources.items[i].left_count == 0) {
      Boundary([&]() -> Status {
        stripe_catalog::Delete(move->sources.items[i].entry);
        return Status::Ok();
      });
    }
  }
}

}  // namespace

double MoveRows(Run* run, const MoveRequest& request) noexcept {
  Move move{};
  move.run = run;
  move.sorted_descriptor = WithOrigin(RelationGetDescr(run->relation));
  move.sorted = MakeSingleTupleTableSlot(move.sorted_descriptor, &TTSOpsVirtual);
  move.row = MakeSingleTupleTableSlot(RelationGetDescr(run->relation), &TTSOpsVirtual);
  BeginSort(&move);
  for (size_t i = 0; request.row_pages && i < run->movable_blocks.count; ++i) {
    vacuum_delay_point();
    CollectFromPage(&move, run->movable_blocks.items[i]);
  }
  CollectFromStripes(&move, request.stripes);
  OpenIndexes(&move);
  WriteSorted(&move);
  INJECTION_POINT_PLAIN("columnar_vacuum_rows_written");
  MarkAll(&move);
  DropSources(&move);
  INJECTION_POINT_PLAIN("columnar_vacuum_rows_marked");
  // Serializable readers may hold locks on the places the rows leave.
  TransferPredicateLocksToHeapRelation(run->relation);
  Boundary([&]() -> Status { return WriteOutPending(run->relation); });
  for (int i = 0; i < move.index_count; ++i) {
    index_close(move.indexes[i], NoLock);
  }
  FreeExecutorState(move.estate);
  ExecDropSingleTupleTableSlot(move.row);
  ExecDropSingleTupleTableSlot(move.sorted);
  return move.marked_count;
}

}  // namespace orochi::pg::vacuum
