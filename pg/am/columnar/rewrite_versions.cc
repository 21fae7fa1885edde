#include "pg/am/columnar/rewrite_versions.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/row_group_view.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/am/columnar/stub_page.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/am/columnar/tuple_values.h"
#include "pg/bridge.h"

extern "C" {
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/rewriteheap.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

// A copy of a page with what its tuples are to everybody.
struct PageCopy {
  PGAlignedBlock page;
  PageKind kind;
  BlockNumber block;
  Oid relation_id;
  struct One {
    OffsetNumber offset;
    HTSV_Result state;
  };
  One tuples[MaxHeapTuplesPerPage];
  int count;

  HeapTupleData Tuple(OffsetNumber offset) {
    ItemId const item = PageGetItemId(page.data, offset);
    HeapTupleData tuple;
    tuple.t_tableOid = relation_id;
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page.data, item));
    tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&tuple.t_self, block, offset);
    return tuple;
  }
};

void Read(Relation relation, BlockNumber block, TransactionId oldest_xmin,
          BufferAccessStrategy strategy, PageCopy* out) {
  Buffer const buffer = ReadBufferExtended(relation, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  auto* const page = static_cast<char*>(BufferGetPage(buffer));
  out->kind = KindOf(block, page);
  out->block = block;
  out->relation_id = RelationGetRelid(relation);
  out->count = 0;
  bool const has_tuples = out->kind == PageKind::kRows || out->kind == PageKind::kStubs;
  OffsetNumber const last = has_tuples ? row_pages::CheckItems(relation, block, page) : 0;
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item)) {
      continue;
    }
    HeapTupleData tuple;
    tuple.t_tableOid = out->relation_id;
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&tuple.t_self, block, offset);
    out->tuples[out->count++] = {.offset = offset,
                                 .state = HeapTupleSatisfiesVacuum(&tuple, oldest_xmin, buffer)};
  }
  if (out->count > 0) {
    std::memcpy(out->page.data, page, BLCKSZ);
  }
  UnlockReleaseBuffer(buffer);
}

template <class Visit>
void ForEachPage(Relation relation, TransactionId oldest_xmin, Visit visit) {
  auto* const copy = static_cast<PageCopy*>(palloc(sizeof(PageCopy)));
  BufferAccessStrategy const strategy = GetAccessStrategy(BAS_BULKREAD);
  BlockNumber const end = RelationGetNumberOfBlocks(relation);
  for (BlockNumber block = 1; block < end; ++block) {
    CHECK_FOR_INTERRUPTS();
    Read(relation, block, oldest_xmin, strategy, copy);
    visit(copy);
  }
  FreeAccessStrategy(strategy);
  pfree(copy);
}

bool IsLive(HTSV_Result state) {
  return state == HEAPTUPLE_LIVE || state == HEAPTUPLE_INSERT_IN_PROGRESS;  // our own
}

// Whether the tuple ended by VACUUM's moving its row to a stripe, where every snapshot may see it.
bool IsMoved(HeapTupleHeader header) {
  return (header->t_infomask & HEAP_XMAX_INVALID) == 0 &&
         !HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) && RowOfTid(header->t_ctid).has_value();
}

const NewRows::Stripe* StripeOf(const NewRows& rows, uint64_t row_number) {
  const NewRows::Stripe* const end = rows.stripes.items + rows.stripes.count;
  const NewRows::Stripe* const found = std::partition_point<const NewRows::Stripe*>(
      rows.stripes.items, end, [&](const NewRows::Stripe& stripe) {
        return stripe.entry.first_row_number + stripe.entry.row_count <= row_number;
      });
  return found != end && found->entry.Holds(row_number) ? found : nullptr;
}

// What one WriteVersions holds.
struct Writing {
  Relation from;
  TupleDesc descriptor;  // of the new relation
  RewriteState state;
  TupleTableSlot* slot;
  MemoryContext scratch;  // of one row
  VersionCounts counts;
};

// Writes the row in the slot with the transactions that `old`, a tuple of the old file, names.
void Write(Writing* writing, HeapTuple old, bool live) {
  TupleTableSlot* const slot = writing->slot;
  slot_getallattrs(slot);
  MemoryContext const caller = MemoryContextSwitchTo(writing->scratch);
  auto const count = static_cast<size_t>(writing->descriptor->natts);
  auto* const nulls = static_cast<bool*>(palloc(count * sizeof(bool)));
  for (size_t i = 0; i < count; ++i) {
    nulls[i] = slot->tts_isnull[i] || TupleDescAttr(writing->descriptor, i)->attisdropped;
  }
  HeapTuple const made = heap_form_tuple(writing->descriptor, slot->tts_values, nulls);
  MemoryContextSwitchTo(caller);
  rewrite_heap_tuple(writing->state, old, made);
  ExecClearTuple(slot);
  MemoryContextReset(writing->scratch);
  (live ? writing->counts.live : writing->counts.recently_dead) += 1;
}

// A stub of a stripe's row that was updated or deleted.
void WriteEndedRow(Writing* writing, const NewRows& new_rows, HeapTuple stub, uint64_t row_number) {
  if (!FetchStripeRow(writing->from, row_number, SnapshotAny, writing->slot)) {
    return;  // its writer was undone
  }
  HeapTupleHeaderData header = *stub->t_data;
  if (const NewRows::Stripe* const stripe = StripeOf(new_rows, row_number); stripe != nullptr) {
    header.t_infomask &= static_cast<uint16>(~HEAP_XMIN_FROZEN);
    HeapTupleHeaderSetXmin(&header, stripe->writer);
  }
  HeapTupleData old = *stub;
  old.t_data = &header;
  Write(writing, &old, false);
}

void WritePage(Writing* writing, const NewRows& new_rows, PageCopy* page) {
  for (int i = 0; i < page->count; ++i) {
    HeapTupleData tuple = page->Tuple(page->tuples[i].offset);
    HTSV_Result const state = page->tuples[i].state;
    bool const is_stub = page->kind == PageKind::kStubs;
    if (state == HEAPTUPLE_DEAD) {
      rewrite_heap_dead_tuple(writing->state, &tuple);
    } else if (IsLive(state)) {
      if (!is_stub && new_rows.Has(tuple.t_self)) {
        StoreTuple(writing->from, &tuple, writing->slot);
        Write(writing, &tuple, true);
      }
    } else if (IsMoved(tuple.t_data)) {
      continue;
    } else if (is_stub) {
      WriteEndedRow(writing, new_rows, &tuple,
                    stub_page::RowNumberAt(page->page.data,
                                           PageGetItemId(page->page.data, page->tuples[i].offset)));
    } else {
      StoreTuple(writing->from, &tuple, writing->slot);
      Write(writing, &tuple, false);
    }
  }
}

// Rows that nobody ended of a stripe that some snapshot does not see.
void WriteNewStripe(Writing* writing, const NewRows::Stripe& stripe) {
  for (uint64_t row = 0; row < stripe.entry.row_count; ++row) {
    CHECK_FOR_INTERRUPTS();
    uint64_t const row_number = stripe.entry.first_row_number + row;
    if (!FetchForCheck(writing->from, row_number, SnapshotSelf, writing->slot)) {
      continue;
    }
    HeapTupleHeaderData header{};
    header.t_infomask = HEAP_XMAX_INVALID;
    HeapTupleHeaderSetXmin(&header, stripe.writer);
    HeapTupleHeaderSetCmin(&header, FirstCommandId);
    HeapTupleData old;
    old.t_tableOid = RelationGetRelid(writing->from);
    old.t_self = TidOfRow(row_number);
    old.t_len = 0;
    old.t_data = &header;
    header.t_ctid = old.t_self;
    Write(writing, &old, true);
  }
}

}  // namespace

bool NewRows::Has(const ItemPointerData& tid) const noexcept {
  if (auto const row_number = RowOfTid(tid)) {
    return StripeOf(*this, *row_number) != nullptr;
  }
  return std::binary_search(places.items, places.items + places.count, NumberOfTid(tid));
}

NewRows FindNewRows(Relation relation, TransactionId oldest_xmin) noexcept {
  NewRows rows{};
  Metapage const metapage = ReadMetapage(relation);
  if (metapage.storage_id != 0) {
    stripe_catalog::VisitNewerThan(
        metapage.storage_id, metapage.moved_stripe_count, oldest_xmin,
        [](const StripeEntry& entry, TransactionId writer, void* state) {
          static_cast<NewRows*>(state)->stripes.Add({.entry = entry, .writer = writer});
        },
        &rows);
  }
  std::sort(rows.stripes.items, rows.stripes.items + rows.stripes.count,
            [](const NewRows::Stripe& a, const NewRows::Stripe& b) {
              return a.entry.first_row_number < b.entry.first_row_number;
            });
  ForEachPage(relation, oldest_xmin, [&](PageCopy* page) {
    for (int i = 0; i < page->count && page->kind == PageKind::kRows; ++i) {
      HeapTupleData const tuple = page->Tuple(page->tuples[i].offset);
      TransactionId const writer = HeapTupleHeaderGetXmin(tuple.t_data);
      if (IsLive(page->tuples[i].state) && TransactionIdIsNormal(writer) &&
          !TransactionIdPrecedes(writer, oldest_xmin)) {
        rows.places.Add(NumberOfTid(tuple.t_self));  // pages and items ascend
      }
    }
  });
  return rows;
}

VersionCounts WriteVersions(Relation from, Relation to, const NewRows& new_rows,
                            const RewriteLimits& limits) noexcept {
  Writing writing{};
  writing.from = from;
  writing.descriptor = RelationGetDescr(to);
  writing.state =
      begin_heap_rewrite(from, to, limits.oldest_xmin, limits.freeze_limit, limits.multi_limit);
  writing.slot = MakeSingleTupleTableSlot(RelationGetDescr(from), ColumnarSlotOps());
  writing.scratch =
      AllocSetContextCreate(CurrentMemoryContext, "rewritten version", ALLOCSET_DEFAULT_SIZES);
  ForEachPage(from, limits.oldest_xmin,
              [&](PageCopy* page) { WritePage(&writing, new_rows, page); });
  for (size_t i = 0; i < new_rows.stripes.count; ++i) {
    WriteNewStripe(&writing, new_rows.stripes.items[i]);
  }
  end_heap_rewrite(writing.state);
  ExecDropSingleTupleTableSlot(writing.slot);
  MemoryContextDelete(writing.scratch);
  return writing.counts;
}

}  // namespace orochi::pg::columnar_am
