#include "pg/am/columnar/index_check.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/tuple_id.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/itup.h"
#include "access/nbtree.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_am_d.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

// An entry of the index: where it leads, and a hash of its values.
struct Entry {
  uint64_t place;  // its tuple id's number
  uint64_t hash;
};

struct IndexCheck {
  Relation relation;
  Relation index;
  const IndexProblems* problems;
  Snapshot snapshot;
  MemoryContext scratch;  // of one entry or row

  // The entries of every pass_count-th place.
  uint64_t pass;
  uint64_t pass_count;
  Entry* entries;  // by place, then hash, once all are there
  size_t count;
  size_t capacity;
};

bool IsOfPass(const IndexCheck& check, uint64_t place) {
  return hash_bytes_uint32_extended(static_cast<uint32>(place), place >> 32) % check.pass_count ==
         check.pass;
}

void Report(const IndexCheck& check, const ItemPointerData& tid, const char* problem) {
  check.problems->report(
      check.problems->state, tid,
      psprintf("index \"%s\": %s", RelationGetRelationName(check.index), problem));
}

// Values as they are without compression, in the index's own types.
uint64_t HashOf(const IndexCheck& check, IndexTuple tuple) {
  TupleDesc const descriptor = RelationGetDescr(check.index);
  Datum values[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS];
  index_deform_tuple(tuple, descriptor, values, nulls);
  uint64_t hash = 0;
  for (int i = 0; i < descriptor->natts; ++i) {
    const FormData_pg_attribute& attribute = *TupleDescAttr(descriptor, i);
    if (nulls[i]) {
      hash = hash_bytes_uint32_extended(0, hash + 1);
    } else if (attribute.attbyval) {
      uint64_t const value = values[i];
      hash =
          hash_bytes_extended(reinterpret_cast<const unsigned char*>(&value), sizeof(value), hash);
    } else {
      const void* bytes = DatumGetPointer(values[i]);
      auto size_bytes = static_cast<size_t>(attribute.attlen);
      if (attribute.attlen == -1) {
        struct varlena* const plain = PG_DETOAST_DATUM_PACKED(values[i]);
        bytes = VARDATA_ANY(plain);
        size_bytes = VARSIZE_ANY_EXHDR(plain);
      } else if (attribute.attlen == -2) {
        size_bytes = strlen(static_cast<const char*>(bytes));
      }
      hash = hash_bytes_extended(static_cast<const unsigned char*>(bytes),
                                 static_cast<int>(size_bytes), hash);
    }
  }
  return hash;
}

// False when memory is short.
bool AddEntry(IndexCheck* check, const Entry& entry) {
  if (check->count == check->capacity) {
    size_t const most = static_cast<size_t>(maintenance_work_mem) * 1024 / sizeof(Entry);
    size_t const wanted = check->capacity == 0 ? 1024 : check->capacity * 2;
    if (check->count >= most) {
      return false;
    }
    check->capacity = std::min(wanted, most);
    check->entries =
        static_cast<Entry*>(check->entries == nullptr
                                ? palloc_extended(check->capacity * sizeof(Entry), MCXT_ALLOC_HUGE)
                                : repalloc_huge(check->entries, check->capacity * sizeof(Entry)));
  }
  check->entries[check->count++] = entry;
  return true;
}

// Reads the index in its order, which no split of a page disturbs. False when memory is short.
bool ReadEntries(IndexCheck* check) {
  check->count = 0;
  bool fits = true;
  IndexScanDesc const scan = index_beginscan(check->relation, check->index, SnapshotAny, 0, 0);
  scan->xs_want_itup = true;
  index_rescan(scan, nullptr, 0, nullptr, 0);
  MemoryContext const caller = MemoryContextSwitchTo(check->scratch);
  for (ItemPointer tid = index_getnext_tid(scan, ForwardScanDirection); fits && tid != nullptr;) {
    CHECK_FOR_INTERRUPTS();
    uint64_t const place = NumberOfTid(*tid);
    if (IsOfPass(*check, place)) {
      uint64_t const hash = HashOf(*check, scan->xs_itup);
      MemoryContextSwitchTo(caller);
      fits = AddEntry(check, {.place = place, .hash = hash});
      MemoryContextSwitchTo(check->scratch);
      MemoryContextReset(check->scratch);
    }
    tid = index_getnext_tid(scan, ForwardScanDirection);
  }
  MemoryContextSwitchTo(caller);
  index_endscan(scan);
  std::sort(check->entries, check->entries + check->count, [](const Entry& a, const Entry& b) {
    return a.place != b.place ? a.place < b.place : a.hash < b.hash;
  });
  return fits;
}

// Why an entry cannot lead to the line pointer, or null.
const char* ProblemOfItem(BlockNumber block, Page page, OffsetNumber offset) {
  if (KindOf(block, page) != PageKind::kRows) {
    return "an entry leads to a page that holds no rows";
  }
  if (offset == 0 || offset > PageGetMaxOffsetNumber(page)) {
    return "an entry leads behind the last row of a page";
  }
  ItemId const item = PageGetItemId(page, offset);
  if (!ItemIdIsUsed(item)) {
    return "an entry leads to a line pointer that is not in use";
  }
  if (ItemIdIsNormal(item) &&
      HeapTupleHeaderIsHeapOnly(reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item)))) {
    return "an entry leads to a row that has none of its own";
  }
  return nullptr;
}

void CheckPlaces(const IndexCheck& check) {
  PGAlignedBlock page;
  BlockNumber loaded = InvalidBlockNumber;
  BlockNumber const block_count = RelationGetNumberOfBlocks(check.relation);
  uint64_t const next_row_number = ReadMetapage(check.relation).next_row_number;
  for (size_t i = 0; i < check.count; ++i) {
    CHECK_FOR_INTERRUPTS();
    ItemPointerData const tid = TidOfNumber(check.entries[i].place);
    if (auto const row_number = RowOfTid(tid)) {
      if (*row_number >= next_row_number) {
        Report(check, tid,
               psprintf("an entry leads to row %llu, the table has %llu",
                        static_cast<unsigned long long>(*row_number),
                        static_cast<unsigned long long>(next_row_number)));
      }
      continue;
    }
    BlockNumber const block = ItemPointerGetBlockNumberNoCheck(&tid);
    if (block >= block_count) {
      Report(check, tid, "an entry leads behind the file's end");
      continue;
    }
    if (block != loaded) {
      Buffer const buffer = ReadBuffer(check.relation, block);
      LockBuffer(buffer, BUFFER_LOCK_SHARE);
      std::memcpy(page.data, BufferGetPage(buffer), BLCKSZ);
      UnlockReleaseBuffer(buffer);
      loaded = block;
    }
    const char* const problem =
        ProblemOfItem(block, page.data, ItemPointerGetOffsetNumberNoCheck(&tid));
    if (problem != nullptr) {
      Report(check, tid, problem);
    }
  }
}

// Called with every row that the predicate takes, in the index's columns.
void CheckRow(Relation, ItemPointer tid, Datum* values, bool* nulls, bool, void* state) {
  auto* const check = static_cast<IndexCheck*>(state);
  uint64_t const place = NumberOfTid(*tid);
  if (!IsOfPass(*check, place)) {
    return;
  }
  MemoryContext const caller = MemoryContextSwitchTo(check->scratch);
  uint64_t const hash =
      HashOf(*check, index_form_tuple(RelationGetDescr(check->index), values, nulls));
  MemoryContextSwitchTo(caller);
  MemoryContextReset(check->scratch);
  const Entry* const end = check->entries + check->count;
  const Entry* const first = std::lower_bound<const Entry*>(
      check->entries, end, place,
      [](const Entry& entry, uint64_t wanted) { return entry.place < wanted; });
  const Entry* const after =
      std::partition_point(first, end, [&](const Entry& entry) { return entry.place == place; });
  if (first == after) {
    Report(*check, *tid, "the row has no entry");
  } else if (after - first > 1) {
    Report(*check, *tid,
           psprintf("the row has %lld entries", static_cast<long long>(after - first)));
  } else if (first->hash != hash) {
    Report(*check, *tid, "the row's entry has other values");
  }
}

void CheckRows(IndexCheck* check) {
  IndexInfo* const info = BuildIndexInfo(check->index);
  info->ii_Unique = false;
  info->ii_Concurrent = true;  // others write meanwhile
  TableScanDesc const scan =
      table_beginscan_strat(check->relation, check->snapshot, 0, nullptr, true, false);
  table_index_build_scan(check->relation, check->index, info, false, false, CheckRow, check, scan);
}

// Whether two entries have the same key for the index, which may tell other values apart than
// their bytes do.
bool IsSameKey(Relation index, IndexTuple one, IndexTuple other) {
  TupleDesc const descriptor = RelationGetDescr(index);
  for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); ++i) {
    auto const attribute = static_cast<AttrNumber>(i + 1);
    bool is_null = false;
    bool other_is_null = false;
    Datum const value = index_getattr(one, attribute, descriptor, &is_null);
    Datum const other_value = index_getattr(other, attribute, descriptor, &other_is_null);
    if (is_null || other_is_null) {
      if (!index->rd_index->indnullsnotdistinct || is_null != other_is_null) {
        return false;
      }
    } else if (DatumGetInt32(FunctionCall2Coll(index_getprocinfo(index, attribute, BTORDER_PROC),
                                               index->rd_indcollation[i], value, other_value)) !=
               0) {
      return false;
    }
  }
  return true;
}

// Entries with the same key are neighbours in the index's order, but for those of rows that nobody
// sees any more.
void CheckUniqueness(const IndexCheck& check) {
  TupleTableSlot* const slot = table_slot_create(check.relation, nullptr);
  IndexScanDesc const scan = index_beginscan(check.relation, check.index, check.snapshot, 0, 0);
  scan->xs_want_itup = true;
  index_rescan(scan, nullptr, 0, nullptr, 0);
  IndexTuple last = nullptr;
  ItemPointerData last_tid;
  ItemPointerSetInvalid(&last_tid);
  while (index_getnext_tid(scan, ForwardScanDirection) != nullptr) {
    CHECK_FOR_INTERRUPTS();
    if (!index_fetch_heap(scan, slot)) {
      continue;
    }
    // Comparing may leave memory behind.
    MemoryContext const caller = MemoryContextSwitchTo(check.scratch);
    bool const is_same = last != nullptr && IsSameKey(check.index, last, scan->xs_itup);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(check.scratch);
    if (is_same) {
      Report(check, slot->tts_tid,
             psprintf("the row has the same key as row (%u,%u)",
                      ItemPointerGetBlockNumberNoCheck(&last_tid),
                      ItemPointerGetOffsetNumberNoCheck(&last_tid)));
    }
    if (last != nullptr) {
      pfree(last);
    }
    last = CopyIndexTuple(scan->xs_itup);
    last_tid = slot->tts_tid;
  }
  index_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
}

// A deferrable key of rows that this transaction changed is looked at when it ends.
bool HasUniqueKeys(Relation index) {
  return index->rd_index->indisunique &&
         (index->rd_index->indimmediate || !TransactionIdIsValid(GetTopTransactionIdIfAny()));
}

void CheckIndex(IndexCheck* check) {
  check->pass_count = 1;
  for (check->pass = 0; check->pass < check->pass_count;) {
    if (!ReadEntries(check)) {
      check->pass_count *= 2;
      check->pass = 0;
      continue;
    }
    CheckPlaces(*check);
    CheckRows(check);
    ++check->pass;
  }
  if (check->entries != nullptr) {
    pfree(check->entries);
  }
}

}  // namespace

void CheckIndexes(Relation relation, const IndexProblems& problems) noexcept {
  List* const indexes = RelationGetIndexList(relation);
  MemoryContext const scratch = AllocSetContextCreate(
      CurrentMemoryContext, "entry of a checked index", ALLOCSET_DEFAULT_SIZES);
  ListCell* cell;
  foreach (cell, indexes) {
    Relation const index = index_open(lfirst_oid(cell), AccessShareLock);
    if (index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid) {
      // What the snapshot sees has its entries before the index is read.
      Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
      PushActiveSnapshot(snapshot);
      IndexCheck check{};
      check.relation = relation;
      check.index = index;
      check.problems = &problems;
      check.snapshot = snapshot;
      check.scratch = scratch;
      CheckIndex(&check);
      if (HasUniqueKeys(index)) {
        CheckUniqueness(check);
      }
      PopActiveSnapshot();
      UnregisterSnapshot(snapshot);
    }
    index_close(index, AccessShareLock);
  }
  list_free(indexes);
  MemoryContextDelete(scratch);
}

}  // namespace orochi::pg::columnar_am
